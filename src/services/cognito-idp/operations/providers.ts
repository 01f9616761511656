import type { IdentityProviderType, ProviderUserIdentifierType } from "@aws-sdk/client-cognito-identity-provider";
import type { Reader } from "../../../kernel/store/store.ts";
import { notImplemented } from "../../../aws/error.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { sealText, openText } from "../auth/totp.ts";
import { type Cognito, existingPool } from "../core.ts";
import { duplicateProvider, invalidParameter, limitExceeded, resourceNotFound, userNotFound } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { type IdentityProvider, inPool, type LinkedIdentity, type Pool, type User } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { schemaOf } from "../schema.ts";
import { existingUser, readUser, writeUser } from "../users/users.ts";
import { onPool } from "./access.ts";
import { pageOf } from "./paging.ts";

/** External providers of identities, and which of their users are users here. */
export function providerOperations(cognito: Cognito) {
  const { store, seal } = cognito;
  const authorize = onPool(cognito);

  /** The secret is told to whoever may describe the provider, as on AWS. */
  const describe = (pool: Pool, provider: IdentityProvider): IdentityProviderType => {
    const secret = provider.sealedSecret && openText(seal, provider.sealedSecret);
    return {
      UserPoolId: pool.id,
      ProviderName: provider.name,
      ProviderType: provider.type,
      ProviderDetails: { ...provider.details, ...(secret !== undefined && { client_secret: secret }) },
      AttributeMapping: { ...provider.attributeMapping },
      IdpIdentifiers: [...provider.identifiers],
      LastModifiedDate: new Date(provider.updatedAt),
      CreationDate: new Date(provider.createdAt),
    };
  };

  const detailsOf = (given: Readonly<Record<string, string>>) => {
    const { client_secret: secret, ...details } = given;
    return { details, ...(secret !== undefined && { sealedSecret: sealText(seal, secret) }) };
  };

  return {
    CreateIdentityProvider: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        if (input.AcrMapping !== undefined) throw notImplemented("The parameter AcrMapping of CreateIdentityProvider");
        const type = input.ProviderType ?? "OIDC";
        if (type !== "OIDC" && type !== "Google") {
          throw notImplemented(`The parameter ProviderType=${type} of CreateIdentityProvider`);
        }
        const given = input.ProviderDetails ?? {};
        checkDetails(type, given);
        checkMapping(pool, input.AttributeMapping);
        const provider: IdentityProvider = {
          v: 1,
          name: input.ProviderName ?? "",
          type,
          ...detailsOf(given),
          attributeMapping: input.AttributeMapping ?? { username: "sub" },
          identifiers: input.IdpIdentifiers ?? [],
          createdAt: call.now,
          updatedAt: call.now,
        };
        if (/^(?:COGNITO|Cognito)$/.test(provider.name)) throw invalidParameter("The provider name is reserved.");
        await store.transact(async (tx) => {
          const prefix = inPool("provider", pool.id);
          if (await tx.get([...prefix, provider.name])) throw duplicateProvider(provider.name);
          const others = await tx.range({ prefix }, { limit: limits.providersMax });
          if (others.length >= limits.providersMax) throw limitExceeded("Too many identity providers.");
          for (const identifier of provider.identifiers) {
            const key = inPool("providerIdentifier", pool.id, identifier);
            if (await tx.get(key)) throw duplicateProvider(identifier);
            tx.set(key, provider.name);
          }
          tx.set([...prefix, provider.name], provider);
        });
        return { IdentityProvider: describe(pool, provider) };
      },
    },

    DescribeIdentityProvider: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        return {
          IdentityProvider: describe(pool, await store.read((reader) => find(reader, pool, input.ProviderName))),
        };
      },
    },

    GetIdentityProviderByIdentifier: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const identifier = input.IdpIdentifier ?? "";
        const provider = await store.read(async (reader) => {
          const name = await reader.get<string>(inPool("providerIdentifier", pool.id, identifier));
          if (name === undefined) throw resourceNotFound(`Identity provider ${identifier} does not exist.`);
          return find(reader, pool, name);
        });
        return { IdentityProvider: describe(pool, provider) };
      },
    },

    UpdateIdentityProvider: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        if (input.AcrMapping !== undefined) throw notImplemented("The parameter AcrMapping of UpdateIdentityProvider");
        if (input.AttributeMapping) checkMapping(pool, input.AttributeMapping);
        const provider = await store.transact(async (tx) => {
          const before = await find(tx, pool, input.ProviderName);
          if (input.ProviderDetails) checkDetails(before.type, input.ProviderDetails);
          const provider: IdentityProvider = {
            ...before,
            ...(input.ProviderDetails && detailsOf(input.ProviderDetails)),
            ...(input.AttributeMapping && { attributeMapping: input.AttributeMapping }),
            ...(input.IdpIdentifiers && { identifiers: input.IdpIdentifiers }),
            updatedAt: call.now,
          };
          for (const identifier of before.identifiers) tx.delete(inPool("providerIdentifier", pool.id, identifier));
          for (const identifier of provider.identifiers) {
            const key = inPool("providerIdentifier", pool.id, identifier);
            if (await tx.get(key)) throw duplicateProvider(identifier);
            tx.set(key, provider.name);
          }
          tx.set(inPool("provider", pool.id, provider.name), provider);
          return provider;
        });
        return { IdentityProvider: describe(pool, provider) };
      },
    },

    DeleteIdentityProvider: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        await store.transact(async (tx) => {
          const provider = await find(tx, pool, input.ProviderName);
          for (const identifier of provider.identifiers) tx.delete(inPool("providerIdentifier", pool.id, identifier));
          tx.delete(inPool("provider", pool.id, provider.name));
        });
        return {};
      },
    },

    ListIdentityProviders: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const asked = { limit: input.MaxResults, token: input.NextToken };
        const page = await store.read((reader) => pageOf<IdentityProvider>(reader, inPool("provider", pool.id), asked));
        return {
          Providers: page.values.map(({ name, type, updatedAt, createdAt }) => ({
            ProviderName: name,
            ProviderType: type,
            LastModifiedDate: new Date(updatedAt),
            CreationDate: new Date(createdAt),
          })),
          ...(page.nextToken !== undefined && { NextToken: page.nextToken }),
        };
      },
    },

    AdminLinkProviderForUser: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const source = sourceOf(input.SourceUser);
        const name = input.DestinationUser?.ProviderAttributeValue ?? "";
        await store.transact(async (tx) => {
          const provider = await find(tx, pool, source.providerName);
          const user = await existingUser(tx, pool, name);
          const key = inPool("linked", pool.id, provider.name, source.userId);
          const owner = await tx.get<string>(key);
          if (owner !== undefined && owner !== user.key) {
            throw invalidParameter(
              "SourceUser is already linked to another user, or has signed in as a user of its own.",
            );
          }
          const identities = (user.identities ?? []).filter(
            ({ providerName, userId }) => providerName !== provider.name || userId !== source.userId,
          );
          if (identities.length >= 5) throw limitExceeded("A user has at most 5 linked identities.");
          const added: LinkedIdentity = {
            userId: source.userId,
            providerName: provider.name,
            providerType: provider.type,
            issuer: provider.details["oidc_issuer"] ?? null,
            primary: false,
            dateCreated: call.now,
          };
          tx.set(key, user.key);
          await writeUser(tx, pool, { ...user, identities: [...identities, added], updatedAt: call.now }, user);
        });
        return {};
      },
    },

    AdminDisableProviderForUser: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const source = sourceOf(input.User);
        await store.transact(async (tx) => {
          const key = inPool("linked", pool.id, source.providerName, source.userId);
          const owner = await tx.get<string>(key);
          const user = owner === undefined ? undefined : await readUser(tx, pool, owner);
          if (!user) throw userNotFound();
          tx.delete(key);
          const identities = (user.identities ?? []).filter(
            ({ providerName, userId }) => providerName !== source.providerName || userId !== source.userId,
          );
          const next: User = { ...user, identities, updatedAt: call.now };
          await writeUser(tx, pool, next, user);
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function sourceOf(user: ProviderUserIdentifierType | undefined) {
  const { ProviderName: providerName, ProviderAttributeName: name, ProviderAttributeValue: userId } = user ?? {};
  if (providerName === undefined || userId === undefined) {
    throw invalidParameter("ProviderName and ProviderAttributeValue are required.");
  }
  if (name !== undefined && name !== "Cognito_Subject" && name !== "sub") {
    throw invalidParameter("ProviderAttributeName must be Cognito_Subject.");
  }
  return { providerName, userId };
}

function checkDetails(type: string, details: Readonly<Record<string, string>>): void {
  const required =
    type === "OIDC" ? ["client_id", "oidc_issuer", "attributes_request_method"] : ["client_id", "client_secret"];
  for (const name of [...required, "authorize_scopes"]) {
    if (details[name] === undefined) throw invalidParameter(`Missing required parameter ${name} in ProviderDetails`);
  }
  for (const [name, value] of Object.entries(details)) {
    const isAddress = name === "oidc_issuer" || name.endsWith("_url") || name === "jwks_uri";
    if (isAddress && value !== "" && !/^https?:\/\/[^\s]+$/.test(value)) {
      throw invalidParameter(`Invalid value of ${name} in ProviderDetails`);
    }
  }
}

function checkMapping(pool: Pool, mapping: Readonly<Record<string, string>> | undefined): void {
  const known = new Set(schemaOf(pool).map(({ Name }) => Name));
  for (const name of Object.keys(mapping ?? {})) {
    if (name !== "username" && !known.has(name))
      throw invalidParameter(`Invalid attribute mapping: ${name} is not in the schema`);
  }
}

async function find(reader: Reader, pool: Pool, name: string | undefined): Promise<IdentityProvider> {
  const provider = await reader.get<IdentityProvider>(inPool("provider", pool.id, name ?? ""));
  if (!provider) throw resourceNotFound(`Identity provider ${name} does not exist.`);
  return provider;
}
