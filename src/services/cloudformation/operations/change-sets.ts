import type * as sdk from "@aws-sdk/client-cloudformation";
import { toArn } from "../../../aws/arn.ts";
import { AwsError } from "../../../aws/error.ts";
import type { Call, InputOf, OperationsOf } from "../../../wire/service.ts";
import { hasChanges, planChanges } from "../engine/plan.ts";
import { withStatus } from "../engine/run.ts";
import { secretsOf, withoutSecrets } from "../engine/secrets.ts";
import {
  changeSetExists,
  changeSetNotExecutable,
  changeSetNotFound,
  memberNotImplemented,
  stackExists,
  stackNameNotFound,
  validationError,
} from "../errors.ts";
import { cloudFormationLimits as limits } from "../limits.ts";
import {
  deleteDeployment,
  findStack,
  keys,
  readAll,
  readDeployment,
  writeDeployment,
  writeStack,
  writeStackWithEvent,
  type ChangeSet,
  type Deployment,
  type ResourceChange,
  type Stack,
  type StackResource,
} from "../model.ts";
import { TransformError } from "../template/transforms.ts";
import { deploymentContext, isChangeSetArn, onStack } from "./access.ts";
import { findChangeSet } from "./change-set-records.ts";
import type { OperationNeeds } from "./needs.ts";
import { outputsOf } from "./outputs.ts";
import { pageOf } from "./pages.ts";
import { describeChange, summarizeChangeSet } from "./present-change-set.ts";
import { prepareDeployment, requireCapabilities, type Prepared } from "./prepare.ts";
import {
  actorOf,
  checkedStackName,
  checkStackCount,
  newStack,
  newStackId,
  passRole,
  readForUpdate,
  refuseMembers,
  startOperation,
  updating,
  type ForUpdate,
} from "./stacks.ts";
import { waitALittle } from "./settled.ts";
import { readTemplateText } from "./template-source.ts";

type Sdk = typeof sdk;
type Input = InputOf<Sdk, "CreateChangeSet">;
type Capability = sdk.Capability;

export function changeSetOperations(needs: OperationNeeds) {
  const { store } = needs;
  const onChangeSet = (
    input: { readonly StackName?: string | undefined; readonly ChangeSetName?: string | undefined },
    call: Call,
  ) =>
    onStack(
      needs,
      call,
      input.StackName ?? input.ChangeSetName,
      deploymentContext({ ChangeSetName: input.ChangeSetName }),
    );
  return {
    CreateChangeSet: {
      authorize: (input, call) => onStack(needs, call, input.StackName, deploymentContext(input)),
      async run(input, call) {
        refuseMembers(call, input);
        refuseChangeSetMembers(call, input);
        await passRole(needs, call, input.RoleARN, input.StackName);
        const changeSetName = checkedChangeSetName(input.ChangeSetName);
        const type = input.ChangeSetType ?? "UPDATE";
        if (type === "IMPORT") throw memberNotImplemented(call.operation, "ChangeSetType IMPORT");
        return type === "CREATE"
          ? createForNew(needs, call, input, changeSetName)
          : createForExisting(needs, call, input, changeSetName);
      },
    },
    DescribeChangeSet: {
      authorize: onChangeSet,
      async run(input, call) {
        return store.read(async (reader) => {
          const found = await findChangeSet(reader, call, input.ChangeSetName ?? "", input.StackName);
          if (!found) throw changeSetNotFound(input.ChangeSetName ?? "");
          const { stack, changeSet } = found;
          const { stackId } = stack;
          const deployment = await readDeployment(reader, call, stackId, changeSet.deployment);
          const changes = await readAll<ResourceChange>(reader, keys.changes(call, stackId, changeSet.changeSetId));
          const page = pageOf(changes, input.NextToken, limits.pageEntriesMax);
          return {
            ...summarizeChangeSet(stack, changeSet),
            ...(deployment.parameters.length > 0 && {
              Parameters: deployment.parameters.map(({ name, value, noEcho }) => ({
                ParameterKey: name,
                ParameterValue: noEcho ? "****" : value,
              })),
            }),
            NotificationARNs: [],
            RollbackConfiguration: {},
            ...(deployment.capabilities.length > 0 && { Capabilities: deployment.capabilities as Capability[] }),
            Tags: Object.entries(deployment.tags).map(([Key, Value]) => ({ Key, Value })),
            Changes: page.items.map((change) => describeChange(change, input.IncludePropertyValues === true)),
            ...(page.next !== undefined && { NextToken: page.next }),
            ...(changeSet.onFailure && { OnStackFailure: changeSet.onFailure }),
          };
        });
      },
    },
    ListChangeSets: {
      authorize: (input, call) => onStack(needs, call, input.StackName),
      async run(input, call) {
        return store.read(async (reader) => {
          const stack = await findStack(reader, call, input.StackName ?? "");
          if (!stack) throw stackNameNotFound(input.StackName ?? "");
          const changeSets = await readAll<ChangeSet>(reader, keys.changeSets(call, stack.stackId));
          const sorted = changeSets.toSorted((a, b) => b.createdAt - a.createdAt);
          const page = pageOf(sorted, input.NextToken, limits.pageEntriesMax);
          return {
            Summaries: page.items.map((each) => summarizeChangeSet(stack, each)),
            ...(page.next !== undefined && { NextToken: page.next }),
          };
        });
      },
    },
    DeleteChangeSet: {
      authorize: onChangeSet,
      async run(input, call) {
        const name = input.ChangeSetName ?? "";
        await store.transact(async (tx) => {
          if (input.StackName !== undefined && !(await findStack(tx, call, input.StackName))) {
            throw stackNameNotFound(input.StackName);
          }
          if (input.StackName === undefined && !isChangeSetArn(name)) throw stackNameRequired();
          const found = await findChangeSet(tx, call, name, input.StackName);
          if (!found) return;
          const { stack, changeSet } = found;
          if (changeSet.executionStatus === "EXECUTE_IN_PROGRESS") {
            throw new AwsError(
              "InvalidChangeSetStatus",
              400,
              `ChangeSet [${changeSet.changeSetId}] cannot be deleted in its current status of [${changeSet.executionStatus}]`,
            );
          }
          tx.delete(keys.changeSet(call, stack.stackId, changeSet.changeSetId));
          const changes = await tx.range(
            { prefix: keys.changes(call, stack.stackId, changeSet.changeSetId) },
            { limit: 1000 },
          );
          for (const { key } of changes) tx.delete(key);
          if (stack.deployment !== changeSet.deployment) {
            deleteDeployment(tx, call, stack.stackId, changeSet.deployment);
          }
        });
        return {};
      },
    },
    ExecuteChangeSet: {
      authorize: onChangeSet,
      async run(input, call) {
        const name = input.ChangeSetName ?? "";
        if (input.RetainExceptOnCreate === true) throw memberNotImplemented(call.operation, "RetainExceptOnCreate");
        if (input.StackName === undefined && !isChangeSetArn(name)) throw stackNameRequired();
        const executed = await store.transact(async (tx) => {
          const found = await findChangeSet(tx, call, name, input.StackName);
          if (!found) throw changeSetNotFound(name);
          const { stack, changeSet } = found;
          const { stackId } = stack;
          if (changeSet.executionStatus !== "AVAILABLE") {
            const state = changeSet.status === "FAILED" ? changeSet.status : changeSet.executionStatus;
            throw changeSetNotExecutable(changeSet.changeSetId, state);
          }
          const shared = {
            deployment: changeSet.deployment,
            roleArn: changeSet.roleArn,
            clientRequestToken: input.ClientRequestToken,
          };
          if (changeSet.type === "UPDATE" && input.DisableRollback === true) {
            throw memberNotImplemented(call.operation, "DisableRollback");
          }
          const started: Stack = {
            ...(changeSet.type === "UPDATE" ? updating(stack, call, shared) : creating(stack, call, changeSet, input)),
            changeSetId: changeSet.changeSetId,
          };
          for (const other of await readAll<ChangeSet>(tx, keys.changeSets(call, stackId))) {
            // AWS: executing one makes the others obsolete, and deletes them.
            if (other.changeSetId === changeSet.changeSetId) continue;
            tx.delete(keys.changeSet(call, stackId, other.changeSetId));
            deleteDeployment(tx, call, stackId, other.deployment);
          }
          tx.set(keys.changeSet(call, stackId, changeSet.changeSetId), {
            ...changeSet,
            executionStatus: "EXECUTE_COMPLETE",
          });
          await startOperation(needs, tx, started, call.now);
          return stackId;
        });
        await waitALittle(needs, call, executed);
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

const stackNameRequired = () =>
  validationError("StackName must be specified if ChangeSetName is not specified as an ARN.");

function creating(stack: Stack, call: Call, changeSet: ChangeSet, input: InputOf<Sdk, "ExecuteChangeSet">): Stack {
  const { clientRequestToken: _token, ...rest } = stack;
  return {
    ...withStatus(rest, "CREATE_IN_PROGRESS", "User Initiated"),
    deployment: changeSet.deployment,
    actor: actorOf(call),
    onFailure: changeSet.onFailure ?? (input.DisableRollback === true ? "DO_NOTHING" : "ROLLBACK"),
    ...(changeSet.roleArn !== undefined && { roleArn: changeSet.roleArn }),
    ...(input.ClientRequestToken !== undefined && { clientRequestToken: input.ClientRequestToken }),
  };
}

function refuseChangeSetMembers(call: Call, input: Input): void {
  const refuse = (member: string) => memberNotImplemented(call.operation, member);
  if ((input.ResourcesToImport?.length ?? 0) > 0) throw refuse("ResourcesToImport");
  if (input.ImportExistingResources === true) throw refuse("ImportExistingResources");
  if (input.IncludeNestedStacks === true) throw refuse("IncludeNestedStacks");
}

function checkedChangeSetName(name: string | undefined): string {
  const changeSetName = name ?? "";
  if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(changeSetName)) {
    throw validationError(
      `1 validation error detected: Value '${changeSetName}' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
    );
  }
  return changeSetName;
}

/** Failures that the change set itself reports, instead of an error. */
class ChangeSetFailure extends Error {}

async function createForNew(needs: OperationNeeds, call: Call, input: Input, changeSetName: string) {
  const stackName = checkedStackName(
    input.StackName?.startsWith("arn:") ? input.StackName.split("/")[1] : input.StackName,
  );
  const reviewed = await needs.store.read((reader) => findStack(reader, call, stackName));
  if (reviewed && reviewed.status !== "REVIEW_IN_PROGRESS") throw existsAlready(stackName, changeSetName);
  const stackId = reviewed?.stackId ?? newStackId(needs, call, stackName);
  const text = await readTemplateText(input, call, needs.directory);
  const plan = await attempt(text, async () => {
    const prepared = await prepareDeployment(needs, call, { stackId, stackName }, text, input, undefined);
    acknowledge(prepared, input);
    const changes = planChanges(prepared.blueprint, prepared.deployment, new Map(), needs.types);
    return { prepared, changes: toShown(changes, [prepared.deployment]) };
  });
  return needs.store.transact(async (tx) => {
    const existing = await findStack(tx, call, stackName);
    if (existing && existing.status !== "REVIEW_IN_PROGRESS") throw existsAlready(stackName, changeSetName);
    if (existing && existing.stackId !== stackId) throw stackExists(stackName);
    if (!existing) {
      await checkStackCount(tx, call);
      tx.set(keys.name(call, stackName), stackId);
      const stack: Stack = { ...newStack(call, stackId, stackName), reason: "User Initiated" };
      await writeStackWithEvent(tx, stack, needs.ids.uuid(), call.now);
    }
    return writeChangeSet(needs, tx, call, { stackId, type: "CREATE", changeSetName, input, plan });
  });
}

const existsAlready = (stackName: string, changeSetName: string) =>
  validationError(
    `Stack [${stackName}] already exists and cannot be created again with the changeSet [${changeSetName}].`,
  );

async function createForExisting(needs: OperationNeeds, call: Call, input: Input, changeSetName: string) {
  const current = await readForUpdate(needs, call, input.StackName ?? "");
  const { stack, previous } = current;
  const text = input.UsePreviousTemplate
    ? previous.texts.original
    : await readTemplateText(input, call, needs.directory);
  const plan = await attempt(text, async () => {
    const prepared = await prepareDeployment(needs, call, stack, text, input, previous);
    acknowledge(prepared, input);
    const changes = changesOf(needs, prepared, current);
    return {
      prepared,
      changes: toShown(changes, [prepared.deployment, previous.deployment], current.resources.values()),
    };
  });
  return needs.store.transact(async (tx) => {
    const now = await tx.get<Stack>(keys.stack(stack, stack.stackId));
    if (!now || now.deployment !== stack.deployment || now.status !== stack.status) {
      throw validationError(
        `Stack:${stack.stackId} is in ${now?.status ?? "DELETE_COMPLETE"} state and can not be updated.`,
      );
    }
    writeStack(tx, now);
    return writeChangeSet(needs, tx, call, { stackId: stack.stackId, type: "UPDATE", changeSetName, input, plan });
  });
}

function changesOf(needs: OperationNeeds, prepared: Prepared, current: ForUpdate): readonly ResourceChange[] {
  const { stack, previous, resources } = current;
  const changes = planChanges(prepared.blueprint, prepared.deployment, resources, needs.types);
  const changed = hasChanges(
    changes,
    { outputs: outputsOf(stack.outputs), tags: previous.deployment.tags },
    { outputs: outputsOf(prepared.blueprint, resources), tags: prepared.deployment.tags },
  );
  if (!changed) {
    // AWS has two sentences for it: with a transform the template was looked at only after the change set was made.
    throw new ChangeSetFailure(
      prepared.transformed
        ? "No updates are to be performed."
        : "The submitted information didn't contain changes. Submit different information to create a change set.",
    );
  }
  return changes;
}

/** Changes as they may be shown. */
function toShown(
  changes: readonly ResourceChange[],
  deployments: readonly Deployment[],
  resources: Iterable<StackResource> = [],
): readonly ResourceChange[] {
  const secrets = secretsOf(deployments, resources);
  return changes.map((change) => {
    const { before, after, ...rest } = change;
    return Object.assign(
      rest,
      before && { before: withoutSecrets(before, secrets) },
      after && { after: withoutSecrets(after, secrets) },
    );
  });
}

/** AWS: with a transform, capabilities are looked at only after the change set was made. */
function acknowledge(prepared: Prepared, input: Input): void {
  if (prepared.transformed && prepared.missingCapabilities.length > 0) {
    throw new ChangeSetFailure(`Requires capabilities : [${prepared.missingCapabilities.join(", ")}]`);
  }
  requireCapabilities(prepared, input.Capabilities ?? [], false);
}

type Plan =
  | { readonly outcome: "planned"; readonly prepared: Prepared; readonly changes: readonly ResourceChange[] }
  | { readonly outcome: "failed"; readonly reason: string; readonly text: string };

async function attempt(
  text: string,
  body: () => Promise<{ readonly prepared: Prepared; readonly changes: readonly ResourceChange[] }>,
): Promise<Plan> {
  try {
    return { outcome: "planned", ...(await body()) };
  } catch (error) {
    if (error instanceof TransformError || error instanceof ChangeSetFailure) {
      return { outcome: "failed", reason: error.message, text };
    }
    throw error;
  }
}

async function writeChangeSet(
  needs: OperationNeeds,
  tx: Parameters<typeof writeStack>[0],
  call: Call,
  made: {
    readonly stackId: string;
    readonly type: "CREATE" | "UPDATE";
    readonly changeSetName: string;
    readonly input: Input;
    readonly plan: Plan;
  },
) {
  const { stackId, type, changeSetName, input, plan } = made;
  const existing = await readAll<ChangeSet>(tx, keys.changeSets(call, stackId));
  const same = existing.find((each) => each.changeSetName === changeSetName);
  if (same && input.ClientToken !== undefined && same.clientToken === input.ClientToken) {
    return { Id: same.changeSetId, StackId: stackId };
  }
  if (same) throw changeSetExists(changeSetName);
  const changeSetId = toArn(
    "cloudformation",
    call.region,
    call.account,
    `changeSet/${changeSetName}/${needs.ids.uuid()}`,
  );
  const deployment = needs.ids.uuid();
  const planned = plan.outcome === "planned";
  const onFailure = input.OnStackFailure;
  const changeSet: ChangeSet = {
    version: 1,
    changeSetId,
    changeSetName,
    type,
    status: planned ? "CREATE_COMPLETE" : "FAILED",
    executionStatus: planned ? "AVAILABLE" : "UNAVAILABLE",
    ...(!planned && { reason: plan.reason }),
    createdAt: call.now,
    deployment,
    ...(input.Description !== undefined && { description: input.Description }),
    ...(input.RoleARN !== undefined && { roleArn: input.RoleARN }),
    ...(onFailure !== undefined && { onFailure }),
    ...(input.ClientToken !== undefined && { clientToken: input.ClientToken }),
  };
  tx.set(keys.changeSet(call, stackId, changeSetId), changeSet);
  if (planned) {
    writeDeployment(tx, call, stackId, deployment, plan.prepared.deployment, plan.prepared.texts);
    plan.changes.forEach((change, index) => tx.set(keys.change(call, stackId, changeSetId, index), change));
  } else {
    const none = { version: 1, parameters: [], tags: {}, capabilities: input.Capabilities ?? [] } as const;
    writeDeployment(tx, call, stackId, deployment, none, { original: plan.text });
  }
  return { Id: changeSetId, StackId: stackId };
}
