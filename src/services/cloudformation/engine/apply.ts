import { keys, readDeployment, readTemplateTexts, type Stack } from "../model.ts";
import { cloudFormationLimits as limits } from "../limits.ts";
import { readTemplate } from "../template/document.ts";
import { parseTemplate } from "../template/parse.ts";
import { TemplateError } from "../template/template-error.ts";
import { createBlueprint, type Blueprint } from "./blueprint.ts";
import { evaluateOutputs, holdImports, readExports } from "./exports.ts";
import { runInOrder } from "./ordered-run.ts";
import { applyResource, StepFailedError } from "./resource-steps.ts";
import { RunEndedError, writeAsRunner, type Run } from "./run.ts";

type Outcome =
  | {
      readonly ok: true;
      readonly reason: string;
      readonly blueprint: Blueprint;
      readonly outputs: Stack["outputs"];
    }
  | { readonly ok: false; readonly reason: string; readonly interrupt?: string };

/** Make all resources what the stack's deployment says. A failure of theirs is an outcome. */
export async function applyDeployment(run: Run): Promise<Outcome> {
  const { stack, needs } = run;
  const { stackId, deployment: id } = stack;
  if (id === undefined) throw new Error(`${stackId} has no deployment`);
  try {
    const { blueprint, tags } = await loadBlueprint(run, id);
    await writeAsRunner(run, [], (tx) => holdImports(tx, stack, blueprint.imports));
    const cancel = new AbortController();
    const interrupted = await watchInterrupts(run, cancel);
    let failures: ReadonlyMap<string, unknown>;
    try {
      failures = await stoppable(run, cancel, () =>
        runInOrder(
          [...blueprint.resources.keys()],
          (logicalId) => blueprint.dependencies(logicalId),
          async (logicalId) => {
            if (cancel.signal.aborted) throw new RunEndedError();
            try {
              await applyResource(run, blueprint, logicalId, { id, tags }, cancel.signal);
            } catch (error) {
              cancel.abort();
              throw error;
            }
          },
          { parallelMax: limits.parallelStepsMax },
        ),
      );
    } finally {
      interrupted.stop();
    }
    const cause = interrupted.cause();
    if (failures.size > 0 || cause !== undefined) {
      return {
        ok: false,
        reason: `${cause?.reason ?? ""}${failureText(failures)}`,
        ...(cause && { interrupt: cause.kind }),
      };
    }
    if (needs.clock.now() > (stack.deadline ?? Number.POSITIVE_INFINITY)) return { ok: false, reason: timedOut };
    return { ok: true, reason: "", blueprint, outputs: evaluateOutputs(run, blueprint) };
  } catch (error) {
    if (error instanceof TemplateError) return { ok: false, reason: error.message };
    throw error;
  }
}

const timedOut = "Stack creation time exceeded the specified timeout. ";

async function loadBlueprint(run: Run, id: string) {
  const { stack, needs } = run;
  const { deployment, texts, exports } = await needs.store.read(async (reader) => ({
    deployment: await readDeployment(reader, stack, stack.stackId, id),
    texts: await readTemplateTexts(reader, stack, stack.stackId, id),
    exports: await readExports(reader, stack),
  }));
  const template = readTemplate(parseTemplate(texts.processed ?? texts.original));
  const parameters = new Map(deployment.parameters.map(({ name, value }) => [name, value]));
  const { account, region, stackId, stackName } = stack;
  const blueprint = createBlueprint(template, { account, region, stackId, stackName, parameters, exports });
  return { blueprint, tags: deployment.tags };
}

/** In AWS's words, those that failed themselves: what was only cancelled is not named. */
function failureText(failures: ReadonlyMap<string, unknown>): string {
  const named = (verb: string) =>
    [...failures]
      .filter(
        ([, error]) => error instanceof StepFailedError && error.verb === verb && !error.message.endsWith(" cancelled"),
      )
      .map(([logicalId]) => logicalId);
  return ["create", "update"]
    .map((verb) => {
      const names = named(verb);
      return names.length === 0 ? "" : `The following resource(s) failed to ${verb}: [${names.join(", ")}]. `;
    })
    .join("");
}

interface Interrupts {
  cause(): { readonly kind: string; readonly reason: string } | undefined;
  stop(): void;
}

/** Abort when someone asks for it (CancelUpdateStack, DeleteStack) or the stack's time is over. */
async function watchInterrupts(run: Run, cancel: AbortController): Promise<Interrupts> {
  const { stack, needs } = run;
  let cause: { readonly kind: string; readonly reason: string } | undefined;
  const interrupt = (kind: string, reason: string): void => {
    cause ??= { kind, reason };
    cancel.abort();
  };
  const look = async (): Promise<void> => {
    const request = await needs.store.read((reader) => reader.get<string>(keys.interrupt(stack, stack.stackId)));
    if (request !== undefined) interrupt(request, request === "cancel" ? "User Initiated" : "");
  };
  const unwatch = needs.store.watch(keys.interrupts(stack, stack.stackId), () => {
    look().catch((error: unknown) =>
      needs.log.warn("An interrupt could not be read", { stackId: stack.stackId, error }),
    );
  });
  const cancelTimer =
    stack.deadline === undefined || stack.status !== "CREATE_IN_PROGRESS"
      ? undefined
      : needs.clock.after(Math.max(0, stack.deadline - needs.clock.now()), () => interrupt("timeout", timedOut));
  await look();
  return {
    cause: () => cause,
    stop: () => {
      unwatch();
      cancelTimer?.();
    },
  };
}

/** Run steps; when this process must stop they are aborted, and nothing is concluded from it. */
export async function stoppable(
  run: Run,
  cancel: AbortController,
  steps: () => Promise<ReadonlyMap<string, unknown>>,
): Promise<ReadonlyMap<string, unknown>> {
  const stop = (): void => cancel.abort();
  run.stopped.addEventListener("abort", stop, { once: true });
  try {
    const failures = await steps();
    for (const error of failures.values()) {
      const cancelled = error instanceof RunEndedError && !run.stopped.aborted && cancel.signal.aborted;
      if (!(error instanceof StepFailedError) && !cancelled) throw error;
    }
    if (run.stopped.aborted) throw new RunEndedError();
    return failures;
  } finally {
    run.stopped.removeEventListener("abort", stop);
  }
}
