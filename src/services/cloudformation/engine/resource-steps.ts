import { isDeepStrictEqual } from "node:util";
import { AwsError } from "../../../aws/error.ts";
import { upperAlphanumeric } from "../../../kernel/ids.ts";
import { CustomResourceError } from "../custom-resources/custom-resource-error.ts";
import { isCustomType } from "../custom-resources/custom-types.ts";
import { cloudFormationLimits as limits } from "../limits.ts";
import { keys, type Incarnation, type Obsolete, type StackResource } from "../model.ts";
import type { ResourceState, ResourceType } from "../port.ts";
import { coerceProperties } from "../spec/coerce.ts";
import { findResourceSpec } from "../spec/resource-spec.ts";
import type { ResourceDeclaration } from "../template/document.ts";
import { evaluate, type ResourceValues, type Scope } from "../template/evaluate.ts";
import { isObject, type JsonObject, type JsonValue } from "../template/parse.ts";
import { TemplateError, templateError } from "../template/template-error.ts";
import type { Blueprint } from "./blueprint.ts";
import { failureReason, resourceContext } from "./resource-context.ts";
import { recordResource, RunEndedError, writeAsRunner, type EventDraft, type Run } from "./run.ts";

/** A resource's step has failed; the events say so already. */
export class StepFailedError extends Error {
  readonly verb: "create" | "update" | "delete";
  constructor(verb: "create" | "update" | "delete", reason: string) {
    super(reason);
    this.name = "StepFailedError";
    this.verb = verb;
  }
}

/** Values of the resources as they are now. */
export function currentValues(resources: ReadonlyMap<string, StackResource>): ResourceValues {
  return {
    ref: (logicalId) => resources.get(logicalId)?.physicalId,
    attribute: (logicalId, name) => {
      const resource = resources.get(logicalId);
      return resource && attributeOf(resource, name);
    },
  };
}

export function attributeOf(resource: Incarnation, name: string): JsonValue {
  const { attributes } = resource;
  const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  if (value !== undefined) return value;
  if (isCustomType(resource.type)) {
    throw new TemplateError(
      `CustomResource attribute error: Vendor response doesn't contain ${name} attribute in object ${resource.physicalId ?? resource.logicalId}`,
    );
  }
  throw templateError(`resource ${resource.logicalId} does not support attribute type ${name} in Fn::GetAtt`);
}

/** The properties of a resource with everything evaluated, each value of its property's type. */
export function resolveProperties(declaration: ResourceDeclaration, scope: Scope): JsonObject {
  const evaluated = evaluate(declaration.properties, scope);
  const properties = coerceProperties(declaration.type, declaration.logicalId, isObject(evaluated) ? evaluated : {});
  if (Buffer.byteLength(JSON.stringify(properties)) > limits.resourcePropertiesBytesMax) {
    throw new TemplateError(
      `The properties of resource ${declaration.logicalId} are larger than ${limits.resourcePropertiesBytesMax} bytes`,
    );
  }
  return properties;
}

/** Names of the top-level properties that differ. */
export function changedProperties(before: JsonObject, after: JsonObject): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isDeepStrictEqual(before[name], after[name]));
}

/** Whether a type acts on the stack's tags. */
export function isTaggable(type: ResourceType): boolean {
  return type.properties.some((property) => /^(?:\w*Tags)(?:$|[.[])/.test(property));
}

/** Make one resource what the blueprint says. Nothing happens when it is so already. @throws {StepFailedError} */
export async function applyResource(
  run: Run,
  blueprint: Blueprint,
  logicalId: string,
  deployment: { readonly id: string; readonly tags: Readonly<Record<string, string>> },
  cancel: AbortSignal,
): Promise<void> {
  const declaration = blueprint.resources.get(logicalId);
  if (!declaration) throw new Error(`${logicalId} is not in the template`);
  const existing = run.resources.get(logicalId);
  const verb = existing && existing.status !== "CREATE_IN_PROGRESS" ? "update" : "create";
  const type = run.needs.types.get(declaration.type);
  const step: Step = { run, type, cancel };
  if (existing?.deployment === deployment.id) {
    if (existing.status.endsWith("_COMPLETE")) return;
    if (existing.status.endsWith("_FAILED")) throw new StepFailedError(verb, existing.reason ?? "");
    await settle(step, existing, true);
    return;
  }
  let wanted: Incarnation;
  try {
    wanted = {
      ...describe(declaration, blueprint),
      tags: deployment.tags,
      properties: resolveProperties(declaration, blueprint.scope(currentValues(run.resources))),
      incarnation: existing?.incarnation ?? run.needs.ids.random(12, upperAlphanumeric),
      attributes: existing?.attributes ?? {},
      ...(existing?.noEcho && { noEcho: existing.noEcho }),
      ...(existing?.physicalId !== undefined && { physicalId: existing.physicalId }),
    };
  } catch (error) {
    await failUnresolved(step, declaration, existing, deployment, error);
    throw error;
  }
  const at = run.needs.clock.now();
  if (!existing) {
    const resource: StackResource = { ...begun(wanted, "CREATE_IN_PROGRESS", at, deployment.id) };
    await recordResource(run, resource, [event(resource)]);
    await settle(step, resource, false);
    return;
  }
  const { before: _none, ...asBefore } = existing;
  const change = changeOf(existing, wanted, type);
  if (change === "none") {
    const kept: StackResource = { ...existing, ...wanted };
    if (!isDeepStrictEqual(kept, existing)) await recordResource(run, kept, []);
    return;
  }
  const before = incarnationOf(asBefore);
  if (change === "update") {
    const resource: StackResource = { ...begun(wanted, "UPDATE_IN_PROGRESS", at, deployment.id), before };
    await recordResource(run, resource, [event(resource)]);
    await settle(step, resource, false);
    return;
  }
  const { physicalId: _old, noEcho: _former, ...unmade } = wanted;
  const incarnation = { ...unmade, incarnation: run.needs.ids.random(12, upperAlphanumeric), attributes: {} };
  const resource: StackResource = { ...begun(incarnation, "UPDATE_IN_PROGRESS", at, deployment.id), before };
  const reason = "Requested update requires the creation of a new physical resource; hence creating one.";
  await recordResource(run, resource, [{ ...event(resource), reason }]);
  await settle(step, resource, false);
}

interface Step {
  readonly run: Run;
  readonly type: ResourceType | undefined;
  readonly cancel: AbortSignal;
}

function describe(declaration: ResourceDeclaration, blueprint: Blueprint) {
  const { logicalId, type, deletionPolicy, updateReplacePolicy, metadata } = declaration;
  return {
    logicalId,
    type,
    deletionPolicy,
    updateReplacePolicy,
    dependsOn: blueprint.dependencies(logicalId),
    ...(metadata && { metadata }),
  };
}

function begun(
  incarnation: Incarnation,
  status: StackResource["status"],
  updatedAt: number,
  deployment: string,
): StackResource {
  return { version: 1, ...incarnation, status, updatedAt, deployment };
}

/** Only what an incarnation is, of something that is more. */
export function incarnationOf(of: Incarnation): Incarnation {
  const { logicalId, type, incarnation, physicalId, attributes, noEcho, properties, dependsOn, tags, metadata } = of;
  const { deletionPolicy, updateReplacePolicy } = of;
  return {
    logicalId,
    type,
    incarnation,
    attributes,
    properties,
    dependsOn,
    deletionPolicy,
    updateReplacePolicy,
    tags,
    ...(physicalId !== undefined && { physicalId }),
    ...(noEcho && { noEcho }),
    ...(metadata && { metadata }),
  };
}

export type Change = "none" | "update" | "replace";

export function changeOf(existing: Incarnation, wanted: Incarnation, type: ResourceType | undefined): Change {
  if (existing.type !== wanted.type) return "replace";
  const changed = changedProperties(existing.properties, wanted.properties);
  // What a custom resource makes of a change is its provider's to say.
  const spec = isCustomType(wanted.type) ? undefined : findResourceSpec(wanted.type);
  if (changed.some((name) => spec?.replacement(name) === "always")) return "replace";
  if (changed.length > 0) return "update";
  const tagged = type !== undefined && isTaggable(type) && !isDeepStrictEqual(existing.tags, wanted.tags);
  return tagged ? "update" : "none";
}

/** What is told of a resource as it is. */
export function event(resource: StackResource): EventDraft {
  const physicalId = resource.physicalId ?? resource.before?.physicalId;
  return {
    logicalId: resource.logicalId,
    ...(physicalId !== undefined && { physicalId }),
    type: resource.type,
    status: resource.status,
    ...(resource.reason !== undefined && { reason: resource.reason }),
    properties: resource.properties,
  };
}

/** Carry out a step that is recorded as begun, and record how it ended. */
async function settle(step: Step, resource: StackResource, resumed: boolean): Promise<void> {
  const { run, type, cancel } = step;
  const creates = resource.before === undefined || resource.before.incarnation !== resource.incarnation;
  try {
    if (!type) throw new TemplateError(`Resource types not implemented by Cumulet: [${resource.type}]`);
    const context = resourceContext(run, resource, { signal: cancel, resumed });
    const state = creates
      ? await type.create(context)
      : await type.update({ ...context, previous: resource.before?.properties ?? {}, state: stateOf(resource) });
    await complete(step, resource, state, creates);
  } catch (error) {
    if (error instanceof RunEndedError && run.stopped.aborted) throw error;
    throw await failed(step, resource, error, creates);
  }
}

export function stateOf(resource: Incarnation): ResourceState {
  return { physicalId: resource.physicalId ?? "", attributes: resource.attributes };
}

async function complete(step: Step, resource: StackResource, state: ResourceState, created: boolean): Promise<void> {
  const { run, type } = step;
  const isReplaced = !created && isReplacement(type, stateOf(resource), state);
  const { noEcho: _former, ...rest } = resource;
  const done: StackResource = {
    ...rest,
    ...become(state),
    ...(isReplaced && { incarnation: run.needs.ids.random(12, upperAlphanumeric) }),
    status: resource.before ? "UPDATE_COMPLETE" : "CREATE_COMPLETE",
    updatedAt: run.needs.clock.now(),
  };
  const told = (reason: string) => [{ ...event({ ...done, status: resource.status }), reason }, event(done)];
  if (created) return recordResource(run, done, told("Resource creation Initiated"));
  await recordResource(run, done, isReplaced ? told(replacedByUpdate) : [event(done)]);
}

/** Of custom resources, AWS tells it after the fact. */
const replacedByUpdate = "Requested update required the creation of a new physical resource; hence creating one.";

function isReplacement(type: ResourceType | undefined, before: ResourceState, after: ResourceState): boolean {
  return type?.replacesByUpdate === true && before.physicalId !== after.physicalId;
}

function become({ physicalId, attributes, noEcho }: ResourceState) {
  return { physicalId, attributes: plain(attributes), ...(noEcho === true && { noEcho }) };
}

/** Attributes as they can be stored and put into templates. */
function plain(attributes: Readonly<Record<string, unknown>>): JsonObject {
  const value: JsonObject = JSON.parse(JSON.stringify(attributes));
  return value;
}

async function failed(step: Step, resource: StackResource, error: unknown, created: boolean): Promise<StepFailedError> {
  const { run, cancel } = step;
  const verb = resource.before ? "update" : "create";
  let reason: string;
  if (error instanceof RunEndedError || (cancel.aborted && isAbort(error))) {
    reason = verb === "create" ? "Resource creation cancelled" : "Resource update cancelled";
  } else if (created && resource.before && error instanceof AwsError && /AlreadyExists|Conflict/.test(error.code)) {
    reason = `CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename ${resource.before.physicalId ?? resource.logicalId} and update the stack again.`;
  } else reason = failureReason(run, resource.type, error);
  const updatedAt = run.needs.clock.now();
  const status = resource.before ? "UPDATE_FAILED" : "CREATE_FAILED";
  const left = error instanceof CustomResourceError && created ? error.physicalId : undefined;
  const done: StackResource = {
    ...resource,
    status,
    reason,
    updatedAt,
    ...(left !== undefined && { physicalId: left }),
  };
  await recordResource(run, done, [event(done)]);
  return new StepFailedError(verb, reason);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** The properties could not be evaluated: the resource fails before anything is done to it. */
async function failUnresolved(
  step: Step,
  declaration: ResourceDeclaration,
  existing: StackResource | undefined,
  deployment: { readonly id: string; readonly tags: Readonly<Record<string, string>> },
  error: unknown,
): Promise<void> {
  const { run } = step;
  const reason = failureReason(run, declaration.type, error);
  const updatedAt = run.needs.clock.now();
  if (existing) {
    const { deployment: _old, ...rest } = existing;
    const done: StackResource = {
      ...rest,
      deployment: deployment.id,
      before: incarnationOf(existing),
      status: "UPDATE_FAILED",
      reason,
      updatedAt,
    };
    await recordResource(run, done, [event(done)]);
    throw new StepFailedError("update", reason);
  }
  const { logicalId, type, deletionPolicy, updateReplacePolicy } = declaration;
  const done: StackResource = {
    version: 1,
    logicalId,
    type,
    deletionPolicy,
    updateReplacePolicy,
    incarnation: run.needs.ids.random(12, upperAlphanumeric),
    attributes: {},
    properties: {},
    dependsOn: [],
    tags: deployment.tags,
    status: "CREATE_FAILED",
    reason,
    updatedAt,
    deployment: deployment.id,
  };
  await recordResource(
    run,
    done,
    [event({ ...done, status: "CREATE_IN_PROGRESS" }), event(done)].map(withoutReasonInProgress),
  );
  throw new StepFailedError("create", reason);
}

function withoutReasonInProgress(draft: EventDraft): EventDraft {
  if (!draft.status.endsWith("_IN_PROGRESS")) return draft;
  const { reason: _reason, ...rest } = draft;
  return rest;
}

/** Give a resource back what it was before the update. Its replacement, if there is one, becomes obsolete. */
export async function restoreResource(run: Run, resource: StackResource, cancel: AbortSignal): Promise<void> {
  const { stack, needs } = run;
  const updatedAt = needs.clock.now();
  const { before, reason: _reason, ...now } = resource;
  const retain = resource.deletionPolicy === "Retain";
  if (!before) {
    await writeAsRunner(run, [], async (tx) => {
      tx.set(keys.obsolete(stack, stack.stackId, resource.incarnation), toObsolete(resource, retain));
      tx.delete(keys.resource(stack, stack.stackId, resource.logicalId));
    });
    run.resources.delete(resource.logicalId);
    return;
  }
  const base = { version: 1, ...before, updatedAt, deployment: stack.previousDeployment ?? "" } as const;
  if (before.incarnation !== resource.incarnation) {
    const restored: StackResource = { ...base, status: "UPDATE_COMPLETE" };
    await writeAsRunner(run, [event(restored)], async (tx) => {
      tx.set(keys.obsolete(stack, stack.stackId, resource.incarnation), toObsolete(resource, retain));
      tx.set(keys.resource(stack, stack.stackId, resource.logicalId), restored);
    });
    run.resources.set(resource.logicalId, restored);
    return;
  }
  const resumed = now.status === "UPDATE_IN_PROGRESS";
  const begun: StackResource = { ...now, before, status: "UPDATE_IN_PROGRESS", updatedAt };
  await recordResource(run, begun, [event({ ...begun, properties: before.properties })]);
  const type = needs.types.get(resource.type);
  try {
    if (!type) throw new TemplateError(`Resource types not implemented by Cumulet: [${resource.type}]`);
    const context = resourceContext(run, before, { signal: cancel, resumed });
    const state = await type.update({
      ...context,
      restores: true,
      previous: resource.properties,
      state: stateOf(before),
    });
    const isReplaced = isReplacement(type, stateOf(before), state);
    const { noEcho: _former, ...restoring } = base;
    const restored: StackResource = {
      ...restoring,
      ...become(state),
      ...(isReplaced && { incarnation: needs.ids.random(12, upperAlphanumeric) }),
      status: "UPDATE_COMPLETE",
    };
    await writeAsRunner(run, [event(restored)], async (tx) => {
      tx.set(keys.resource(stack, stack.stackId, restored.logicalId), restored);
      if (!isReplaced) return;
      const former = toObsolete(before, before.updateReplacePolicy === "Retain");
      tx.set(keys.obsolete(stack, stack.stackId, former.incarnation), former);
    });
    run.resources.set(restored.logicalId, restored);
  } catch (error) {
    if (error instanceof RunEndedError) throw error;
    const told = failureReason(run, resource.type, error);
    const failed: StackResource = { ...begun, status: "UPDATE_FAILED", reason: told };
    await recordResource(run, failed, [event(failed)]);
    throw new StepFailedError("update", told);
  }
}

export function toObsolete(incarnation: Incarnation, retain: boolean): Obsolete {
  return { ...incarnationOf(incarnation), retain };
}
