import type { OperationsOf } from "../../../wire/service.ts";
import { identityNotFound, invalidParameter } from "../errors.ts";
import { deleteIdentity, identitiesPrefix, readIdentity, readPool, type Identity } from "../model.ts";
import type { CognitoIdentityNeeds, Sdk } from "../needs.ts";
import { existingPool, onAll, onPool, parsePageToken, present, toPageToken } from "../pools.ts";
import { providersOf } from "../sign-in.ts";

export function identityOperations({ store }: CognitoIdentityNeeds) {
  return {
    ListIdentities: {
      authorize: (input, call) => onPool(store, call, present(input.IdentityPoolId)),
      async run(input, call) {
        const limit = present(input.MaxResults);
        const after = input.NextToken === undefined ? undefined : parsePageToken(input.NextToken);
        if (input.NextToken !== undefined && after === undefined) throw invalidParameter("Invalid pagination token.");
        // HideDisabled: none is disabled here; what was unlinked or merged away is gone.
        return store.read(async (reader) => {
          const pool = await existingPool(reader, call, present(input.IdentityPoolId));
          const prefix = identitiesPrefix(pool.id);
          const entries = await reader.range<Identity>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: limit + 1 },
          );
          const page = entries.slice(0, limit).map(({ value }) => value);
          const last = page.at(-1);
          return {
            IdentityPoolId: pool.id,
            Identities: page.map(describe),
            ...(entries.length > limit && last && { NextToken: toPageToken(last.id) }),
          };
        });
      },
    },

    DescribeIdentity: {
      authorize: (_input, call) => onAll(call),
      async run(input, call) {
        const identityId = present(input.IdentityId);
        return store.read(async (reader) => {
          const identity = await readIdentity(reader, identityId);
          const pool = identity && (await readPool(reader, identity.poolId));
          if (identity === undefined || pool?.account !== call.account || pool.region !== call.region) {
            throw identityNotFound(identityId);
          }
          return describe(identity);
        });
      },
    },

    DeleteIdentities: {
      authorize: (_input, call) => onAll(call),
      run: (input, call) =>
        store.transact(async (tx) => {
          const unprocessed: string[] = [];
          for (const identityId of new Set(input.IdentityIdsToDelete)) {
            const identity = await readIdentity(tx, identityId);
            const pool = identity && (await readPool(tx, identity.poolId));
            if (identity && pool?.account === call.account && pool.region === call.region) deleteIdentity(tx, identity);
            else unprocessed.push(identityId);
          }
          return {
            UnprocessedIdentityIds: unprocessed.map((IdentityId) => ({
              IdentityId,
              ErrorCode: "AccessDenied" as const,
            })),
          };
        }),
    },
  } satisfies OperationsOf<Sdk>;
}

function describe(identity: Identity) {
  const logins = providersOf(identity);
  return {
    IdentityId: identity.id,
    ...(logins.length > 0 && { Logins: logins }),
    CreationDate: new Date(identity.createdAt),
    LastModifiedDate: new Date(identity.modifiedAt),
  };
}
