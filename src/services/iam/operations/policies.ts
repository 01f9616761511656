import { createUniqueId } from "../../../access/access-keys.ts";
import type { AuthorizationRequest } from "../../../access/authorization.ts";
import type { Reader, Store } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import {
  limitExceeded,
  notYourPolicy,
  policyAlreadyExists,
  policyInUse,
  policyNotFound,
  policyVersionNotFound,
} from "../errors.ts";
import { iamLimits } from "../limits.ts";
import { awsPolicies, findAwsPolicy, isAwsPolicy } from "../managed-policies.ts";
import {
  policyKey,
  policyPrefix,
  readAll,
  readPolicy,
  usePrefix,
  writePolicy,
  type ManagedPolicy,
  type PolicyVersion,
} from "../model.ts";
import { checkManagedPolicy } from "../policy-documents.ts";
import {
  encodeDocument,
  parseTags,
  policyArn,
  present,
  requestTagContext,
  resourceTagContext,
  toPage,
  toTagList,
} from "../rules.ts";
import { change, checkQuota, onPath, onResource, type IamOperations, type OperationNeeds } from "./needs.ts";

/** Customers' managed policies and their versions; AWS's own to read. */
export function policyOperations({ store, ids }: OperationNeeds) {
  return {
    CreatePolicy: {
      authorize: (input, call) => {
        const resource = policyArn(call.account, input.Path ?? "/", present(input.PolicyName));
        const context = requestTagContext(parseTags(input.Tags));
        return [
          ...onResource(call, resource, context),
          ...(input.Tags?.length ? [{ action: "iam:TagPolicy", resource, context }] : []),
        ];
      },
      async run(input, call) {
        const name = present(input.PolicyName);
        const document = present(input.PolicyDocument);
        const path = input.Path ?? "/";
        checkManagedPolicy(document);
        await checkQuota(store, policyPrefix(call.account), "PoliciesPerAccount", iamLimits.policiesPerAccount);
        const policy = await store.transact(async (tx) => {
          if (await tx.get(policyKey(call.account, name))) throw policyAlreadyExists(name);
          const created: ManagedPolicy = {
            v: 1,
            name,
            id: createUniqueId(ids, "ANPA"),
            path,
            arn: policyArn(call.account, path, name),
            description: input.Description,
            createdAt: call.now,
            updatedAt: call.now,
            defaultVersionId: "v1",
            nextVersion: 2,
            versions: [{ id: "v1", document, createdAt: call.now }],
            tags: parseTags(input.Tags),
          };
          writePolicy(tx, call.account, created);
          return created;
        });
        const { Description: _notAnswered, ...answered } = toPolicy(policy, 0, 0);
        return { Policy: { ...answered, ...tagsOf(policy) } };
      },
    },
    GetPolicy: {
      authorize: (input, call) => onPolicy(store, call, present(input.PolicyArn)),
      run: (input, call) =>
        store.read(async (reader) => {
          const policy = await existingPolicy(reader, call, present(input.PolicyArn));
          return { Policy: { ...(await toCountedPolicy(reader, call, policy)), ...tagsOf(policy) } };
        }),
    },
    ListPolicies: {
      authorize: (input, call) => onPath(call, "policy", input.PathPrefix),
      run: (input, call) =>
        store.read(async (reader) => {
          const own = input.Scope === "AWS" ? [] : await readAll<ManagedPolicy>(reader, policyPrefix(call.account));
          const ofAws = input.Scope === "Local" ? [] : await awsPolicies();
          const below = [...own, ...ofAws].filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
          const counted = await Promise.all(below.map((policy) => toCountedPolicy(reader, call, policy)));
          const wanted = counted.filter((policy) => {
            const asPolicy = policy.AttachmentCount > 0 && input.PolicyUsageFilter !== "PermissionsBoundary";
            const asBoundary =
              policy.PermissionsBoundaryUsageCount > 0 && input.PolicyUsageFilter !== "PermissionsPolicy";
            return !(input.OnlyAttached || input.PolicyUsageFilter) || asPolicy || asBoundary;
          });
          const { items, rest } = toPage(wanted, ({ Arn }) => Arn, input);
          // AWS: lists leave out the description and the tags.
          return { Policies: items.map(({ Description: _left, ...policy }) => policy), ...rest };
        }),
    },
    DeletePolicy: {
      authorize: (input, call) => onPolicy(store, call, present(input.PolicyArn)),
      run: (input, call) =>
        change(store, async (tx) => {
          const policy = await existingOwnPolicy(tx, call, present(input.PolicyArn));
          for (const use of ["PermissionsPolicy", "PermissionsBoundary"] as const) {
            const users = await tx.range({ prefix: usePrefix(call.account, policy.arn, use) }, { limit: 1 });
            if (users.length > 0) throw policyInUse("Cannot delete a policy attached to entities.");
          }
          if (policy.versions.length > 1) {
            throw policyInUse(
              "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
            );
          }
          tx.delete(policyKey(call.account, policy.name));
        }),
    },
    CreatePolicyVersion: {
      authorize: (input, call) => onPolicy(store, call, present(input.PolicyArn)),
      async run(input, call) {
        const document = present(input.PolicyDocument);
        checkManagedPolicy(document);
        const created = await store.transact(async (tx) => {
          const policy = await existingOwnPolicy(tx, call, present(input.PolicyArn));
          if (policy.versions.length >= iamLimits.policyVersionsMax) {
            throw limitExceeded(
              `A managed policy can have up to ${iamLimits.policyVersionsMax} versions. Before you create a new version, you must delete an existing version.`,
            );
          }
          const version: PolicyVersion = { id: `v${policy.nextVersion}`, document, createdAt: call.now };
          const changed = {
            ...policy,
            updatedAt: call.now,
            nextVersion: policy.nextVersion + 1,
            versions: [...policy.versions, version],
            defaultVersionId: input.SetAsDefault ? version.id : policy.defaultVersionId,
          };
          writePolicy(tx, call.account, changed);
          return toVersion(changed, version);
        });
        const { Document: _notAnswered, ...PolicyVersion } = created;
        return { PolicyVersion };
      },
    },
    GetPolicyVersion: {
      authorize: (input, call) => onPolicy(store, call, present(input.PolicyArn)),
      async run(input, call) {
        const policy = await store.read((reader) => existingPolicy(reader, call, present(input.PolicyArn)));
        return { PolicyVersion: toVersion(policy, existingVersion(policy, present(input.VersionId))) };
      },
    },
    ListPolicyVersions: {
      authorize: (input, call) => onPolicy(store, call, present(input.PolicyArn)),
      async run(input, call) {
        const policy = await store.read((reader) => existingPolicy(reader, call, present(input.PolicyArn)));
        // Newest first, as AWS lists them.
        const { items, rest } = toPage(policy.versions, ({ id }) => sortKey(id), input);
        const listed = items.map((version) => {
          const { Document: _left, ...answered } = toVersion(policy, version);
          return answered;
        });
        return { Versions: listed, ...rest };
      },
    },
    SetDefaultPolicyVersion: {
      authorize: (input, call) => onPolicy(store, call, present(input.PolicyArn)),
      run: (input, call) =>
        change(store, async (tx) => {
          const policy = await existingOwnPolicy(tx, call, present(input.PolicyArn));
          const { id } = existingVersion(policy, present(input.VersionId));
          writePolicy(tx, call.account, { ...policy, defaultVersionId: id, updatedAt: call.now });
        }),
    },
    DeletePolicyVersion: {
      authorize: (input, call) => onPolicy(store, call, present(input.PolicyArn)),
      run: (input, call) =>
        change(store, async (tx) => {
          const policy = await existingOwnPolicy(tx, call, present(input.PolicyArn));
          const { id } = existingVersion(policy, present(input.VersionId));
          if (id === policy.defaultVersionId) throw policyInUse("Cannot delete the default version of a policy.");
          writePolicy(tx, call.account, {
            ...policy,
            versions: policy.versions.filter((version) => version.id !== id),
          });
        }),
    },
  } satisfies IamOperations;
}

export async function onPolicy(
  store: Store,
  call: Call,
  arn: string,
  context: AuthorizationRequest["context"] = {},
): Promise<readonly AuthorizationRequest[]> {
  const policy = await store.read((reader) => readPolicy(reader, call.account, arn));
  return onResource(call, arn, { ...resourceTagContext(policy?.tags ?? {}), ...context });
}

async function existingPolicy(reader: Reader, call: Call, arn: string): Promise<ManagedPolicy> {
  const policy = (await findAwsPolicy(arn)) ?? (await readPolicy(reader, call.account, arn));
  if (!policy) throw policyNotFound(arn);
  return policy;
}

/** One that the account may change. */
export async function existingOwnPolicy(reader: Reader, call: Call, arn: string): Promise<ManagedPolicy> {
  if (isAwsPolicy(arn)) throw notYourPolicy(arn);
  return await existingPolicy(reader, call, arn);
}

function existingVersion(policy: ManagedPolicy, id: string): PolicyVersion {
  const version = policy.versions.find((known) => known.id === id);
  if (!version) throw policyVersionNotFound(policy.arn, id);
  return version;
}

export async function toCountedPolicy(reader: Reader, call: Call, policy: ManagedPolicy) {
  const limit = { limit: iamLimits.scanEntries };
  const attached = await reader.range({ prefix: usePrefix(call.account, policy.arn, "PermissionsPolicy") }, limit);
  const bounded = await reader.range({ prefix: usePrefix(call.account, policy.arn, "PermissionsBoundary") }, limit);
  return toPolicy(policy, attached.length, bounded.length);
}

function toPolicy(policy: ManagedPolicy, attached: number, bounded: number) {
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: attached,
    PermissionsBoundaryUsageCount: bounded,
    IsAttachable: true,
    ...(policy.description !== undefined && { Description: policy.description }),
    CreateDate: new Date(policy.createdAt),
    UpdateDate: new Date(policy.updatedAt),
  };
}

function tagsOf(policy: ManagedPolicy) {
  return Object.keys(policy.tags).length > 0 ? { Tags: toTagList(policy.tags) } : {};
}

export function toVersion(policy: ManagedPolicy, version: PolicyVersion) {
  return {
    Document: encodeDocument(version.document),
    VersionId: version.id,
    IsDefaultVersion: version.id === policy.defaultVersionId,
    CreateDate: new Date(version.createdAt),
  };
}

/** Sorts the highest number first. */
function sortKey(versionId: string): string {
  return String(1e9 - Number(versionId.slice(1))).padStart(10, "0");
}
