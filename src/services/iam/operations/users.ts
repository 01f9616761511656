import { createUniqueId } from "../../../access/access-keys.ts";
import { missingAuthentication } from "../../../access/errors.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { deleteConflict, entityAlreadyExists, validationError } from "../errors.ts";
import { forgetUses } from "../last-uses.ts";
import { iamLimits } from "../limits.ts";
import {
  accessKeyKey,
  deleteEntity,
  entityPrefix,
  memberPrefix,
  nameKey,
  readAll,
  readEntity,
  useKey,
  policyPrincipalKey,
  type PolicyPrincipal,
  writeEntity,
  writeUse,
  type AccessKeyRecord,
  type User,
} from "../model.ts";
import { entityArn, parseTags, present, requestTagContext, toPage, toTagList } from "../rules.ts";
import { readMfaDevicesOf, writeMfaDevice } from "../mfa/devices.ts";
import { readLoginProfile } from "../passwords.ts";
import { boundaryContext, forgetBoundary, setBoundary } from "./boundaries.ts";
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

export function userOperations({ store, ids }: OperationNeeds) {
  return {
    CreateUser: {
      authorize: (input, call) => {
        const resource = entityArn(call.account, "user", input.Path ?? "/", present(input.UserName));
        const tags = requestTagContext(parseTags(input.Tags));
        return [
          ...onResource(call, resource, { ...boundaryContext(input.PermissionsBoundary), ...tags }),
          ...(input.Tags?.length ? [{ action: "iam:TagUser", resource, context: tags }] : []),
        ];
      },
      async run(input, call) {
        const name = present(input.UserName);
        const path = input.Path ?? "/";
        await checkQuota(store, entityPrefix(call.account, "user"), "UsersPerAccount", iamLimits.usersPerAccount);
        const user = await store.transact(async (tx) => {
          if (await readEntity(tx, call.account, "user", name)) throw entityAlreadyExists("user", name);
          const created: User = {
            v: 1,
            kind: "user",
            name,
            id: createUniqueId(ids, "AIDA"),
            path,
            arn: entityArn(call.account, "user", path, name),
            createdAt: call.now,
            permissionsBoundary: input.PermissionsBoundary,
            tags: parseTags(input.Tags),
            inlinePolicies: {},
            attachedPolicies: [],
            accessKeyIds: [],
            groups: [],
          };
          if (input.PermissionsBoundary === undefined) writeEntity(tx, call.account, created);
          else await setBoundary(tx, call, { ...created, permissionsBoundary: undefined }, input.PermissionsBoundary);
          return created;
        });
        return { User: toUser(user, "whole") };
      },
    },
    GetUser: {
      authorize: (input, call) => {
        if (input.UserName === undefined && call.principal.type === "root") {
          return onResource(call, call.principal.arn);
        }
        return onEntity(store, call, "user", userNameOf(input.UserName, call));
      },
      async run(input, call) {
        const { principal } = call;
        if (input.UserName === undefined && principal.type === "root") {
          return { User: { ...rootUser(principal.account), CreateDate: new Date(0) } };
        }
        const name = userNameOf(input.UserName, call);
        return { User: toUser(await store.read((reader) => existing(reader, call, "user", name)), "whole") };
      },
    },
    ListUsers: {
      authorize: (input, call) => onPath(call, "user", input.PathPrefix),
      async run(input, call) {
        const all = await store.read((reader) => readAll<User>(reader, entityPrefix(call.account, "user")));
        const prefix = input.PathPrefix ?? "/";
        const { items, rest } = toPage(
          all.filter(({ path }) => path.startsWith(prefix)),
          ({ name }) => name,
          input,
        );
        return { Users: items.map((user) => toUser(user, "listed")), ...rest };
      },
    },
    UpdateUser: {
      authorize: async (input, call) => [
        ...(await onEntity(store, call, "user", present(input.UserName))),
        ...onResource(
          call,
          entityArn(call.account, "user", input.NewPath ?? "/", input.NewUserName ?? present(input.UserName)),
        ),
      ],
      run: (input, call) =>
        change(store, async (tx) => {
          const user = await existing(tx, call, "user", present(input.UserName));
          const name = input.NewUserName ?? user.name;
          const path = input.NewPath ?? user.path;
          if (nameKey(name) !== nameKey(user.name) && (await readEntity(tx, call.account, "user", name))) {
            throw entityAlreadyExists("user", name);
          }
          const renamed = { ...user, name, path, arn: entityArn(call.account, "user", path, name) };
          forgetBoundary(tx, call, user);
          deleteEntity(tx, call.account, user);
          writeEntity(tx, call.account, renamed);
          // Policies of resources know it by its id, which stays.
          const principal: PolicyPrincipal = { account: call.account, kind: "user", name };
          tx.set(policyPrincipalKey(user.id), principal);
          await moveUser(tx, call.account, user, renamed);
        }),
    },
    DeleteUser: {
      authorize: (input, call) => onEntity(store, call, "user", present(input.UserName)),
      run: (input, call) =>
        change(store, async (tx) => {
          const user = await existing(tx, call, "user", present(input.UserName));
          if (user.groups.length > 0) throw deleteConflict("must remove users from group first");
          if (user.accessKeyIds.length > 0) throw deleteConflict("must delete access keys first");
          if (user.attachedPolicies.length > 0) throw deleteConflict("must detach all policies first");
          if (Object.keys(user.inlinePolicies).length > 0) throw deleteConflict("must delete policies first");
          if (await readLoginProfile(tx, call.account, user.id))
            throw deleteConflict("must delete login profile first");
          if ((await readMfaDevicesOf(tx, call.account, user.id)).length > 0) {
            throw deleteConflict("must deactivate MFA devices first");
          }
          forgetBoundary(tx, call, user);
          await forgetUses(tx, call.account, user.id);
          deleteEntity(tx, call.account, user);
        }),
    },
  } satisfies IamOperations;
}

/** Carry over what is kept under the user's name. */
async function moveUser(tx: Transaction, account: string, from: User, to: User): Promise<void> {
  for (const policyArn of from.attachedPolicies) {
    tx.delete(useKey(account, policyArn, "PermissionsPolicy", from));
    writeUse(tx, account, policyArn, "PermissionsPolicy", to);
  }
  if (to.permissionsBoundary) writeUse(tx, account, to.permissionsBoundary, "PermissionsBoundary", to);
  for (const group of from.groups) {
    tx.delete([...memberPrefix(account, group), nameKey(from.name)]);
    tx.set([...memberPrefix(account, group), nameKey(to.name)], to.name);
  }
  for (const device of await readMfaDevicesOf(tx, account, from.id)) {
    writeMfaDevice(tx, account, { ...device, user: { id: to.id, name: to.name } }, device);
  }
  for (const accessKeyId of from.accessKeyIds) {
    const record = await tx.get<AccessKeyRecord>(accessKeyKey(accessKeyId));
    if (record) tx.set(accessKeyKey(accessKeyId), { ...record, userName: to.name });
  }
}

/** The user an operation means when it names none: the caller. */
export function userNameOf(given: string | undefined, call: Call): string {
  if (given !== undefined) return given;
  const { principal } = call;
  if (principal.type === "user") return principal.userName;
  if (principal.type === "anonymous") throw missingAuthentication("query");
  throw validationError("Must specify userName when calling with non-User credentials");
}

export function toUser(user: User, form: "whole" | "listed") {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.id,
    Arn: user.arn,
    CreateDate: new Date(user.createdAt),
    ...(form === "whole" &&
      user.permissionsBoundary !== undefined && {
        PermissionsBoundary: {
          PermissionsBoundaryType: "PermissionsBoundaryPolicy" as const,
          PermissionsBoundaryArn: user.permissionsBoundary,
        },
      }),
    ...(form === "whole" && Object.keys(user.tags).length > 0 && { Tags: toTagList(user.tags) }),
  };
}

/** The root is no user, but GetUser describes it as one. */
function rootUser(account: string) {
  return { Path: "/", UserName: "root", UserId: account, Arn: `arn:aws:iam::${account}:root` };
}
