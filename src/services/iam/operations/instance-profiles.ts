import { createUniqueId } from "../../../access/access-keys.ts";
import type { AuthorizationRequest } from "../../../access/authorization.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { alreadyExists, deleteConflict, noSuchEntity, quotaExceeded } from "../errors.ts";
import {
  instanceProfileKey,
  instanceProfilePrefix,
  profilesOf,
  readInstanceProfile,
  type InstanceProfile,
} from "../instance-profiles.ts";
import { iamLimits } from "../limits.ts";
import { nameKey, readAll, readEntity } from "../model.ts";
import { parseTags, present, requestTagContext, resourceTagContext, toPage, toTagList, withoutTags } from "../rules.ts";
import {
  change,
  checkQuota,
  existing,
  onEntity,
  onResource,
  type IamOperations,
  type OperationNeeds,
} from "./needs.ts";
import { toRole } from "./roles.ts";
import { addTags, keyContext, tagContext, toTagPage } from "./tags.ts";

/** Instance profiles: records that templates make. */
export function instanceProfileOperations({ store, ids }: OperationNeeds) {
  const on = async (call: Call, name: string | undefined, context: AuthorizationRequest["context"] = {}) => {
    const known = await store.read((reader) => readInstanceProfile(reader, call.account, present(name)));
    const resource = known?.arn ?? `arn:aws:iam::${call.account}:instance-profile/${present(name)}`;
    return onResource(call, resource, { ...resourceTagContext(known?.tags ?? {}), ...context });
  };
  const update = (call: Call, name: string | undefined, next: (profile: InstanceProfile) => InstanceProfile) =>
    change(store, async (tx) => {
      const profile = await existingProfile(tx, call, name);
      tx.set(instanceProfileKey(call.account, profile.name), next(profile));
    });
  return {
    CreateInstanceProfile: {
      authorize: (input, call) => {
        const resource = `arn:aws:iam::${call.account}:instance-profile${input.Path ?? "/"}${present(input.InstanceProfileName)}`;
        const context = requestTagContext(parseTags(input.Tags));
        return [
          ...onResource(call, resource, context),
          ...(input.Tags?.length ? [{ action: "iam:TagInstanceProfile", resource, context }] : []),
        ];
      },
      async run(input, call) {
        const name = present(input.InstanceProfileName);
        const path = input.Path ?? "/";
        const created: InstanceProfile = {
          v: 1,
          name,
          id: createUniqueId(ids, "AIPA"),
          path,
          arn: `arn:aws:iam::${call.account}:instance-profile${path}${name}`,
          createdAt: call.now,
          roleName: undefined,
          tags: parseTags(input.Tags),
        };
        const limit = iamLimits.instanceProfilesPerAccount;
        await checkQuota(store, instanceProfilePrefix(call.account), "InstanceProfilesPerAccount", limit);
        await store.transact(async (tx) => {
          if (await readInstanceProfile(tx, call.account, name)) {
            throw alreadyExists(`Instance Profile ${name} already exists.`);
          }
          tx.set(instanceProfileKey(call.account, name), created);
        });
        return {
          InstanceProfile: { ...(await store.read((reader) => toProfile(reader, call, created))), ...tagsOf(created) },
        };
      },
    },
    GetInstanceProfile: {
      authorize: (input, call) => on(call, input.InstanceProfileName),
      run: (input, call) =>
        store.read(async (reader) => {
          const profile = await existingProfile(reader, call, input.InstanceProfileName);
          return { InstanceProfile: { ...(await toProfile(reader, call, profile)), ...tagsOf(profile) } };
        }),
    },
    ListInstanceProfiles: {
      authorize: (input, call) =>
        onResource(call, `arn:aws:iam::${call.account}:instance-profile${input.PathPrefix ?? "/"}`),
      run: (input, call) =>
        store.read(async (reader) => {
          const all = await readAll<InstanceProfile>(reader, instanceProfilePrefix(call.account));
          const below = all.filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
          const { items, rest } = toPage(below, ({ name }) => name, input);
          return {
            InstanceProfiles: await Promise.all(items.map((profile) => toProfile(reader, call, profile))),
            ...rest,
          };
        }),
    },
    ListInstanceProfilesForRole: {
      authorize: (input, call) => onEntity(store, call, "role", present(input.RoleName)),
      run: (input, call) =>
        store.read(async (reader) => {
          const role = await existing(reader, call, "role", present(input.RoleName));
          const { items, rest } = toPage(await profilesOf(reader, call.account, role.name), ({ name }) => name, input);
          return {
            InstanceProfiles: await Promise.all(items.map((profile) => toProfile(reader, call, profile))),
            ...rest,
          };
        }),
    },
    DeleteInstanceProfile: {
      authorize: (input, call) => on(call, input.InstanceProfileName),
      run: (input, call) =>
        change(store, async (tx) => {
          const profile = await existingProfile(tx, call, input.InstanceProfileName);
          if (profile.roleName !== undefined) throw deleteConflict("must remove roles from instance profile first");
          tx.delete(instanceProfileKey(call.account, profile.name));
        }),
    },
    AddRoleToInstanceProfile: {
      authorize: async (input, call) => {
        const role = await store.read((reader) => readEntity(reader, call.account, "role", present(input.RoleName)));
        return [
          ...(await on(call, input.InstanceProfileName)),
          ...(role
            ? [
                {
                  action: "iam:PassRole",
                  resource: role.arn,
                  context: { "iam:PassedToService": ["ec2.amazonaws.com"] },
                },
              ]
            : []),
        ];
      },
      run: (input, call) =>
        change(store, async (tx) => {
          const profile = await existingProfile(tx, call, input.InstanceProfileName);
          const role = await existing(tx, call, "role", present(input.RoleName));
          if (profile.roleName !== undefined) throw quotaExceeded("InstanceSessionsPerInstanceProfile", 1);
          tx.set(instanceProfileKey(call.account, profile.name), { ...profile, roleName: role.name });
        }),
    },
    RemoveRoleFromInstanceProfile: {
      authorize: (input, call) => on(call, input.InstanceProfileName),
      run: (input, call) =>
        update(call, input.InstanceProfileName, (profile) => {
          if (nameKey(profile.roleName ?? "") !== nameKey(present(input.RoleName))) {
            throw noSuchEntity(`The role with name ${input.RoleName} cannot be found.`);
          }
          return { ...profile, roleName: undefined };
        }),
    },
    TagInstanceProfile: {
      authorize: (input, call) => on(call, input.InstanceProfileName, tagContext(input.Tags)),
      run: (input, call) =>
        update(call, input.InstanceProfileName, (profile) => ({ ...profile, tags: addTags(profile.tags, input.Tags) })),
    },
    UntagInstanceProfile: {
      authorize: (input, call) => on(call, input.InstanceProfileName, keyContext(input.TagKeys)),
      run: (input, call) =>
        update(call, input.InstanceProfileName, (profile) => ({
          ...profile,
          tags: withoutTags(profile.tags, input.TagKeys ?? []),
        })),
    },
    ListInstanceProfileTags: {
      authorize: (input, call) => on(call, input.InstanceProfileName),
      async run(input, call) {
        const profile = await store.read((reader) => existingProfile(reader, call, input.InstanceProfileName));
        return toTagPage(profile.tags, input);
      },
    },
  } satisfies IamOperations;
}

async function existingProfile(reader: Reader, call: Call, name: string | undefined): Promise<InstanceProfile> {
  const profile = await readInstanceProfile(reader, call.account, present(name));
  if (!profile) throw noSuchEntity(`Instance Profile ${name} cannot be found.`);
  return profile;
}

export async function toProfile(reader: Reader, { account }: Pick<Call, "account">, profile: InstanceProfile) {
  const role = profile.roleName === undefined ? undefined : await readEntity(reader, account, "role", profile.roleName);
  return {
    Path: profile.path,
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Arn: profile.arn,
    CreateDate: new Date(profile.createdAt),
    Roles: role ? [toRole(role, "listed")] : [],
  };
}

function tagsOf(profile: InstanceProfile) {
  return Object.keys(profile.tags).length > 0 ? { Tags: toTagList(profile.tags) } : {};
}
