import { keys, type Incarnation, type Obsolete, type StackResource } from "../model.ts";
import { TemplateError } from "../template/template-error.ts";
import { failureReason, resourceContext } from "./resource-context.ts";
import { event, stateOf, StepFailedError } from "./resource-steps.ts";
import { recordResource, RunEndedError, writeAsRunner, type EventDraft, type Run } from "./run.ts";

/** Delete what is recorded under a logical id; the record stays and says so. @throws {StepFailedError} */
export async function deleteResource(
  run: Run,
  resource: StackResource,
  retain: boolean,
  cancel: AbortSignal,
): Promise<void> {
  if (resource.status === "DELETE_COMPLETE" || resource.status === "DELETE_SKIPPED") return;
  const updatedAt = run.needs.clock.now();
  const { reason: _reason, ...rest } = resource;
  if (retain) {
    const skipped: StackResource = { ...rest, status: "DELETE_SKIPPED", updatedAt };
    await recordResource(run, skipped, [event(skipped)]);
    return;
  }
  const gone: StackResource = { ...rest, status: "DELETE_COMPLETE", updatedAt };
  if (resource.physicalId === undefined) {
    await recordResource(run, gone, [event(gone)]);
    return;
  }
  const resumed = resource.status === "DELETE_IN_PROGRESS";
  const deleting: StackResource = { ...rest, status: "DELETE_IN_PROGRESS", updatedAt };
  if (!resumed) await recordResource(run, deleting, [event(deleting)]);
  try {
    await callDelete(run, resource, cancel, resumed);
  } catch (error) {
    if (error instanceof RunEndedError) throw error;
    const reason = failureReason(run, resource.type, error);
    const failed: StackResource = { ...deleting, status: "DELETE_FAILED", reason, updatedAt: run.needs.clock.now() };
    await recordResource(run, failed, [event(failed)]);
    throw new StepFailedError("delete", reason);
  }
  const done: StackResource = { ...gone, updatedAt: run.needs.clock.now() };
  await recordResource(run, done, [event(done)]);
}

/** Delete an obsolete incarnation; the stack's resource of that name is another one now. @throws {StepFailedError} */
export async function deleteObsolete(run: Run, obsolete: Obsolete, cancel: AbortSignal): Promise<void> {
  const { stack } = run;
  const { logicalId, physicalId, type, properties } = obsolete;
  const told = (status: string, reason?: string): EventDraft => ({
    logicalId,
    type,
    status,
    properties,
    ...(physicalId !== undefined && { physicalId }),
    ...(reason !== undefined && { reason }),
  });
  const drop = (status: string) =>
    writeAsRunner(run, [told(status)], async (tx) => {
      tx.delete(keys.obsolete(stack, stack.stackId, obsolete.incarnation));
    });
  if (obsolete.retain) return drop("DELETE_SKIPPED");
  if (physicalId === undefined) return drop("DELETE_COMPLETE");
  await writeAsRunner(run, [told("DELETE_IN_PROGRESS")], async () => {});
  try {
    await callDelete(run, obsolete, cancel, true);
  } catch (error) {
    if (error instanceof RunEndedError) throw error;
    const reason = failureReason(run, type, error);
    await writeAsRunner(run, [told("DELETE_FAILED", reason)], async () => {});
    throw new StepFailedError("delete", reason);
  }
  return drop("DELETE_COMPLETE");
}

async function callDelete(run: Run, incarnation: Incarnation, signal: AbortSignal, resumed: boolean): Promise<void> {
  const type = run.needs.types.get(incarnation.type);
  if (!type) throw new TemplateError(`Resource types not implemented by Cumulet: [${incarnation.type}]`);
  await type.delete({ ...resourceContext(run, incarnation, { signal, resumed }), state: stateOf(incarnation) });
}
