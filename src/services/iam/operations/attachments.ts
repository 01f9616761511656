import type { Call } from "../../../wire/service.ts";
import { policyNotAttachable, policyNotAttached, policyNotFound, quotaExceeded } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import { isAttachableAwsPolicy, isAwsPolicy } from "../managed-policies.ts";
import {
  readAll,
  readPolicy,
  useKey,
  usePrefix,
  writeEntity,
  writeUse,
  type EntityKind,
  type PolicyUse,
  type PolicyUser,
} from "../model.ts";
import { present, toPage } from "../rules.ts";
import {
  change,
  existing,
  modifiable,
  onEntity,
  onResource,
  type IamOperations,
  type OperationNeeds,
} from "./needs.ts";

/** Managed policies attached to roles, users and groups. */
export function attachmentOperations(needs: OperationNeeds) {
  const { store } = needs;
  const on = (kind: EntityKind, call: Call, name: string | undefined, policyArn?: string) =>
    onEntity(store, call, kind, present(name), policyArn === undefined ? {} : { "iam:PolicyARN": [policyArn] });
  return {
    AttachRolePolicy: {
      authorize: (input, call) => on("role", call, input.RoleName, input.PolicyArn),
      run: (input, call) => attach(needs, call, "role", input.RoleName, input.PolicyArn),
    },
    AttachUserPolicy: {
      authorize: (input, call) => on("user", call, input.UserName, input.PolicyArn),
      run: (input, call) => attach(needs, call, "user", input.UserName, input.PolicyArn),
    },
    AttachGroupPolicy: {
      authorize: (input, call) => on("group", call, input.GroupName, input.PolicyArn),
      run: (input, call) => attach(needs, call, "group", input.GroupName, input.PolicyArn),
    },
    DetachRolePolicy: {
      authorize: (input, call) => on("role", call, input.RoleName, input.PolicyArn),
      run: (input, call) => detach(needs, call, "role", input.RoleName, input.PolicyArn),
    },
    DetachUserPolicy: {
      authorize: (input, call) => on("user", call, input.UserName, input.PolicyArn),
      run: (input, call) => detach(needs, call, "user", input.UserName, input.PolicyArn),
    },
    DetachGroupPolicy: {
      authorize: (input, call) => on("group", call, input.GroupName, input.PolicyArn),
      run: (input, call) => detach(needs, call, "group", input.GroupName, input.PolicyArn),
    },
    ListAttachedRolePolicies: {
      authorize: (input, call) => on("role", call, input.RoleName),
      run: (input, call) => list(needs, call, "role", input.RoleName, input),
    },
    ListAttachedUserPolicies: {
      authorize: (input, call) => on("user", call, input.UserName),
      run: (input, call) => list(needs, call, "user", input.UserName, input),
    },
    ListAttachedGroupPolicies: {
      authorize: (input, call) => on("group", call, input.GroupName),
      run: (input, call) => list(needs, call, "group", input.GroupName, input),
    },
    ListEntitiesForPolicy: {
      authorize: (input, call) => onResource(call, present(input.PolicyArn)),
      run: (input, call) =>
        store.read(async (reader) => {
          const policyArn = present(input.PolicyArn);
          if (!isAwsPolicy(policyArn) && !(await readPolicy(reader, call.account, policyArn))) {
            throw policyNotFound(policyArn);
          }
          const uses: readonly PolicyUse[] = input.PolicyUsageFilter
            ? [input.PolicyUsageFilter]
            : ["PermissionsPolicy", "PermissionsBoundary"];
          const found = new Map<string, PolicyUser>();
          for (const use of uses) {
            for (const user of await readAll<PolicyUser>(reader, usePrefix(call.account, policyArn, use))) {
              if (input.EntityFilter !== undefined && input.EntityFilter.toLowerCase() !== user.kind) continue;
              if (user.path.startsWith(input.PathPrefix ?? "/")) found.set(`${user.kind}/${user.name}`, user);
            }
          }
          const { items, rest } = toPage([...found.values()], ({ kind, name }) => `${kind}/${name}`, input);
          const of = (kind: EntityKind) => items.filter((user) => user.kind === kind);
          return {
            PolicyGroups: of("group").map(({ name, id }) => ({ GroupName: name, GroupId: id })),
            PolicyUsers: of("user").map(({ name, id }) => ({ UserName: name, UserId: id })),
            PolicyRoles: of("role").map(({ name, id }) => ({ RoleName: name, RoleId: id })),
            ...rest,
          };
        }),
    },
  } satisfies IamOperations;
}

function attach(
  { store }: OperationNeeds,
  call: Call,
  kind: EntityKind,
  name: string | undefined,
  policyArn: string | undefined,
) {
  const arn = present(policyArn);
  return change(store, async (tx) => {
    const entity = await modifiable(tx, call, kind, present(name));
    const exists = isAttachableAwsPolicy(arn) || (await readPolicy(tx, call.account, arn)) !== undefined;
    if (!exists) throw policyNotAttachable(arn);
    // AWS: attaching what is attached succeeds.
    if (entity.attachedPolicies.includes(arn)) return;
    if (entity.attachedPolicies.length >= iamLimits.attachedPoliciesMax) {
      const quota = { role: "PoliciesPerRole", user: "PoliciesPerUser", group: "PoliciesPerGroup" }[kind];
      throw quotaExceeded(quota, iamLimits.attachedPoliciesMax);
    }
    writeUse(tx, call.account, arn, "PermissionsPolicy", entity);
    writeEntity(tx, call.account, { ...entity, attachedPolicies: [...entity.attachedPolicies, arn] });
  });
}

function detach(
  { store }: OperationNeeds,
  call: Call,
  kind: EntityKind,
  name: string | undefined,
  policyArn: string | undefined,
) {
  const arn = present(policyArn);
  return change(store, async (tx) => {
    const entity = await modifiable(tx, call, kind, present(name));
    if (!entity.attachedPolicies.includes(arn)) throw policyNotAttached(arn);
    tx.delete(useKey(call.account, arn, "PermissionsPolicy", entity));
    const attachedPolicies = entity.attachedPolicies.filter((attached) => attached !== arn);
    writeEntity(tx, call.account, { ...entity, attachedPolicies });
  });
}

async function list(
  { store }: OperationNeeds,
  call: Call,
  kind: EntityKind,
  name: string | undefined,
  input: Parameters<typeof toPage>[2] & { readonly PathPrefix?: string | undefined },
) {
  const entity = await store.read((reader) => existing(reader, call, kind, present(name)));
  const prefix = input.PathPrefix ?? "/";
  const below = entity.attachedPolicies.filter((arn) => pathOf(arn).startsWith(prefix));
  const { items, rest } = toPage(below, (arn) => arn, input);
  return {
    AttachedPolicies: items.map((arn) => ({ PolicyName: arn.slice(arn.lastIndexOf("/") + 1), PolicyArn: arn })),
    ...rest,
  };
}

/** `arn:aws:iam::aws:policy/service-role/X` → `/service-role/` */
function pathOf(arn: string): string {
  return arn.slice(arn.indexOf("/"), arn.lastIndexOf("/") + 1);
}
