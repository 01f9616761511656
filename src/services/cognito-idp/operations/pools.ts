import type { OperationsOf } from "../../../wire/service.ts";
import { type Cognito, existingPool, existingPoolIn } from "../core.ts";
import { invalidParameter, limitExceeded } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { clientKey, inPool, type Pool, poolKey, poolsPrefix, writePool } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { describePool, toPoolMfa, toSettings } from "../pool-settings.ts";
import { checkSchema, toSchema } from "../schema.ts";
import { checkTags } from "../tags.ts";
import { signingCertificateOf } from "../tokens/signing-certificate.ts";
import { countUsers } from "../users/users.ts";
import { forgetPool, scheduleRotation } from "../worker.ts";
import { onAll, onPool } from "./access.ts";
import { pageOf } from "./paging.ts";

const idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export function poolOperations(cognito: Cognito) {
  const { store, ids, jobs } = cognito;
  const authorize = onPool(cognito);
  return {
    CreateUserPool: {
      authorize: (input, call) => [
        {
          action: "cognito-idp:CreateUserPool",
          resource: "*",
          context: Object.fromEntries(
            Object.entries(input.UserPoolTags ?? {}).map(([key, value]) => [`aws:RequestTag/${key}`, [value]]),
          ),
        },
        ...(Object.keys(input.UserPoolTags ?? {}).length > 0
          ? [
              {
                action: "cognito-idp:TagResource",
                resource: `arn:aws:cognito-idp:${call.region}:${call.account}:userpool/*`,
              },
            ]
          : []),
      ],
      async run(input, call) {
        const { PoolName: name = "", Schema: schema, UserPoolTags: tags = {}, ...given } = input;
        if (given.AliasAttributes && given.UsernameAttributes) {
          throw invalidParameter("Only one of the aliasAttributes or usernameAttributes can be set in a user pool.");
        }
        checkTags(tags);
        const custom = toSchema(schema ?? []);
        checkSchema(custom);
        const pool: Pool = {
          v: 1,
          id: `${call.region}_${ids.random(9, idCharacters)}`,
          account: call.account,
          region: call.region,
          name,
          createdAt: call.now,
          updatedAt: call.now,
          settings: toSettings("CreateUserPool", given),
          schema: custom,
          mfa: toPoolMfa(given, undefined),
          tags,
        };
        await store.transact(async (tx) => {
          const others = await tx.range({ prefix: poolsPrefix(pool) }, { limit: limits.poolsMax });
          if (others.length >= limits.poolsMax) throw limitExceeded("Account limit of user pools exceeded.");
          writePool(tx, pool);
          tx.set([...poolsPrefix(pool), pool.id], 1);
          scheduleRotation(tx, jobs, pool.id, call.now);
        });
        return { UserPool: describePool(pool, 0) };
      },
    },

    DescribeUserPool: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        return { UserPool: describePool(pool, await store.read((reader) => countUsers(reader, pool))) };
      },
    },

    UpdateUserPool: {
      authorize,
      async run(input, call) {
        const { UserPoolId: id, PoolName: name, UserPoolTags: tags, ...given } = input;
        if (tags) checkTags(tags);
        await existingPool(cognito, id, call);
        await store.transact(async (tx) => {
          const before = await existingPoolIn(tx, id);
          // AWS: what is not given goes back to its default, but for what cannot be changed.
          const { AliasAttributes, UsernameAttributes, UsernameConfiguration } = before.settings;
          const settings = toSettings("UpdateUserPool", given);
          writePool(tx, {
            ...before,
            ...(name !== undefined && { name }),
            ...(tags && { tags }),
            updatedAt: call.now,
            settings: {
              ...settings,
              ...(AliasAttributes && { AliasAttributes }),
              ...(UsernameAttributes && { UsernameAttributes }),
              UsernameConfiguration,
            },
            mfa: toPoolMfa(given, before.mfa),
          });
        });
        return {};
      },
    },

    DeleteUserPool: {
      authorize,
      async run(input, call) {
        const found = await existingPool(cognito, input.UserPoolId, call);
        await store.transact(async (tx) => {
          const pool = await existingPoolIn(tx, found.id);
          if (pool.settings.DeletionProtection === "ACTIVE") {
            throw invalidParameter(
              "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.",
            );
          }
          if (pool.domain !== undefined || pool.customDomain !== undefined) {
            throw invalidParameter(
              "User pool cannot be deleted. It has a domain configured that should be deleted first.",
            );
          }
          tx.delete(poolKey(pool.id));
          tx.delete([...poolsPrefix(pool), pool.id]);
          // Clients are found by their own ids: they go at once, so that nobody signs in to what is no more.
          const clients = await tx.range({ prefix: inPool("clientOf", pool.id) }, { limit: limits.clientsMax });
          for (const { key } of clients) tx.delete(clientKey(String(key.at(-1))));
          forgetPool(tx, jobs, pool, call.now);
        });
        return {};
      },
    },

    ListUserPools: {
      authorize: onAll,
      async run(input, call) {
        const { MaxResults: limit, NextToken: token } = input;
        const prefix = poolsPrefix(call);
        const { pools, nextToken } = await store.read(async (reader) => {
          const page = await pageOf(reader, prefix, { limit, token });
          const pools = await reader.getMany<Pool>(page.keys.map((key) => poolKey(String(key.at(-1)))));
          return { pools: pools.filter((pool) => pool !== undefined), nextToken: page.nextToken };
        });
        return {
          UserPools: pools.map((pool) => ({
            Id: pool.id,
            Name: pool.name,
            LambdaConfig: pool.settings.LambdaConfig,
            LastModifiedDate: new Date(pool.updatedAt),
            CreationDate: new Date(pool.createdAt),
          })),
          ...(nextToken !== undefined && { NextToken: nextToken }),
        };
      },
    },

    GetSigningCertificate: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        return { Certificate: await signingCertificateOf(cognito, pool, call.now) };
      },
    },

    AddCustomAttributes: {
      authorize,
      async run(input, call) {
        const added = toSchema(input.CustomAttributes ?? [], true);
        await existingPool(cognito, input.UserPoolId, call);
        await store.transact(async (tx) => {
          const pool = await existingPoolIn(tx, input.UserPoolId);
          const schema = [...pool.schema, ...added];
          checkSchema(schema);
          writePool(tx, { ...pool, schema, updatedAt: call.now });
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}
