import type { OperationsOf } from "../../../wire/service.ts";
import { type Cognito, existingPool } from "../core.ts";
import { groupExists, groupNotFound, limitExceeded } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { type Group, inPool, type Pool, type User } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { describeUser } from "../users/describe.ts";
import { existingUser } from "../users/users.ts";
import { onPool } from "./access.ts";
import { pageOf } from "./paging.ts";
import type { Reader } from "../../../kernel/store/store.ts";

export function groupOperations(cognito: Cognito) {
  const { store } = cognito;
  const authorize = onPool(cognito);

  return {
    CreateGroup: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const group: Group = {
          v: 1,
          name: input.GroupName ?? "",
          ...(input.Description !== undefined && { description: input.Description }),
          ...(input.RoleArn !== undefined && { roleArn: input.RoleArn }),
          ...(input.Precedence !== undefined && { precedence: input.Precedence }),
          createdAt: call.now,
          updatedAt: call.now,
        };
        await store.transact(async (tx) => {
          const prefix = inPool("group", pool.id);
          if (await tx.get([...prefix, group.name])) throw groupExists();
          const others = await tx.range({ prefix }, { limit: limits.groupsMax });
          if (others.length >= limits.groupsMax) throw limitExceeded("The user pool has too many groups.");
          tx.set([...prefix, group.name], group);
        });
        return { Group: describe(pool, group) };
      },
    },

    GetGroup: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        return { Group: describe(pool, await store.read((reader) => find(reader, pool, input.GroupName))) };
      },
    },

    UpdateGroup: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const group = await store.transact(async (tx) => {
          const before = await find(tx, pool, input.GroupName);
          const group: Group = {
            ...before,
            ...(input.Description !== undefined && { description: input.Description }),
            ...(input.RoleArn !== undefined && { roleArn: input.RoleArn }),
            ...(input.Precedence !== undefined && { precedence: input.Precedence }),
            updatedAt: call.now,
          };
          tx.set(inPool("group", pool.id, group.name), group);
          return group;
        });
        return { Group: describe(pool, group) };
      },
    },

    DeleteGroup: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        await store.transact(async (tx) => {
          const group = await find(tx, pool, input.GroupName);
          tx.delete(inPool("group", pool.id, group.name));
          const members = await tx.range({ prefix: inPool("member", pool.id, group.name) }, { limit: 10_000 });
          for (const { key } of members) {
            tx.delete(key);
            tx.delete(inPool("groupOf", pool.id, String(key.at(-1)), group.name));
          }
        });
        return {};
      },
    },

    ListGroups: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const page = await store.read((reader) =>
          pageOf<Group>(reader, inPool("group", pool.id), { limit: input.Limit, token: input.NextToken }),
        );
        return {
          Groups: page.values.map((group) => describe(pool, group)),
          ...(page.nextToken !== undefined && { NextToken: page.nextToken }),
        };
      },
    },

    AdminAddUserToGroup: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        await store.transact(async (tx) => {
          const user = await existingUser(tx, pool, input.Username ?? "");
          const group = await find(tx, pool, input.GroupName);
          const prefix = inPool("groupOf", pool.id, user.key);
          const had = await tx.range({ prefix }, { limit: limits.groupsOfUserMax });
          if (had.length >= limits.groupsOfUserMax) throw limitExceeded("The user is in too many groups.");
          tx.set([...prefix, group.name], 1);
          tx.set(inPool("member", pool.id, group.name, user.key), 1);
        });
        return {};
      },
    },

    AdminRemoveUserFromGroup: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        await store.transact(async (tx) => {
          const user = await existingUser(tx, pool, input.Username ?? "");
          const group = await find(tx, pool, input.GroupName);
          tx.delete(inPool("groupOf", pool.id, user.key, group.name));
          tx.delete(inPool("member", pool.id, group.name, user.key));
        });
        return {};
      },
    },

    AdminListGroupsForUser: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        return store.read(async (reader) => {
          const user = await existingUser(reader, pool, input.Username ?? "");
          const prefix = inPool("groupOf", pool.id, user.key);
          const page = await pageOf(reader, prefix, { limit: input.Limit, token: input.NextToken });
          const groups = await reader.getMany<Group>(
            page.keys.map((key) => inPool("group", pool.id, String(key.at(-1)))),
          );
          return {
            Groups: groups.filter((group) => group !== undefined).map((group) => describe(pool, group)),
            ...(page.nextToken !== undefined && { NextToken: page.nextToken }),
          };
        });
      },
    },

    ListUsersInGroup: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        return store.read(async (reader) => {
          const group = await find(reader, pool, input.GroupName);
          const prefix = inPool("member", pool.id, group.name);
          const page = await pageOf(reader, prefix, { limit: input.Limit, token: input.NextToken });
          const users = await reader.getMany<User>(page.keys.map((key) => inPool("user", pool.id, String(key.at(-1)))));
          return {
            Users: users.filter((user) => user !== undefined).map((user) => describeUser(user)),
            ...(page.nextToken !== undefined && { NextToken: page.nextToken }),
          };
        });
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function describe(pool: Pool, group: Group) {
  return {
    GroupName: group.name,
    UserPoolId: pool.id,
    ...(group.description !== undefined && { Description: group.description }),
    ...(group.roleArn !== undefined && { RoleArn: group.roleArn }),
    ...(group.precedence !== undefined && { Precedence: group.precedence }),
    LastModifiedDate: new Date(group.updatedAt),
    CreationDate: new Date(group.createdAt),
  };
}

async function find(reader: Reader, pool: Pool, name: string | undefined): Promise<Group> {
  const group = await reader.get<Group>(inPool("group", pool.id, name ?? ""));
  if (!group) throw groupNotFound();
  return group;
}
