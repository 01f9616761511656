import { createUniqueId } from "../../../access/access-keys.ts";
import type { Key } from "../../../kernel/store/store.ts";
import { invalidInput, noSuchEntity } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import { deleteEntity, entityPrefix, readEntity, writeEntity, writeUse, useKey, type Role } from "../model.ts";
import { entityArn, present } from "../rules.ts";
import { findLinkedRole, isServiceLinked, linkedPolicyArn, linkedRolePath } from "../service-linked-roles.ts";
import { checkQuota, existing, onEntity, onResource, type IamOperations, type OperationNeeds } from "./needs.ts";
import { toRole } from "./roles.ts";

/** Roles that services make for themselves: nobody else changes them. */
export function serviceLinkedRoleOperations({ store, ids }: OperationNeeds) {
  return {
    CreateServiceLinkedRole: {
      authorize: (input, call) => {
        const service = present(input.AWSServiceName);
        const name = findLinkedRole(service)?.name ?? "*";
        return onResource(call, entityArn(call.account, "role", linkedRolePath(service), name), {
          "iam:AWSServiceName": [service],
        });
      },
      async run(input, call) {
        const service = present(input.AWSServiceName);
        const linked = findLinkedRole(service);
        if (!linked) throw invalidInput(`Service role creation failed: ${service} is not known to have a linked role.`);
        if (input.CustomSuffix !== undefined && !linked.takesSuffix) {
          throw invalidInput("Custom suffix is not allowed for " + service);
        }
        const name = input.CustomSuffix === undefined ? linked.name : `${linked.name}_${input.CustomSuffix}`;
        const path = linkedRolePath(service);
        await checkQuota(store, entityPrefix(call.account, "role"), "RolesPerAccount", iamLimits.rolesPerAccount);
        const role = await store.transact(async (tx) => {
          if (await readEntity(tx, call.account, "role", name)) {
            throw invalidInput(
              `Service role name ${name} has been taken in this account, please try a different suffix.`,
            );
          }
          const policy = linkedPolicyArn(linked.policy);
          const created: Role = {
            v: 1,
            kind: "role",
            name,
            id: createUniqueId(ids, "AROA"),
            path,
            arn: entityArn(call.account, "role", path, name),
            createdAt: call.now,
            trustPolicy: JSON.stringify({
              Version: "2012-10-17",
              Statement: [{ Effect: "Allow", Principal: { Service: [service] }, Action: ["sts:AssumeRole"] }],
            }),
            description: input.Description ?? "",
            maxSessionSeconds: 3_600,
            permissionsBoundary: undefined,
            tags: {},
            inlinePolicies: {},
            attachedPolicies: [policy],
          };
          writeEntity(tx, call.account, created);
          writeUse(tx, call.account, policy, "PermissionsPolicy", created);
          return created;
        });
        return { Role: toRole(role, "created") };
      },
    },
    DeleteServiceLinkedRole: {
      authorize: (input, call) => onEntity(store, call, "role", present(input.RoleName)),
      async run(input, call) {
        const taskId = await store.transact(async (tx) => {
          const role = await existing(tx, call, "role", present(input.RoleName));
          if (!isServiceLinked(role)) throw noSuchEntity(`The role with name ${input.RoleName} cannot be found.`);
          for (const policy of role.attachedPolicies) {
            tx.delete(useKey(call.account, policy, "PermissionsPolicy", role));
          }
          deleteEntity(tx, call.account, role);
          // Nothing here uses the role: it goes at once, and the task tells so.
          const id = `task${role.path}${role.name}/${ids.uuid()}`;
          tx.set(taskKey(call.account, id), call.now);
          return id;
        });
        return { DeletionTaskId: taskId };
      },
    },
    GetServiceLinkedRoleDeletionStatus: {
      authorize: (input, call) => {
        const [, service = "*", name = "*"] =
          /^task\/aws-service-role\/([^/]+)\/([^/]+)\//.exec(present(input.DeletionTaskId)) ?? [];
        return onResource(call, entityArn(call.account, "role", linkedRolePath(service), name));
      },
      async run(input, call) {
        const id = present(input.DeletionTaskId);
        const at = await store.read((reader) => reader.get<number>(taskKey(call.account, id)));
        if (at === undefined) throw noSuchEntity(`Deletion task with id ${id} does not exist.`);
        return { Status: "SUCCEEDED" as const };
      },
    },
  } satisfies IamOperations;
}

function taskKey(account: string, id: string): Key {
  return ["iamTask", account, id];
}
