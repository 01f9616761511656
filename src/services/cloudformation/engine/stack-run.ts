import type { Job } from "../../../kernel/jobs/jobs.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import { AwsError } from "../../../aws/error.ts";
import type { Principal } from "../../../aws/principal.ts";
import { cloudFormationLimits as limits } from "../limits.ts";
import {
  deleteDeployment,
  keys,
  nextEventNumber,
  readAll,
  type Deployment,
  type Obsolete,
  type Place,
  type Stack,
  type StackResource,
} from "../model.ts";
import { TemplateError } from "../template/template-error.ts";
import { applyDeployment, stoppable } from "./apply.ts";
import type { Blueprint } from "./blueprint.ts";
import { replaceExports, settleImports } from "./exports.ts";
import { runInOrder } from "./ordered-run.ts";
import { deleteObsolete, deleteResource } from "./delete-steps.ts";
import { restoreResource, toObsolete } from "./resource-steps.ts";
import { advanceStack, RunEndedError, withStatus, type EngineNeeds, type Run } from "./run.ts";

export const runJobKind = "cloudformation.run";
export const forgetJobKind = "cloudformation.forget";

/** What a job of either kind is about. */
export interface StackJob extends Place {
  readonly stackId: string;
}

/**
 * Bring a stack from an `…_IN_PROGRESS` status to where it rests. The status is the state of the machine: a run that
 * begins after another process died goes on from the records of stack and resources.
 */
export async function runStack(needs: EngineNeeds, job: Job, subject: StackJob): Promise<void> {
  const run = await begin(needs, subject, job.signal);
  if (!run) return;
  try {
    for (;;) {
      const proceed = phases[run.stack.status];
      if (!proceed) return;
      await proceed(run, job);
    }
  } catch (error) {
    // Another process goes on, or this one will after a restart.
    if (error instanceof RunEndedError && !job.signal.aborted) return;
    throw error;
  }
}

async function begin(needs: EngineNeeds, { stackId, ...at }: StackJob, stopped: AbortSignal): Promise<Run | undefined> {
  const token = needs.ids.uuid();
  const state = await needs.store.transact(async (tx) => {
    const stack = await tx.get<Stack>(keys.stack(at, stackId));
    if (!stack || !phases[stack.status]) return undefined;
    tx.set(keys.runner(at, stackId), token);
    const resources = await readAll<StackResource>(tx, keys.resources(at, stackId));
    const ids = [stack.deployment, stack.previousDeployment].filter((id) => id !== undefined);
    const deployments = await tx.getMany<Deployment>(ids.map((id) => keys.deployment(at, stackId, id)));
    return { stack, resources, deployments, nextEvent: await nextEventNumber(tx, at, stackId) };
  });
  if (!state) return undefined;
  const { stack, nextEvent, deployments } = state;
  const resources = new Map(state.resources.map((each) => [each.logicalId, each]));
  return {
    needs,
    token,
    stack,
    resources,
    nextEvent,
    deployments,
    principal: await principalOf(needs, stack),
    stopped,
  };
}

/** The stack's role where it has one, otherwise who asked. A role that cannot be taken on any more leaves no rights. */
async function principalOf(needs: EngineNeeds, stack: Stack): Promise<Principal> {
  if (stack.roleArn === undefined) return stack.actor.principal;
  try {
    return await needs.iam.assumeRole({
      roleArn: stack.roleArn,
      service: "cloudformation.amazonaws.com",
      sessionName: "AWSCloudFormation",
      sourceArn: stack.stackId,
    });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    needs.log.warn("A stack's role cannot be assumed", { stackId: stack.stackId, roleArn: stack.roleArn, error });
    return { type: "anonymous" };
  }
}

type Phase = (run: Run, job: Job) => Promise<void>;

const phases: Partial<Record<Stack["status"], Phase>> = {
  CREATE_IN_PROGRESS: create,
  ROLLBACK_IN_PROGRESS: (run, job) => remove(run, job, "ROLLBACK"),
  UPDATE_IN_PROGRESS: update,
  UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: cleanUp,
  UPDATE_ROLLBACK_IN_PROGRESS: rollBack,
  UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS: cleanUp,
  DELETE_IN_PROGRESS: (run, job) => remove(run, job, "DELETE"),
};

async function create(run: Run, job: Job): Promise<void> {
  const outcome = await applyDeployment(run);
  const { stack } = run;
  if (outcome.ok) {
    const done: Stack = { ...withStatus(stack, "CREATE_COMPLETE"), outputs: outcome.outputs };
    const conflict = await refused(() =>
      advanceStack(
        run,
        done,
        async (tx) => {
          await replaceExports(tx, stack, [], outcome.outputs);
          await settleImports(tx, stack, "applied");
        },
        finishing(job),
      ),
    );
    if (conflict === undefined) return;
    return failCreate(run, conflict, job);
  }
  if (outcome.interrupt === "delete") {
    return advanceStack(run, withStatus(stack, "DELETE_IN_PROGRESS", "User Initiated"), async (tx) =>
      clearInterrupt(run, tx),
    );
  }
  return failCreate(run, outcome.reason, job);
}

async function failCreate(run: Run, reason: string, job: Job): Promise<void> {
  const { stack } = run;
  const told = reason.replace(/\.? *$/, ".");
  switch (stack.onFailure) {
    case "ROLLBACK":
      return advanceStack(run, withStatus(stack, "ROLLBACK_IN_PROGRESS", `${told} Rollback requested by user.`));
    case "DELETE":
      return advanceStack(run, withStatus(stack, "DELETE_IN_PROGRESS", `${told} Delete requested by user.`));
    case "DO_NOTHING":
      return advanceStack(run, withStatus(stack, "CREATE_FAILED", `${told} `), undefined, finishing(job));
  }
}

async function update(run: Run): Promise<void> {
  const { stack } = run;
  const outcome = await applyDeployment(run);
  let { reason } = outcome;
  if (outcome.ok) {
    const updatedAt = run.needs.clock.now();
    const done: Stack = {
      ...withStatus(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
      outputs: outcome.outputs,
      updatedAt,
    };
    const obsolete = obsoletesOf(run, outcome.blueprint);
    const kept = [...run.resources.values()].filter(({ logicalId }) => outcome.blueprint.resources.has(logicalId));
    const conflict = await refused(() =>
      advanceStack(run, done, async (tx) => {
        await replaceExports(tx, stack, stack.outputs, outcome.outputs);
        await settleImports(tx, stack, "applied");
        for (const each of obsolete) tx.set(keys.obsolete(stack, stack.stackId, each.incarnation), each);
        for (const resource of kept) {
          const { before, ...settled } = resource;
          if (before) tx.set(keys.resource(stack, stack.stackId, resource.logicalId), settled);
        }
        for (const logicalId of run.resources.keys()) {
          if (!outcome.blueprint.resources.has(logicalId)) tx.delete(keys.resource(stack, stack.stackId, logicalId));
        }
        if (stack.previousDeployment !== undefined) {
          deleteDeployment(tx, stack, stack.stackId, stack.previousDeployment);
        }
      }),
    );
    if (conflict === undefined) {
      run.resources.clear();
      for (const { before: _before, ...settled } of kept) run.resources.set(settled.logicalId, settled);
      return;
    }
    reason = conflict;
  }
  await advanceStack(run, withStatus(stack, "UPDATE_ROLLBACK_IN_PROGRESS", reason), async (tx) =>
    clearInterrupt(run, tx),
  );
}

/** What an update leaves behind: resources that are not in the template any more, and those that were replaced. */
function obsoletesOf(run: Run, blueprint: Blueprint): Obsolete[] {
  const obsolete: Obsolete[] = [];
  for (const resource of run.resources.values()) {
    const { before } = resource;
    if (!blueprint.resources.has(resource.logicalId)) {
      obsolete.push(toObsolete(resource, resource.deletionPolicy !== "Delete"));
    } else if (before && before.incarnation !== resource.incarnation) {
      obsolete.push(toObsolete(before, before.updateReplacePolicy === "Retain"));
    }
  }
  return obsolete;
}

async function rollBack(run: Run, job: Job): Promise<void> {
  const { stack } = run;
  const touched = [...run.resources.values()].filter(({ deployment, logicalId }) => {
    return deployment === stack.deployment && !stack.skip?.includes(logicalId);
  });
  const cancel = new AbortController();
  const failures = await stoppable(run, cancel, () =>
    runInOrder(
      touched.map(({ logicalId }) => logicalId),
      (logicalId) => run.resources.get(logicalId)?.before?.dependsOn ?? [],
      async (logicalId) => {
        const resource = run.resources.get(logicalId);
        if (resource) await restoreResource(run, resource, cancel.signal);
      },
      { parallelMax: limits.parallelStepsMax },
    ),
  );
  if (failures.size > 0) {
    const reason = `The following resource(s) failed to update: [${[...failures.keys()].join(", ")}]. `;
    return advanceStack(run, withStatus(stack, "UPDATE_ROLLBACK_FAILED", reason), undefined, finishing(job));
  }
  const { deployment, previousDeployment, skip: _skip, ...rest } = stack;
  const restored: Stack = {
    ...withStatus(rest, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
    ...(previousDeployment !== undefined && { deployment: previousDeployment }),
  };
  await advanceStack(run, restored, async (tx) => {
    await settleImports(tx, stack, "restored");
    if (deployment !== undefined) deleteDeployment(tx, stack, stack.stackId, deployment);
  });
}

/** Delete what is obsolete. What cannot be deleted stays behind, and the stack says so. */
async function cleanUp(run: Run, job: Job): Promise<void> {
  const { stack, needs } = run;
  const cancel = new AbortController();
  let left = await needs.store.read((reader) => readAll<Obsolete>(reader, keys.obsoletes(stack, stack.stackId)));
  for (let attempt = 1; left.length > 0 && attempt <= limits.cleanupAttemptsMax; attempt++) {
    const byIncarnation = new Map(left.map((each) => [each.incarnation, each]));
    const failures = await stoppable(run, cancel, () =>
      runInOrder(
        [...byIncarnation.keys()],
        (incarnation) => dependentsOf(byIncarnation.get(incarnation), left),
        async (incarnation) => {
          const obsolete = byIncarnation.get(incarnation);
          if (obsolete) await deleteObsolete(run, obsolete, cancel.signal);
        },
        { parallelMax: limits.parallelStepsMax, keepGoing: true },
      ),
    );
    left =
      failures.size === 0
        ? []
        : await needs.store.read((reader) => readAll<Obsolete>(reader, keys.obsoletes(stack, stack.stackId)));
  }
  const reason = left.length > 0 ? "Update successful. One or more resources could not be deleted." : undefined;
  const updated = stack.status === "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS";
  const { previousDeployment: _previous, ...rest } = stack;
  await advanceStack(
    run,
    withStatus(rest, updated ? "UPDATE_COMPLETE" : "UPDATE_ROLLBACK_COMPLETE", reason),
    async (tx) => {
      for (const { incarnation } of left) tx.delete(keys.obsolete(stack, stack.stackId, incarnation));
      tx.delete(keys.runner(stack, stack.stackId));
    },
    finishing(job),
  );
}

/** Those that named this one: they are deleted first. */
function dependentsOf(resource: { readonly logicalId: string } | undefined, all: readonly Obsolete[]): string[] {
  return all
    .filter(({ dependsOn }) => resource && dependsOn.includes(resource.logicalId))
    .map(({ incarnation }) => incarnation);
}

async function remove(run: Run, job: Job, why: "ROLLBACK" | "DELETE"): Promise<void> {
  const { stack, needs } = run;
  const cancel = new AbortController();
  const obsolete = await needs.store.read((reader) => readAll<Obsolete>(reader, keys.obsoletes(stack, stack.stackId)));
  const all = [...run.resources.values()];
  const failures = await stoppable(run, cancel, async () => {
    const first = await runInOrder(
      obsolete.map(({ incarnation }) => incarnation),
      (incarnation) =>
        dependentsOf(
          obsolete.find((each) => each.incarnation === incarnation),
          obsolete,
        ),
      async (incarnation) => {
        const each = obsolete.find((other) => other.incarnation === incarnation);
        if (each) await deleteObsolete(run, each, cancel.signal);
      },
      { parallelMax: limits.parallelStepsMax, keepGoing: true },
    );
    const dependents = new Map<string, string[]>();
    for (const { logicalId, dependsOn } of all) {
      for (const on of dependsOn) dependents.set(on, [...(dependents.get(on) ?? []), logicalId]);
    }
    const second = await runInOrder(
      all.map(({ logicalId }) => logicalId),
      (logicalId) => dependents.get(logicalId) ?? [],
      async (logicalId) => {
        const resource = run.resources.get(logicalId);
        if (resource) await deleteResource(run, resource, isRetained(stack, resource, why), cancel.signal);
      },
      { parallelMax: limits.parallelStepsMax, keepGoing: true },
    );
    return new Map([...first, ...second]);
  });
  if (failures.size > 0) {
    const reason = `The following resource(s) failed to delete: [${[...failures.keys()].join(", ")}]. `;
    const status = why === "DELETE" ? "DELETE_FAILED" : "ROLLBACK_FAILED";
    return advanceStack(run, withStatus(stack, status, reason), undefined, finishing(job));
  }
  if (why === "ROLLBACK") {
    return advanceStack(
      run,
      withStatus(stack, "ROLLBACK_COMPLETE"),
      async (tx) => {
        await settleImports(tx, stack, "deleted");
        tx.delete(keys.runner(stack, stack.stackId));
      },
      finishing(job),
    );
  }
  const deletedAt = needs.clock.now();
  await advanceStack(
    run,
    { ...withStatus(stack, "DELETE_COMPLETE"), deletedAt },
    (tx) => forgetName(run, tx, deletedAt),
    finishing(job),
  );
}

async function forgetName(run: Run, tx: Transaction, deletedAt: number): Promise<void> {
  const { stack, needs } = run;
  const { stackId, account, region } = stack;
  await replaceExports(tx, stack, stack.outputs, []);
  await settleImports(tx, stack, "deleted");
  clearInterrupt(run, tx);
  tx.delete(keys.runner(stack, stackId));
  if ((await tx.get(keys.name(stack, stack.stackName))) === stackId) tx.delete(keys.name(stack, stack.stackName));
  for (const prefix of [keys.changeSets(stack, stackId)]) {
    for (const { key } of await tx.range({ prefix }, { limit: 1000 })) tx.delete(key);
  }
  const payload: StackJob = { account, region, stackId };
  needs.jobs.schedule(tx, {
    kind: forgetJobKind,
    key: [account, region, stackId],
    at: deletedAt + deletedStackMs,
    payload,
  });
}

/** AWS shows deleted stacks for 90 days. */
const deletedStackMs = 90 * 86_400_000;

function isRetained(stack: Stack, resource: StackResource, why: "ROLLBACK" | "DELETE"): boolean {
  if (stack.retain?.includes(resource.logicalId)) return true;
  const created = resource.status === "CREATE_COMPLETE" || resource.status === "UPDATE_COMPLETE";
  if (resource.deletionPolicy === "Retain") return resource.physicalId !== undefined;
  return resource.deletionPolicy === "RetainExceptOnCreate" && why === "DELETE" && created;
}

function clearInterrupt(run: Run, tx: Transaction): void {
  tx.delete(keys.interrupt(run.stack, run.stack.stackId));
}

/** The reason when the transaction was refused by what it found, as exports in use. */
async function refused(act: () => Promise<void>): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
}

function finishing(job: Job) {
  return <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => job.finish(body);
}
