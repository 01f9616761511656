import type { Reader } from "../../../kernel/store/store.ts";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { type ClientSurroundings, describeClient, toClientSettings } from "../client-settings.ts";
import { openSecrets, sealSecret } from "../client-secrets.ts";
import { type Cognito, existingPool } from "../core.ts";
import { clientNotFound, invalidParameter, limitExceeded, resourceNotFound } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import {
  type Client,
  clientKey,
  type IdentityProvider,
  inPool,
  type Pool,
  readClient,
  type ResourceServer,
} from "../model.ts";
import type { Sdk } from "../needs.ts";
import { onPool } from "./access.ts";
import { pageOf } from "./paging.ts";

export function clientOperations(cognito: Cognito) {
  const { store, ids, seal } = cognito;
  const authorize = onPool(cognito);

  return {
    CreateUserPoolClient: {
      authorize,
      async run(input, call) {
        const { UserPoolId: poolId, GenerateSecret: generate, ClientSecret: given, ...settings } = input;
        const pool = await existingPool(cognito, poolId, call);
        if (generate === true && given !== undefined) {
          throw invalidParameter("GenerateSecret and ClientSecret cannot be used together.");
        }
        const secret = given ?? (generate === true ? ids.random(51, lowerAlphanumeric) : undefined);
        const client = await store.transact(async (tx) => {
          const others = await tx.range({ prefix: inPool("clientOf", pool.id) }, { limit: limits.clientsMax });
          if (others.length >= limits.clientsMax) throw limitExceeded("The user pool has too many app clients.");
          const around = await surroundings(tx, pool);
          const client: Client = {
            v: 1,
            id: ids.random(26, lowerAlphanumeric),
            poolId: pool.id,
            createdAt: call.now,
            updatedAt: call.now,
            settings: toClientSettings("CreateUserPoolClient", settings, around),
            secrets: secret === undefined ? [] : [sealSecret(seal, secretId(), secret, call.now)],
          };
          tx.set(clientKey(client.id), client);
          tx.set(inPool("clientOf", pool.id, client.id), client.settings.ClientName ?? "");
          return client;
        });
        return { UserPoolClient: describeClient(client, secret) };
      },
    },

    DescribeUserPoolClient: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const client = await store.read((reader) => find(reader, pool, input.ClientId));
        return { UserPoolClient: describeClient(client, openSecrets(seal, client)[0]) };
      },
    },

    UpdateUserPoolClient: {
      authorize,
      async run(input, call) {
        const { UserPoolId: poolId, ClientId: clientId, ...settings } = input;
        const pool = await existingPool(cognito, poolId, call);
        const client = await store.transact(async (tx) => {
          const before = await find(tx, pool, clientId);
          const around = await surroundings(tx, pool);
          const named = { ...settings, ClientName: settings.ClientName ?? before.settings.ClientName };
          const client: Client = {
            ...before,
            updatedAt: call.now,
            settings: toClientSettings("UpdateUserPoolClient", named, around),
          };
          tx.set(clientKey(client.id), client);
          tx.set(inPool("clientOf", pool.id, client.id), client.settings.ClientName ?? "");
          return client;
        });
        return { UserPoolClient: describeClient(client, openSecrets(seal, client)[0]) };
      },
    },

    DeleteUserPoolClient: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        await store.transact(async (tx) => {
          const client = await find(tx, pool, input.ClientId);
          tx.delete(clientKey(client.id));
          tx.delete(inPool("clientOf", pool.id, client.id));
        });
        return {};
      },
    },

    ListUserPoolClients: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const page = await store.read((reader) =>
          pageOf<string>(reader, inPool("clientOf", pool.id), { limit: input.MaxResults, token: input.NextToken }),
        );
        return {
          UserPoolClients: page.keys.map((key, index) => ({
            ClientId: String(key.at(-1)),
            UserPoolId: pool.id,
            ClientName: page.values[index] ?? "",
          })),
          ...(page.nextToken !== undefined && { NextToken: page.nextToken }),
        };
      },
    },

    AddUserPoolClientSecret: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const value = input.ClientSecret ?? ids.random(51, lowerAlphanumeric);
        const added = sealSecret(seal, secretId(), value, call.now);
        await store.transact(async (tx) => {
          const client = await find(tx, pool, input.ClientId);
          if (client.secrets.length === 0) {
            throw invalidParameter("Cannot add a client secret to a client that was created without one.");
          }
          if (client.secrets.length >= limits.clientSecretsMax) {
            throw limitExceeded("The app client has the maximum number of client secrets.");
          }
          tx.set(clientKey(client.id), { ...client, updatedAt: call.now, secrets: [...client.secrets, added] });
        });
        return { ClientSecretDescriptor: describe(added, value) };
      },
    },

    DeleteUserPoolClientSecret: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        await store.transact(async (tx) => {
          const client = await find(tx, pool, input.ClientId);
          const secrets = client.secrets.filter(({ id }) => id !== input.ClientSecretId);
          if (secrets.length === client.secrets.length) {
            throw resourceNotFound(`Client secret ${input.ClientSecretId} does not exist.`);
          }
          if (secrets.length === 0) throw invalidParameter("The only secret of a client cannot be deleted.");
          tx.set(clientKey(client.id), { ...client, updatedAt: call.now, secrets });
        });
        return {};
      },
    },

    ListUserPoolClientSecrets: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        if (input.NextToken !== undefined) throw invalidParameter("Invalid pagination token given.");
        const client = await store.read((reader) => find(reader, pool, input.ClientId));
        return { ClientSecrets: client.secrets.map((secret) => describe(secret)) };
      },
    },
  } satisfies OperationsOf<Sdk>;

  function secretId(): string {
    return ids.uuid();
  }
}

/** A secret's value is told when it is made, and never again. */
function describe({ id, createdAt }: Client["secrets"][number], value?: string) {
  return {
    ClientSecretId: id,
    ...(value !== undefined && { ClientSecretValue: value }),
    ClientSecretCreateDate: new Date(createdAt),
  };
}

async function surroundings(reader: Reader, pool: Pool): Promise<ClientSurroundings> {
  const [servers, providers] = await Promise.all([
    reader.range<ResourceServer>({ prefix: inPool("resourceServer", pool.id) }, { limit: limits.resourceServersMax }),
    reader.range<IdentityProvider>({ prefix: inPool("provider", pool.id) }, { limit: limits.providersMax }),
  ]);
  return {
    pool,
    servers: servers.map(({ value }) => value),
    providers: providers.map(({ value }) => value.name),
  };
}

async function find(reader: Reader, pool: Pool, clientId: string | undefined): Promise<Client> {
  const client = await readClient(reader, clientId ?? "");
  if (client?.poolId !== pool.id) throw clientNotFound(clientId ?? "");
  return client;
}
