import type { OperationsOf } from "../../../wire/service.ts";
import { type Cognito, existingPool } from "../core.ts";
import { invalidParameter, limitExceeded, resourceNotFound } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { inPool, type Pool, type ResourceServer } from "../model.ts";
import type { Sdk } from "../needs.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import { onPool } from "./access.ts";
import { pageOf } from "./paging.ts";

export function resourceServerOperations(cognito: Cognito) {
  const { store } = cognito;
  const authorize = onPool(cognito);

  return {
    CreateResourceServer: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const server = toServer(input);
        await store.transact(async (tx) => {
          const prefix = inPool("resourceServer", pool.id);
          if (await tx.get([...prefix, server.identifier])) {
            throw invalidParameter(`${server.identifier} already exists in user pool ${pool.id}.`);
          }
          const others = await tx.range({ prefix }, { limit: limits.resourceServersMax });
          if (others.length >= limits.resourceServersMax) throw limitExceeded("Too many resource servers.");
          tx.set([...prefix, server.identifier], server);
        });
        return { ResourceServer: describe(pool, server) };
      },
    },
    DescribeResourceServer: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        return { ResourceServer: describe(pool, await store.read((reader) => find(reader, pool, input.Identifier))) };
      },
    },
    UpdateResourceServer: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const server = toServer(input);
        await store.transact(async (tx) => {
          await find(tx, pool, server.identifier);
          tx.set(inPool("resourceServer", pool.id, server.identifier), server);
        });
        return { ResourceServer: describe(pool, server) };
      },
    },
    DeleteResourceServer: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        await store.transact(async (tx) => {
          await find(tx, pool, input.Identifier);
          tx.delete(inPool("resourceServer", pool.id, input.Identifier ?? ""));
        });
        return {};
      },
    },
    ListResourceServers: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const prefix = inPool("resourceServer", pool.id);
        const asked = { limit: input.MaxResults, token: input.NextToken };
        const page = await store.read((reader) => pageOf<ResourceServer>(reader, prefix, asked));
        return {
          ResourceServers: page.values.map((server) => describe(pool, server)),
          ...(page.nextToken !== undefined && { NextToken: page.nextToken }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function toServer(input: {
  readonly Identifier: string | undefined;
  readonly Name: string | undefined;
  readonly Scopes?: ResourceServer["scopes"] | undefined;
}): ResourceServer {
  const scopes = input.Scopes ?? [];
  if (scopes.length > limits.scopesOfServerMax) throw limitExceeded("A resource server has at most 100 scopes.");
  const names = scopes.map(({ ScopeName }) => ScopeName);
  if (new Set(names).size !== names.length) throw invalidParameter("A scope name was given more than once.");
  return { v: 1, identifier: input.Identifier ?? "", name: input.Name ?? "", scopes };
}

function describe(pool: Pool, { identifier, name, scopes }: ResourceServer) {
  return { UserPoolId: pool.id, Identifier: identifier, Name: name, Scopes: [...scopes] };
}

async function find(reader: Reader, pool: Pool, identifier: string | undefined): Promise<ResourceServer> {
  const server = await reader.get<ResourceServer>(inPool("resourceServer", pool.id, identifier ?? ""));
  if (!server) throw resourceNotFound(`Resource server ${identifier} does not exist.`);
  return server;
}
