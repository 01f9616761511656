import type * as sdk from "@aws-sdk/client-cloudformation";
import { toArn } from "../../../aws/arn.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { checkExportsUnused } from "../engine/exports.ts";
import { hasChanges, planChanges } from "../engine/plan.ts";
import { withStatus } from "../engine/run.ts";
import { runJobKind, type StackJob } from "../engine/stack-run.ts";
import {
  memberNotImplemented,
  noUpdates,
  stackCannotDelete,
  stackCannotUpdate,
  stackExists,
  stackNameNotFound,
  stackNotFound,
  terminationProtected,
  validationError,
} from "../errors.ts";
import { cloudFormationLimits as limits } from "../limits.ts";
import {
  findStack,
  keys,
  readAll,
  readDeployment,
  readTemplateTexts,
  writeDeployment,
  writeStack,
  writeStackWithEvent,
  type Stack,
  type StackResource,
} from "../model.ts";
import { TransformError } from "../template/transforms.ts";
import { deploymentContext, onAnything, onStack } from "./access.ts";
import type { OperationNeeds } from "./needs.ts";
import { outputsOf } from "./outputs.ts";
import { prepareDeployment, requireCapabilities, type Prepared, type PreviousDeployment } from "./prepare.ts";
import { waitALittle } from "./settled.ts";
import { readTemplateText } from "./template-source.ts";

type Sdk = typeof sdk;

/** Statuses from which a stack can be updated. */
const updatable = new Set<Stack["status"]>(["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]);

export function stackOperations(needs: OperationNeeds) {
  const { store, directory } = needs;
  return {
    CreateStack: {
      authorize: (input, call) => onStack(needs, call, input.StackName, deploymentContext(input)),
      async run(input, call) {
        refuseMembers(call, input);
        const stackName = checkedStackName(input.StackName);
        if (input.DisableRollback !== undefined && input.OnFailure !== undefined) {
          throw validationError("DisableRollback and OnFailure cannot both be specified");
        }
        await passRole(needs, call, input.RoleARN, stackName);
        const repeated = await store.read((reader) => findStack(reader, call, stackName));
        if (repeated) return { StackId: repeatOf(repeated, input.ClientRequestToken).stackId };
        const text = await readTemplateText(input, call, directory);
        const stackId = newStackId(needs, call, stackName);
        const prepared = await told(() =>
          prepareDeployment(needs, call, { stackId, stackName }, text, input, undefined),
        );
        requireCapabilities(prepared, input.Capabilities ?? [], true);
        const deployment = needs.ids.uuid();
        const minutes = input.TimeoutInMinutes;
        const stack: Stack = {
          ...newStack(call, stackId, stackName),
          status: "CREATE_IN_PROGRESS",
          reason: "User Initiated",
          deployment,
          onFailure: input.OnFailure ?? (input.DisableRollback === true ? "DO_NOTHING" : "ROLLBACK"),
          terminationProtection: input.EnableTerminationProtection ?? false,
          ...(minutes !== undefined && { timeoutMinutes: minutes, deadline: call.now + minutes * 60_000 }),
          ...(input.RoleARN !== undefined && { roleArn: input.RoleARN }),
          ...(input.ClientRequestToken !== undefined && { clientRequestToken: input.ClientRequestToken }),
        };
        await store.transact(async (tx) => {
          const existing = await findStack(tx, call, stackName);
          if (existing) throw stackExists(stackName);
          await checkStackCount(tx, call);
          tx.set(keys.name(call, stackName), stackId);
          writeDeployment(tx, call, stackId, deployment, prepared.deployment, prepared.texts);
          await startOperation(needs, tx, stack, call.now);
        });
        await waitALittle(needs, call, stackId);
        return { StackId: stackId };
      },
    },
    UpdateStack: {
      authorize: (input, call) => onStack(needs, call, input.StackName, deploymentContext(input)),
      async run(input, call) {
        refuseMembers(call, input);
        if (input.DisableRollback === true) throw memberNotImplemented(call.operation, "DisableRollback");
        for (const member of ["StackPolicyDuringUpdateBody", "StackPolicyDuringUpdateURL"] as const) {
          if (input[member] !== undefined) throw memberNotImplemented(call.operation, member);
        }
        await passRole(needs, call, input.RoleARN, input.StackName);
        const { stack, previous, resources } = await readForUpdate(needs, call, input.StackName ?? "");
        const text = input.UsePreviousTemplate
          ? previous.texts.original
          : await readTemplateText(input, call, directory);
        const prepared = await told(() => prepareDeployment(needs, call, stack, text, input, previous));
        requireCapabilities(prepared, input.Capabilities ?? [], true);
        if (!changesAnything(needs, stack, prepared, previous, resources)) throw noUpdates();
        await startUpdate(needs, call, stack, {
          prepared,
          roleArn: input.RoleARN,
          clientRequestToken: input.ClientRequestToken,
        });
        await waitALittle(needs, call, stack.stackId);
        return { StackId: stack.stackId };
      },
    },
    DeleteStack: {
      authorize: (input, call) => onStack(needs, call, input.StackName, deploymentContext(input)),
      async run(input, call) {
        const nameOrId = input.StackName ?? "";
        if (input.DeletionMode !== undefined && input.DeletionMode !== "STANDARD") {
          throw memberNotImplemented(call.operation, "DeletionMode");
        }
        if (input.DeploymentConfig !== undefined) throw memberNotImplemented(call.operation, "DeploymentConfig");
        await passRole(needs, call, input.RoleARN, nameOrId);
        const stackId = await store.transact(async (tx) => {
          const stack = await findStack(tx, call, nameOrId);
          // AWS: deleting what is not there succeeds.
          if (!stack || stack.status === "DELETE_COMPLETE" || stack.status === "DELETE_IN_PROGRESS") return undefined;
          if (stack.terminationProtection) throw terminationProtected(stack.stackName);
          if (stack.status === "CREATE_IN_PROGRESS") {
            tx.set(keys.interrupt(stack, stack.stackId), "delete");
            return stack.stackId;
          }
          if (stack.status.endsWith("_IN_PROGRESS") && stack.status !== "REVIEW_IN_PROGRESS") {
            throw stackCannotDelete(stack.stackId, stack.status);
          }
          const retain = input.RetainResources ?? [];
          if (retain.length > 0 && stack.status !== "DELETE_FAILED") {
            throw validationError(
              `Invalid operation on stack [${stack.stackId}]. RetainResources can be specified only when the stack is in DELETE_FAILED state.`,
            );
          }
          await checkExportsUnused(tx, stack);
          const { retain: _retained, clientRequestToken: _token, ...rest } = stack;
          const deleting: Stack = {
            ...withStatus(rest, "DELETE_IN_PROGRESS", "User Initiated"),
            actor: actorOf(call),
            ...(retain.length > 0 && { retain }),
            ...(input.RoleARN !== undefined && { roleArn: input.RoleARN }),
            ...(input.ClientRequestToken !== undefined && { clientRequestToken: input.ClientRequestToken }),
          };
          await startOperation(needs, tx, deleting, call.now);
          return stack.stackId;
        });
        if (stackId !== undefined) await waitALittle(needs, call, stackId);
        return {};
      },
    },
    CancelUpdateStack: {
      authorize: (input, call) => onStack(needs, call, input.StackName),
      async run(input, call) {
        await store.transact(async (tx) => {
          const stack = await findStack(tx, call, input.StackName ?? "");
          if (!stack) throw stackNotFound(input.StackName ?? "");
          if (stack.status !== "UPDATE_IN_PROGRESS") {
            throw validationError(`CancelUpdateStack cannot be called from current stack status`);
          }
          tx.set(keys.interrupt(stack, stack.stackId), "cancel");
        });
        return {};
      },
    },
    ContinueUpdateRollback: {
      authorize: (input, call) => onStack(needs, call, input.StackName, deploymentContext(input)),
      async run(input, call) {
        if (input.ForceRollback === true) throw memberNotImplemented(call.operation, "ForceRollback");
        await passRole(needs, call, input.RoleARN, input.StackName);
        await store.transact(async (tx) => {
          const stack = await findStack(tx, call, input.StackName ?? "");
          if (!stack) throw stackNotFound(input.StackName ?? "");
          if (stack.status !== "UPDATE_ROLLBACK_FAILED") {
            throw validationError(
              `Stack:${stack.stackId} is in ${stack.status} state and can not continue rollback. Please try again when the stack is in UPDATE_ROLLBACK_FAILED state.`,
            );
          }
          const continued: Stack = {
            ...withStatus(stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
            actor: actorOf(call),
            skip: input.ResourcesToSkip ?? [],
            ...(input.RoleARN !== undefined && { roleArn: input.RoleARN }),
          };
          await startOperation(needs, tx, continued, call.now);
        });
        return {};
      },
    },
    UpdateTerminationProtection: {
      authorize: (input, call) => onStack(needs, call, input.StackName),
      async run(input, call) {
        return store.transact(async (tx) => {
          const stack = await findStack(tx, call, input.StackName ?? "");
          if (!stack || stack.status === "DELETE_COMPLETE") throw stackNameNotFound(input.StackName ?? "");
          if (stack.status.endsWith("_IN_PROGRESS")) throw stackCannotUpdate(stack.stackId, stack.status);
          writeStack(tx, { ...stack, terminationProtection: input.EnableTerminationProtection ?? false });
          return { StackId: stack.stackId };
        });
      },
    },
    GetStackPolicy: {
      authorize: (input, call) => onStack(needs, call, input.StackName),
      async run(input, call) {
        const stack = await store.read((reader) => findStack(reader, call, input.StackName ?? ""));
        if (!stack) throw stackNameNotFound(input.StackName ?? "");
        return {};
      },
    },
    DescribeAccountLimits: {
      authorize: (_input, call) => onAnything(call),
      run: () => ({
        AccountLimits: [
          { Name: "StackLimit", Value: limits.stacksMax },
          { Name: "StackOutputsLimit", Value: limits.outputsMax },
        ],
      }),
    },
  } satisfies OperationsOf<Sdk>;
}

/** Members that would change what happens, and are not built. */
export function refuseMembers(
  call: Call,
  input: {
    readonly NotificationARNs?: readonly string[] | undefined;
    readonly ResourceTypes?: readonly string[] | undefined;
    readonly RollbackConfiguration?: { readonly RollbackTriggers?: readonly unknown[] | undefined } | undefined;
    readonly StackPolicyBody?: string | undefined;
    readonly StackPolicyURL?: string | undefined;
    readonly RetainExceptOnCreate?: boolean | undefined;
    readonly DeploymentConfig?: unknown;
    readonly DeploymentMode?: string | undefined;
    readonly DisableValidation?: boolean | undefined;
  },
): void {
  const refuse = (member: string) => memberNotImplemented(call.operation, member);
  if ((input.NotificationARNs?.length ?? 0) > 0) throw refuse("NotificationARNs");
  if ((input.ResourceTypes?.length ?? 0) > 0) throw refuse("ResourceTypes");
  if ((input.RollbackConfiguration?.RollbackTriggers?.length ?? 0) > 0) throw refuse("RollbackConfiguration");
  if (input.StackPolicyBody !== undefined) throw refuse("StackPolicyBody");
  if (input.StackPolicyURL !== undefined) throw refuse("StackPolicyURL");
  if (input.RetainExceptOnCreate === true) throw refuse("RetainExceptOnCreate");
  if (input.DeploymentConfig !== undefined) throw refuse("DeploymentConfig");
  if (input.DeploymentMode !== undefined) throw refuse("DeploymentMode");
  if (input.DisableValidation === true) throw refuse("DisableValidation");
}

export function checkedStackName(name: string | undefined): string {
  const stackName = name ?? "";
  const wrong = (constraint: string) =>
    validationError(
      `1 validation error detected: Value '${stackName}' at 'stackName' failed to satisfy constraint: ${constraint}`,
    );
  if (!/^[a-zA-Z][-a-zA-Z0-9]*$/.test(stackName)) {
    throw wrong("Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*");
  }
  if (stackName.length > limits.stackNameLengthMax) {
    throw wrong(`Member must have length less than or equal to ${limits.stackNameLengthMax}`);
  }
  return stackName;
}

/** The caller must be allowed to hand over the role, and CloudFormation to take it on. */
export async function passRole(
  needs: OperationNeeds,
  call: Call,
  roleArn: string | undefined,
  stack: string | undefined,
): Promise<void> {
  if (roleArn === undefined) return;
  await call.authorize(needs.iam.passRole(roleArn, "cloudformation.amazonaws.com"));
  try {
    await needs.iam.assumeRole({
      roleArn,
      service: "cloudformation.amazonaws.com",
      sessionName: "AWSCloudFormation",
      // A stack that is still to be made has no id yet.
      sourceArn: stack?.startsWith("arn:")
        ? stack
        : toArn("cloudformation", call.region, call.account, `stack/${stack ?? ""}/*`),
    });
  } catch {
    throw validationError(`Role ${roleArn} is invalid or cannot be assumed`);
  }
}

/** AWS: the same request again answers the same; any other meets the name taken. */
function repeatOf(stack: Stack, token: string | undefined): Stack {
  if (token === undefined || stack.clientRequestToken !== token) throw stackExists(stack.stackName);
  return stack;
}

export function newStackId(needs: OperationNeeds, call: Call, stackName: string): string {
  return toArn("cloudformation", call.region, call.account, `stack/${stackName}/${needs.ids.uuid()}`);
}

export function newStack(call: Call, stackId: string, stackName: string): Stack {
  return {
    version: 1,
    account: call.account,
    region: call.region,
    stackId,
    stackName,
    status: "REVIEW_IN_PROGRESS",
    createdAt: call.now,
    outputs: [],
    onFailure: "ROLLBACK",
    terminationProtection: false,
    actor: actorOf(call),
  };
}

export function actorOf(call: Call): Stack["actor"] {
  return { principal: call.principal, endpoint: call.endpoint };
}

export async function checkStackCount(tx: Transaction, call: Call): Promise<void> {
  const page = await tx.range({ prefix: keys.names(call) }, { limit: limits.stacksMax });
  if (page.length >= limits.stacksMax) throw validationError(`Limit for stack has been exceeded`);
}

/** Write the stack in its `…_IN_PROGRESS` status with its event, and the job that brings it to rest. */
export async function startOperation(needs: OperationNeeds, tx: Transaction, stack: Stack, now: number): Promise<void> {
  await writeStackWithEvent(tx, stack, needs.ids.uuid(), now);
  const { account, region, stackId } = stack;
  const payload: StackJob = { account, region, stackId };
  needs.jobs.schedule(tx, { kind: runJobKind, key: [account, region, stackId], at: now, payload });
}

export interface ForUpdate {
  readonly stack: Stack;
  readonly previous: PreviousDeployment;
  readonly resources: ReadonlyMap<string, StackResource>;
}

/** A stack that can be updated, with what it is made of. */
export async function readForUpdate(needs: OperationNeeds, call: Call, nameOrId: string): Promise<ForUpdate> {
  return needs.store.read(async (reader) => {
    const stack = await findStack(reader, call, nameOrId);
    if (!stack || stack.status === "DELETE_COMPLETE") throw stackNameNotFound(nameOrId);
    if (!updatable.has(stack.status) || stack.deployment === undefined)
      throw stackCannotUpdate(stack.stackId, stack.status);
    const { stackId, deployment: id } = stack;
    const deployment = await readDeployment(reader, call, stackId, id);
    const texts = await readTemplateTexts(reader, call, stackId, id);
    const resources = await readAll<StackResource>(reader, keys.resources(call, stackId));
    return {
      stack,
      previous: { deployment, texts },
      resources: new Map(resources.map((each) => [each.logicalId, each])),
    };
  });
}

/** Whether a prepared deployment differs from what the stack is. */
function changesAnything(
  needs: OperationNeeds,
  stack: Stack,
  prepared: Prepared,
  previous: PreviousDeployment,
  resources: ReadonlyMap<string, StackResource>,
): boolean {
  const changes = planChanges(prepared.blueprint, prepared.deployment, resources, needs.types);
  return hasChanges(
    changes,
    { outputs: outputsOf(stack.outputs), tags: previous.deployment.tags },
    { outputs: outputsOf(prepared.blueprint, resources), tags: prepared.deployment.tags },
  );
}

/** Begin an update; the stack must still be as it was read. */
export async function startUpdate(
  needs: OperationNeeds,
  call: Call,
  was: Stack,
  update: {
    readonly prepared: Pick<Prepared, "deployment" | "texts">;
    readonly roleArn: string | undefined;
    readonly clientRequestToken: string | undefined;
  },
): Promise<void> {
  const deployment = needs.ids.uuid();
  await needs.store.transact(async (tx) => {
    const stack = await tx.get<Stack>(keys.stack(was, was.stackId));
    if (!stack || !updatable.has(stack.status) || stack.deployment !== was.deployment) {
      throw stackCannotUpdate(was.stackId, stack?.status ?? "DELETE_COMPLETE");
    }
    writeDeployment(tx, call, stack.stackId, deployment, update.prepared.deployment, update.prepared.texts);
    await startOperation(needs, tx, updating(stack, call, { deployment, ...update }), call.now);
  });
}

export function updating(
  stack: Stack,
  call: Call,
  update: {
    readonly deployment: string;
    readonly roleArn: string | undefined;
    readonly clientRequestToken: string | undefined;
  },
): Stack {
  const { clientRequestToken: _token, ...rest } = stack;
  return {
    ...withStatus(rest, "UPDATE_IN_PROGRESS", "User Initiated"),
    updatedAt: call.now,
    deployment: update.deployment,
    ...(stack.deployment !== undefined && { previousDeployment: stack.deployment }),
    actor: actorOf(call),
    ...(update.roleArn !== undefined && { roleArn: update.roleArn }),
    ...(update.clientRequestToken !== undefined && { clientRequestToken: update.clientRequestToken }),
  };
}

/** Operations that have no other way to say it answer a transform's refusal as ValidationError. */
async function told<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof TransformError) throw validationError(error.message);
    throw error;
  }
}
