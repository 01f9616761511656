import type { Transaction } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { isAttachableAwsPolicy } from "../managed-policies.ts";
import { policyNotAttachable, noSuchEntity } from "../errors.ts";
import { readPolicy, useKey, writeEntity, writeUse, type Role, type User } from "../model.ts";
import { present } from "../rules.ts";
import { change, existing, onEntity, type IamOperations, type OperationNeeds } from "./needs.ts";

/** Permissions boundaries of roles and users. */
export function boundaryOperations({ store }: OperationNeeds) {
  return {
    PutRolePermissionsBoundary: {
      authorize: (input, call) =>
        onEntity(store, call, "role", present(input.RoleName), boundaryContext(input.PermissionsBoundary)),
      run: (input, call) =>
        change(store, async (tx) =>
          setBoundary(
            tx,
            call,
            await existing(tx, call, "role", present(input.RoleName)),
            present(input.PermissionsBoundary),
          ),
        ),
    },
    DeleteRolePermissionsBoundary: {
      authorize: (input, call) => onEntity(store, call, "role", present(input.RoleName)),
      run: (input, call) =>
        change(store, async (tx) => {
          const role = await existing(tx, call, "role", present(input.RoleName));
          if (!role.permissionsBoundary) throw noBoundary("Role", role.name);
          dropBoundary(tx, call, role);
        }),
    },
    PutUserPermissionsBoundary: {
      authorize: (input, call) =>
        onEntity(store, call, "user", present(input.UserName), boundaryContext(input.PermissionsBoundary)),
      run: (input, call) =>
        change(store, async (tx) =>
          setBoundary(
            tx,
            call,
            await existing(tx, call, "user", present(input.UserName)),
            present(input.PermissionsBoundary),
          ),
        ),
    },
    DeleteUserPermissionsBoundary: {
      authorize: (input, call) => onEntity(store, call, "user", present(input.UserName)),
      run: (input, call) =>
        change(store, async (tx) => {
          const user = await existing(tx, call, "user", present(input.UserName));
          if (!user.permissionsBoundary) throw noBoundary("User", user.name);
          dropBoundary(tx, call, user);
        }),
    },
  } satisfies IamOperations;
}

export function boundaryContext(policyArn: string | undefined): Record<string, readonly string[]> {
  return policyArn === undefined ? {} : { "iam:PermissionsBoundary": [policyArn] };
}

/** Write an entity with another boundary. The policy must exist. */
export async function setBoundary(tx: Transaction, call: Call, entity: Role | User, policyArn: string): Promise<void> {
  if (!isAttachableAwsPolicy(policyArn) && !(await readPolicy(tx, call.account, policyArn))) {
    throw policyNotAttachable(policyArn);
  }
  forgetBoundary(tx, call, entity);
  writeUse(tx, call.account, policyArn, "PermissionsBoundary", entity);
  writeEntity(tx, call.account, { ...entity, permissionsBoundary: policyArn });
}

function dropBoundary(tx: Transaction, call: Call, entity: Role | User): void {
  forgetBoundary(tx, call, entity);
  writeEntity(tx, call.account, { ...entity, permissionsBoundary: undefined });
}

/** Take an entity out of its boundary's list of users. */
export function forgetBoundary(tx: Transaction, call: Call, entity: Role | User): void {
  if (!entity.permissionsBoundary) return;
  tx.delete(useKey(call.account, entity.permissionsBoundary, "PermissionsBoundary", entity));
}

function noBoundary(noun: string, name: string): Error {
  return noSuchEntity(`${noun} ${name} does not have a permissions boundary.`);
}
