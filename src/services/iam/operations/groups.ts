import { createUniqueId } from "../../../access/access-keys.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import { deleteConflict, entityAlreadyExists, quotaExceeded } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import {
  deleteEntity,
  entityPrefix,
  memberPrefix,
  nameKey,
  readAll,
  readEntity,
  useKey,
  writeEntity,
  writeUse,
  type Group,
} from "../model.ts";
import { entityArn, present, toPage } from "../rules.ts";
import {
  change,
  checkQuota,
  existing,
  onEntity,
  onPath,
  onResource,
  type IamOperations,
  type OperationNeeds,
} from "./needs.ts";
import { toUser } from "./users.ts";

export function groupOperations({ store, ids }: OperationNeeds) {
  return {
    CreateGroup: {
      authorize: (input, call) =>
        onResource(call, entityArn(call.account, "group", input.Path ?? "/", present(input.GroupName))),
      async run(input, call) {
        const name = present(input.GroupName);
        const path = input.Path ?? "/";
        await checkQuota(store, entityPrefix(call.account, "group"), "GroupsPerAccount", iamLimits.groupsPerAccount);
        const group = await store.transact(async (tx) => {
          if (await readEntity(tx, call.account, "group", name)) throw entityAlreadyExists("group", name);
          const created: Group = {
            v: 1,
            kind: "group",
            name,
            id: createUniqueId(ids, "AGPA"),
            path,
            arn: entityArn(call.account, "group", path, name),
            createdAt: call.now,
            inlinePolicies: {},
            attachedPolicies: [],
          };
          writeEntity(tx, call.account, created);
          return created;
        });
        return { Group: toGroup(group) };
      },
    },
    GetGroup: {
      authorize: (input, call) => onEntity(store, call, "group", present(input.GroupName)),
      run: (input, call) =>
        store.read(async (reader) => {
          const group = await existing(reader, call, "group", present(input.GroupName));
          const members = await readAll<string>(reader, memberPrefix(call.account, group.name));
          const { items, rest } = toPage(members, (name) => name, input);
          const users = await Promise.all(items.map((name) => existing(reader, call, "user", name)));
          return { Group: toGroup(group), Users: users.map((user) => toUser(user, "listed")), ...rest };
        }),
    },
    ListGroups: {
      authorize: (input, call) => onPath(call, "group", input.PathPrefix),
      async run(input, call) {
        const all = await store.read((reader) => readAll<Group>(reader, entityPrefix(call.account, "group")));
        const prefix = input.PathPrefix ?? "/";
        const { items, rest } = toPage(
          all.filter(({ path }) => path.startsWith(prefix)),
          ({ name }) => name,
          input,
        );
        return { Groups: items.map(toGroup), ...rest };
      },
    },
    ListGroupsForUser: {
      authorize: (input, call) => onEntity(store, call, "user", present(input.UserName)),
      run: (input, call) =>
        store.read(async (reader) => {
          const user = await existing(reader, call, "user", present(input.UserName));
          const { items, rest } = toPage(user.groups, (name) => name, input);
          const groups = await Promise.all(items.map((name) => existing(reader, call, "group", name)));
          return { Groups: groups.map(toGroup), ...rest };
        }),
    },
    AddUserToGroup: {
      authorize: (input, call) => onEntity(store, call, "group", present(input.GroupName)),
      run: (input, call) =>
        change(store, async (tx) => {
          const group = await existing(tx, call, "group", present(input.GroupName));
          const user = await existing(tx, call, "user", present(input.UserName));
          if (user.groups.includes(group.name)) return;
          if (user.groups.length >= iamLimits.groupsPerUserMax) {
            throw quotaExceeded("GroupsPerUser", iamLimits.groupsPerUserMax);
          }
          writeEntity(tx, call.account, { ...user, groups: [...user.groups, group.name] });
          tx.set([...memberPrefix(call.account, group.name), nameKey(user.name)], user.name);
        }),
    },
    RemoveUserFromGroup: {
      authorize: (input, call) => onEntity(store, call, "group", present(input.GroupName)),
      run: (input, call) =>
        change(store, async (tx) => {
          const group = await existing(tx, call, "group", present(input.GroupName));
          const user = await existing(tx, call, "user", present(input.UserName));
          writeEntity(tx, call.account, { ...user, groups: user.groups.filter((name) => name !== group.name) });
          tx.delete([...memberPrefix(call.account, group.name), nameKey(user.name)]);
        }),
    },
    UpdateGroup: {
      authorize: async (input, call) => [
        ...(await onEntity(store, call, "group", present(input.GroupName))),
        ...onResource(
          call,
          entityArn(call.account, "group", input.NewPath ?? "/", input.NewGroupName ?? present(input.GroupName)),
        ),
      ],
      run: (input, call) =>
        change(store, async (tx) => {
          const group = await existing(tx, call, "group", present(input.GroupName));
          const name = input.NewGroupName ?? group.name;
          const path = input.NewPath ?? group.path;
          if (nameKey(name) !== nameKey(group.name) && (await readEntity(tx, call.account, "group", name))) {
            throw entityAlreadyExists("group", name);
          }
          const renamed = { ...group, name, path, arn: entityArn(call.account, "group", path, name) };
          deleteEntity(tx, call.account, group);
          writeEntity(tx, call.account, renamed);
          await moveGroup(tx, call.account, group, renamed);
        }),
    },
    DeleteGroup: {
      authorize: (input, call) => onEntity(store, call, "group", present(input.GroupName)),
      run: (input, call) =>
        change(store, async (tx) => {
          const group = await existing(tx, call, "group", present(input.GroupName));
          const members = await tx.range({ prefix: memberPrefix(call.account, group.name) }, { limit: 1 });
          if (members.length > 0) throw deleteConflict("must remove users from group first");
          if (group.attachedPolicies.length > 0) throw deleteConflict("must detach all policies first");
          if (Object.keys(group.inlinePolicies).length > 0) throw deleteConflict("must delete policies first");
          deleteEntity(tx, call.account, group);
        }),
    },
  } satisfies IamOperations;
}

/** Carry over what is kept under the group's name. */
async function moveGroup(tx: Transaction, account: string, from: Group, to: Group): Promise<void> {
  for (const policyArn of from.attachedPolicies) {
    tx.delete(useKey(account, policyArn, "PermissionsPolicy", from));
    writeUse(tx, account, policyArn, "PermissionsPolicy", to);
  }
  for (const userName of await readAll<string>(tx, memberPrefix(account, from.name))) {
    const user = await readEntity(tx, account, "user", userName);
    tx.delete([...memberPrefix(account, from.name), nameKey(userName)]);
    tx.set([...memberPrefix(account, to.name), nameKey(userName)], userName);
    if (!user) continue;
    writeEntity(tx, account, { ...user, groups: user.groups.map((name) => (name === from.name ? to.name : name)) });
  }
}

function toGroup(group: Group) {
  return {
    Path: group.path,
    GroupName: group.name,
    GroupId: group.id,
    Arn: group.arn,
    CreateDate: new Date(group.createdAt),
  };
}
