import type { Reader } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { profilesOf } from "../instance-profiles.ts";
import { latestUse } from "../last-uses.ts";
import { findAwsPolicy, isAwsPolicy } from "../managed-policies.ts";
import { entityPrefix, policyPrefix, readAll, type Entity, type ManagedPolicy } from "../model.ts";
import { encodeDocument, toPage, toTagList } from "../rules.ts";
import { toProfile } from "./instance-profiles.ts";
import { onResource, type IamOperations, type OperationNeeds } from "./needs.ts";
import { toCountedPolicy, toVersion } from "./policies.ts";
import { toRoleLastUsed } from "./roles.ts";

type Item = { readonly at: string } & (
  { readonly entity: Entity } | { readonly policy: ManagedPolicy; readonly isOfAws: boolean }
);

const kinds = { User: "user", Role: "role", Group: "group" } as const;

/** Everything about who may do what, in one list. */
export function authorizationDetailOperations({ store }: OperationNeeds) {
  return {
    GetAccountAuthorizationDetails: {
      authorize: (_input, call) => onResource(call, "*"),
      run: (input, call) =>
        store.read(async (reader) => {
          const filter = input.Filter?.length ? new Set<string>(input.Filter) : undefined;
          const all = (await readItems(reader, call)).filter((item) => filter?.has(kindOf(item)) ?? true);
          const { items, rest } = toPage(all, ({ at }) => at, input);
          const entities = items.flatMap((item) => ("entity" in item ? [item.entity] : []));
          const policies = items.flatMap((item) => ("policy" in item ? [item.policy] : []));
          const details = await Promise.all(entities.map((entity) => toDetail(reader, call, entity)));
          return {
            UserDetailList: details.flatMap((detail) => ("UserName" in detail ? [detail] : [])),
            GroupDetailList: details.flatMap((detail) => ("GroupName" in detail ? [detail] : [])),
            RoleDetailList: details.flatMap((detail) => ("RoleName" in detail ? [detail] : [])),
            Policies: await Promise.all(policies.map((policy) => toPolicyDetail(reader, call, policy))),
            ...rest,
          };
        }),
    },
  } satisfies IamOperations;
}

function kindOf(item: Item): string {
  if ("policy" in item) return item.isOfAws ? "AWSManagedPolicy" : "LocalManagedPolicy";
  return { user: "User", role: "Role", group: "Group" }[item.entity.kind];
}

/** AWS: of its own policies those that are attached. */
async function readItems(reader: Reader, { account }: Call): Promise<Item[]> {
  const items: Item[] = [];
  const attached = new Set<string>();
  for (const [index, kind] of Object.values(kinds).entries()) {
    for (const entity of await readAll<Entity>(reader, entityPrefix(account, kind))) {
      items.push({ at: `${index}/${entity.name}`, entity });
      for (const arn of entity.attachedPolicies) if (isAwsPolicy(arn)) attached.add(arn);
    }
  }
  for (const policy of await readAll<ManagedPolicy>(reader, policyPrefix(account))) {
    items.push({ at: `3/${policy.name}`, policy, isOfAws: false });
  }
  for (const arn of attached) {
    const policy = await findAwsPolicy(arn);
    if (policy) items.push({ at: `4/${arn}`, policy, isOfAws: true });
  }
  return items;
}

async function toDetail(reader: Reader, call: Call, entity: Entity) {
  const inline = Object.entries(entity.inlinePolicies).map(([PolicyName, document]) => ({
    PolicyName,
    PolicyDocument: encodeDocument(document),
  }));
  const about = {
    Path: entity.path,
    Arn: entity.arn,
    CreateDate: new Date(entity.createdAt),
    AttachedManagedPolicies: entity.attachedPolicies.map((arn) => ({
      PolicyName: arn.slice(arn.lastIndexOf("/") + 1),
      PolicyArn: arn,
    })),
  };
  if (entity.kind === "group") {
    return { ...about, GroupName: entity.name, GroupId: entity.id, GroupPolicyList: inline };
  }
  const bounded = {
    ...about,
    ...(entity.permissionsBoundary !== undefined && {
      PermissionsBoundary: {
        PermissionsBoundaryType: "PermissionsBoundaryPolicy" as const,
        PermissionsBoundaryArn: entity.permissionsBoundary,
      },
    }),
    Tags: toTagList(entity.tags),
  };
  if (entity.kind === "user") {
    return {
      ...bounded,
      UserName: entity.name,
      UserId: entity.id,
      GroupList: [...entity.groups],
      UserPolicyList: inline,
    };
  }
  const profiles = await profilesOf(reader, call.account, entity.name);
  return {
    ...bounded,
    RoleName: entity.name,
    RoleId: entity.id,
    AssumeRolePolicyDocument: encodeDocument(entity.trustPolicy),
    InstanceProfileList: await Promise.all(profiles.map((profile) => toProfile(reader, call, profile))),
    RolePolicyList: inline,
    RoleLastUsed: toRoleLastUsed(await latestUse(reader, call.account, entity.id)),
  };
}

async function toPolicyDetail(reader: Reader, call: Call, policy: ManagedPolicy) {
  return {
    ...(await toCountedPolicy(reader, call, policy)),
    PolicyVersionList: policy.versions.map((version) => toVersion(policy, version)),
  };
}
