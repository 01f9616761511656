import { createUniqueId } from "../../../access/access-keys.ts";
import { deleteConflict, entityAlreadyExists, unmodifiableEntity } from "../errors.ts";
import { forgetUses, latestUse, type LastUse } from "../last-uses.ts";
import { iamLimits } from "../limits.ts";
import { deleteEntity, entityPrefix, readAll, readEntity, writeEntity, type Role } from "../model.ts";
import { checkTrustPolicy } from "../policy-documents.ts";
import { encodeDocument, entityArn, parseTags, present, requestTagContext, toPage, toTagList } from "../rules.ts";
import { profilesOf } from "../instance-profiles.ts";
import { isServiceLinked } from "../service-linked-roles.ts";
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

const defaultSessionSeconds = 3_600;

export function roleOperations({ store, ids }: OperationNeeds) {
  return {
    CreateRole: {
      authorize: (input, call) => [
        ...onResource(call, entityArn(call.account, "role", input.Path ?? "/", present(input.RoleName)), {
          ...boundaryContext(input.PermissionsBoundary),
          ...requestTagContext(parseTags(input.Tags)),
        }),
        ...(input.Tags?.length
          ? [
              {
                action: "iam:TagRole",
                resource: entityArn(call.account, "role", input.Path ?? "/", present(input.RoleName)),
                context: requestTagContext(parseTags(input.Tags)),
              },
            ]
          : []),
      ],
      async run(input, call) {
        const name = present(input.RoleName);
        const path = input.Path ?? "/";
        await checkQuota(store, entityPrefix(call.account, "role"), "RolesPerAccount", iamLimits.rolesPerAccount);
        const role = await store.transact(async (tx) => {
          if (await readEntity(tx, call.account, "role", name)) throw entityAlreadyExists("role", name);
          await checkTrustPolicy(tx, call.account, present(input.AssumeRolePolicyDocument));
          const created: Role = {
            v: 1,
            kind: "role",
            name,
            id: createUniqueId(ids, "AROA"),
            path,
            arn: entityArn(call.account, "role", path, name),
            createdAt: call.now,
            trustPolicy: present(input.AssumeRolePolicyDocument),
            description: input.Description ?? "",
            maxSessionSeconds: input.MaxSessionDuration ?? defaultSessionSeconds,
            permissionsBoundary: input.PermissionsBoundary,
            tags: parseTags(input.Tags),
            inlinePolicies: {},
            attachedPolicies: [],
          };
          if (input.PermissionsBoundary === undefined) writeEntity(tx, call.account, created);
          else await setBoundary(tx, call, { ...created, permissionsBoundary: undefined }, input.PermissionsBoundary);
          return created;
        });
        return { Role: toRole(role, "created") };
      },
    },
    GetRole: {
      authorize: (input, call) => onEntity(store, call, "role", present(input.RoleName)),
      async run(input, call) {
        return await store.read(async (reader) => {
          const role = await existing(reader, call, "role", present(input.RoleName));
          const use = await latestUse(reader, call.account, role.id);
          return { Role: { ...toRole(role, "whole"), RoleLastUsed: toRoleLastUsed(use) } };
        });
      },
    },
    ListRoles: {
      authorize: (input, call) => onPath(call, "role", input.PathPrefix),
      async run(input, call) {
        const all = await store.read((reader) => readAll<Role>(reader, entityPrefix(call.account, "role")));
        const prefix = input.PathPrefix ?? "/";
        const { items, rest } = toPage(
          all.filter(({ path }) => path.startsWith(prefix)),
          ({ name }) => name,
          input,
        );
        return { Roles: items.map((role) => toRole(role, "listed")), ...rest };
      },
    },
    UpdateRole: {
      authorize: (input, call) => onEntity(store, call, "role", present(input.RoleName)),
      run: (input, call) =>
        change(store, async (tx) => {
          const role = await existing(tx, call, "role", present(input.RoleName));
          writeEntity(tx, call.account, {
            ...role,
            // AWS: what is left out goes back to its default.
            description: input.Description ?? role.description,
            maxSessionSeconds: input.MaxSessionDuration ?? defaultSessionSeconds,
          });
        }),
    },
    UpdateRoleDescription: {
      authorize: (input, call) => onEntity(store, call, "role", present(input.RoleName)),
      async run(input, call) {
        const changed = await store.transact(async (tx) => {
          const role = await existing(tx, call, "role", present(input.RoleName));
          const next = { ...role, description: present(input.Description) };
          writeEntity(tx, call.account, next);
          return next;
        });
        return { Role: toRole(changed, "listed") };
      },
    },
    UpdateAssumeRolePolicy: {
      authorize: (input, call) => onEntity(store, call, "role", present(input.RoleName)),
      run: (input, call) =>
        change(store, async (tx) => {
          const role = await existing(tx, call, "role", present(input.RoleName));
          if (isServiceLinked(role)) throw unmodifiableEntity(role.name);
          const trustPolicy = present(input.PolicyDocument);
          await checkTrustPolicy(tx, call.account, trustPolicy);
          writeEntity(tx, call.account, { ...role, trustPolicy });
        }),
    },
    DeleteRole: {
      authorize: (input, call) => onEntity(store, call, "role", present(input.RoleName)),
      run: (input, call) =>
        change(store, async (tx) => {
          const role = await existing(tx, call, "role", present(input.RoleName));
          if (isServiceLinked(role)) throw unmodifiableEntity(role.name);
          const [profile] = await profilesOf(tx, call.account, role.name);
          if (profile) throw deleteConflict("must remove roles from instance profile first");
          if (role.attachedPolicies.length > 0) throw deleteConflict("must detach all policies first");
          if (Object.keys(role.inlinePolicies).length > 0) throw deleteConflict("must delete policies first");
          forgetBoundary(tx, call, role);
          await forgetUses(tx, call.account, role.id);
          deleteEntity(tx, call.account, role);
        }),
    },
  } satisfies IamOperations;
}

export function toRoleLastUsed(use: LastUse | undefined) {
  return use ? { LastUsedDate: new Date(use.at), Region: use.region } : {};
}

/** AWS answers other members on creation, on reading one, and in lists. */
export function toRole(role: Role, form: "created" | "whole" | "listed") {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: new Date(role.createdAt),
    AssumeRolePolicyDocument: encodeDocument(role.trustPolicy),
    ...(role.description !== "" && { Description: role.description }),
    ...(form !== "created" && { MaxSessionDuration: role.maxSessionSeconds }),
    ...(role.permissionsBoundary !== undefined &&
      form !== "listed" && {
        PermissionsBoundary: {
          PermissionsBoundaryType: "PermissionsBoundaryPolicy" as const,
          PermissionsBoundaryArn: role.permissionsBoundary,
        },
      }),
    ...(form !== "listed" && Object.keys(role.tags).length > 0 && { Tags: toTagList(role.tags) }),
  };
}
