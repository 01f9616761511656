import type { Call } from "../../../wire/service.ts";
import { inlinePolicyNotFound } from "../errors.ts";
import { writeEntity, type EntityKind } from "../model.ts";
import { checkIdentityPolicy, checkInlinePoliciesSize } from "../policy-documents.ts";
import { encodeDocument, present, toPage } from "../rules.ts";
import { change, existing, modifiable, onEntity, type IamOperations, type OperationNeeds } from "./needs.ts";

/** Policies inside a role, user or group. */
export function inlinePolicyOperations(needs: OperationNeeds) {
  const { store } = needs;
  const on = (kind: EntityKind, call: Call, name: string | undefined) => onEntity(store, call, kind, present(name));
  return {
    PutRolePolicy: {
      authorize: (input, call) => on("role", call, input.RoleName),
      run: (input, call) => put(needs, call, "role", input.RoleName, input),
    },
    PutUserPolicy: {
      authorize: (input, call) => on("user", call, input.UserName),
      run: (input, call) => put(needs, call, "user", input.UserName, input),
    },
    PutGroupPolicy: {
      authorize: (input, call) => on("group", call, input.GroupName),
      run: (input, call) => put(needs, call, "group", input.GroupName, input),
    },
    GetRolePolicy: {
      authorize: (input, call) => on("role", call, input.RoleName),
      async run(input, call) {
        const { name, ...policy } = await get(needs, call, "role", input.RoleName, input.PolicyName);
        return { RoleName: name, ...policy };
      },
    },
    GetUserPolicy: {
      authorize: (input, call) => on("user", call, input.UserName),
      async run(input, call) {
        const { name, ...policy } = await get(needs, call, "user", input.UserName, input.PolicyName);
        return { UserName: name, ...policy };
      },
    },
    GetGroupPolicy: {
      authorize: (input, call) => on("group", call, input.GroupName),
      async run(input, call) {
        const { name, ...policy } = await get(needs, call, "group", input.GroupName, input.PolicyName);
        return { GroupName: name, ...policy };
      },
    },
    ListRolePolicies: {
      authorize: (input, call) => on("role", call, input.RoleName),
      run: (input, call) => list(needs, call, "role", input.RoleName, input),
    },
    ListUserPolicies: {
      authorize: (input, call) => on("user", call, input.UserName),
      run: (input, call) => list(needs, call, "user", input.UserName, input),
    },
    ListGroupPolicies: {
      authorize: (input, call) => on("group", call, input.GroupName),
      run: (input, call) => list(needs, call, "group", input.GroupName, input),
    },
    DeleteRolePolicy: {
      authorize: (input, call) => on("role", call, input.RoleName),
      run: (input, call) => remove(needs, call, "role", input.RoleName, input.PolicyName),
    },
    DeleteUserPolicy: {
      authorize: (input, call) => on("user", call, input.UserName),
      run: (input, call) => remove(needs, call, "user", input.UserName, input.PolicyName),
    },
    DeleteGroupPolicy: {
      authorize: (input, call) => on("group", call, input.GroupName),
      run: (input, call) => remove(needs, call, "group", input.GroupName, input.PolicyName),
    },
  } satisfies IamOperations;
}

function put(
  { store }: OperationNeeds,
  call: Call,
  kind: EntityKind,
  name: string | undefined,
  input: { readonly PolicyName: string | undefined; readonly PolicyDocument: string | undefined },
) {
  return change(store, async (tx) => {
    const entity = await modifiable(tx, call, kind, present(name));
    const document = present(input.PolicyDocument);
    checkIdentityPolicy(document);
    const inlinePolicies = { ...entity.inlinePolicies, [present(input.PolicyName)]: document };
    checkInlinePoliciesSize(entity, inlinePolicies);
    writeEntity(tx, call.account, { ...entity, inlinePolicies });
  });
}

async function get(
  { store }: OperationNeeds,
  call: Call,
  kind: EntityKind,
  name: string | undefined,
  policyName: string | undefined,
) {
  const entity = await store.read((reader) => existing(reader, call, kind, present(name)));
  const wanted = present(policyName);
  const document = Object.hasOwn(entity.inlinePolicies, wanted) ? entity.inlinePolicies[wanted] : undefined;
  if (document === undefined) throw inlinePolicyNotFound(kind, wanted);
  return { name: entity.name, PolicyName: wanted, PolicyDocument: encodeDocument(document) };
}

async function list(
  { store }: OperationNeeds,
  call: Call,
  kind: EntityKind,
  name: string | undefined,
  input: Parameters<typeof toPage>[2],
) {
  const entity = await store.read((reader) => existing(reader, call, kind, present(name)));
  const { items, rest } = toPage(Object.keys(entity.inlinePolicies), (policyName) => policyName, input);
  return { PolicyNames: items, ...rest };
}

function remove(
  { store }: OperationNeeds,
  call: Call,
  kind: EntityKind,
  name: string | undefined,
  policyName: string | undefined,
) {
  return change(store, async (tx) => {
    const entity = await modifiable(tx, call, kind, present(name));
    const { [present(policyName)]: removed, ...inlinePolicies } = entity.inlinePolicies;
    if (removed === undefined) throw inlinePolicyNotFound(kind, present(policyName));
    writeEntity(tx, call.account, { ...entity, inlinePolicies });
  });
}
