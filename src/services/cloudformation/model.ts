import type { Principal } from "../../aws/principal.ts";
import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";
import type { DeletionPolicy } from "./template/document.ts";
import type { JsonObject, JsonValue } from "./template/parse.ts";

/** An account's part of a region: where stacks live. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

export type StackStatus =
  | "REVIEW_IN_PROGRESS"
  | "CREATE_IN_PROGRESS"
  | "CREATE_FAILED"
  | "CREATE_COMPLETE"
  | "ROLLBACK_IN_PROGRESS"
  | "ROLLBACK_FAILED"
  | "ROLLBACK_COMPLETE"
  | "UPDATE_IN_PROGRESS"
  | "UPDATE_FAILED"
  | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
  | "UPDATE_COMPLETE"
  | "UPDATE_ROLLBACK_IN_PROGRESS"
  | "UPDATE_ROLLBACK_FAILED"
  | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
  | "UPDATE_ROLLBACK_COMPLETE"
  | "DELETE_IN_PROGRESS"
  | "DELETE_FAILED"
  | "DELETE_COMPLETE";

export interface Stack extends Place {
  readonly version: 1;
  readonly stackId: string;
  readonly stackName: string;
  readonly status: StackStatus;
  readonly reason?: string;
  /** Epoch milliseconds, as all times here. */
  readonly createdAt: number;
  readonly updatedAt?: number;
  readonly deletedAt?: number;
  /** The deployment that is applied, or being applied; absent before the first. */
  readonly deployment?: string;
  /** While an update is not complete: the one to go back to. */
  readonly previousDeployment?: string;
  readonly outputs: readonly StackOutput[];
  readonly onFailure: "ROLLBACK" | "DELETE" | "DO_NOTHING";
  /** Epoch milliseconds: when a creation that is still running has failed. */
  readonly deadline?: number;
  readonly timeoutMinutes?: number;
  readonly terminationProtection: boolean;
  readonly roleArn?: string;
  readonly policy?: string;
  readonly changeSetId?: string;
  /** Who asked for what is going on. */
  readonly actor: Actor;
  readonly clientRequestToken?: string;
  /** DeleteStack's RetainResources. */
  readonly retain?: readonly string[];
  /** ContinueUpdateRollback's ResourcesToSkip. */
  readonly skip?: readonly string[];
}

export interface Actor {
  readonly principal: Principal;
  /** The platform's address as the caller reached it. */
  readonly endpoint: string;
}

export interface StackOutput {
  readonly key: string;
  readonly value: string;
  readonly description?: string;
  readonly exportName?: string;
}

/** What a stack is asked to be: immutable. Its template's texts are kept beside it. */
export interface Deployment {
  readonly version: 1;
  readonly parameters: readonly DeploymentParameter[];
  readonly tags: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
  readonly description?: string;
}

export interface TemplateTexts {
  /** As given. */
  readonly original: string;
  /** After the transforms, JSON; absent when there were none. */
  readonly processed?: string;
}

export interface DeploymentParameter {
  readonly name: string;
  /** The text as given or defaulted. */
  readonly value: string;
  readonly type: string;
  readonly noEcho: boolean;
}

export type ResourceStatus =
  `${"CREATE" | "UPDATE" | "DELETE"}_${"IN_PROGRESS" | "COMPLETE" | "FAILED"}` | "DELETE_SKIPPED";

/** One incarnation of a resource: a replacement is another one under the same logical id. */
export interface Incarnation {
  readonly logicalId: string;
  readonly type: string;
  /** Random; names the resource and makes its creation repeatable. */
  readonly incarnation: string;
  readonly physicalId?: string;
  readonly attributes: JsonObject;
  /** The attributes are not to be shown. */
  readonly noEcho?: true;
  /** Resolved; those last applied or being applied. */
  readonly properties: JsonObject;
  readonly dependsOn: readonly string[];
  readonly deletionPolicy: DeletionPolicy;
  readonly updateReplacePolicy: "Delete" | "Retain";
  readonly metadata?: JsonObject;
  /** The stack's tags that were applied with the properties. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface StackResource extends Incarnation {
  readonly version: 1;
  readonly status: ResourceStatus;
  readonly reason?: string;
  readonly updatedAt: number;
  /** The deployment that last created or changed it. */
  readonly deployment: string;
  /** What it was before the update that is not complete; absent when that update has not touched it, or has created it. */
  readonly before?: Incarnation;
}

/** An incarnation that has been replaced or removed and is deleted when the update is complete. */
export interface Obsolete extends Incarnation {
  readonly retain: boolean;
}

export interface StackEvent {
  readonly eventId: string;
  readonly logicalId: string;
  readonly physicalId?: string;
  readonly type: string;
  readonly at: number;
  readonly status: string;
  readonly reason?: string;
  readonly properties?: JsonValue;
  readonly clientRequestToken?: string;
}

export interface ChangeSet {
  readonly version: 1;
  readonly changeSetId: string;
  readonly changeSetName: string;
  readonly type: "CREATE" | "UPDATE";
  readonly status: "CREATE_COMPLETE" | "FAILED";
  readonly executionStatus: "AVAILABLE" | "UNAVAILABLE" | "OBSOLETE" | "EXECUTE_IN_PROGRESS" | "EXECUTE_COMPLETE";
  readonly reason?: string;
  readonly description?: string;
  readonly createdAt: number;
  /** Id of the deployment that executing it applies. */
  readonly deployment: string;
  readonly roleArn?: string;
  readonly onFailure?: "ROLLBACK" | "DELETE" | "DO_NOTHING";
  readonly clientToken?: string;
}

export interface ResourceChange {
  readonly action: "Add" | "Modify" | "Remove";
  readonly logicalId: string;
  readonly physicalId?: string;
  readonly type: string;
  readonly replacement?: "True" | "False" | "Conditional";
  readonly policyAction?: "Delete" | "Retain" | "ReplaceAndDelete" | "ReplaceAndRetain";
  readonly scope: readonly ("Properties" | "Metadata" | "DeletionPolicy" | "UpdateReplacePolicy" | "Tags")[];
  readonly details: readonly ResourceChangeDetail[];
  readonly before?: JsonObject;
  readonly after?: JsonObject;
}

export interface ResourceChangeDetail {
  readonly attribute: "Properties" | "Metadata" | "DeletionPolicy" | "UpdateReplacePolicy" | "Tags";
  readonly name?: string;
  readonly recreation: "Never" | "Always" | "Conditionally";
  readonly evaluation: "Static" | "Dynamic";
  readonly source?:
    "DirectModification" | "ParameterReference" | "ResourceReference" | "ResourceAttribute" | "Automatic";
  readonly cause?: string;
}

export interface Export {
  readonly value: string;
  readonly stackId: string;
  readonly stackName: string;
}

/** Where everything is kept. Events are numbered by their one writer; changes of one stack never meet another's. */
const base = (at: Place): Key => ["cloudformation", at.account, at.region];
export const keys = {
  stacks: (at: Place): Key => [...base(at), "stack"],
  stack: (at: Place, stackId: string): Key => [...base(at), "stack", stackId],
  names: (at: Place): Key => [...base(at), "name"],
  /** → the id of the stack of this name that is not deleted. */
  name: (at: Place, stackName: string): Key => [...base(at), "name", stackName],
  deployments: (at: Place, stackId: string): Key => [...base(at), "deployment", stackId],
  deployment: (at: Place, stackId: string, id: string): Key => [...base(at), "deployment", stackId, id],
  templates: (at: Place, stackId: string): Key => [...base(at), "template", stackId],
  template: (at: Place, stackId: string, id: string, form: "original" | "processed"): Key => [
    ...base(at),
    "template",
    stackId,
    id,
    form,
  ],
  resources: (at: Place, stackId: string): Key => [...base(at), "resource", stackId],
  resource: (at: Place, stackId: string, logicalId: string): Key => [...base(at), "resource", stackId, logicalId],
  obsoletes: (at: Place, stackId: string): Key => [...base(at), "obsolete", stackId],
  obsolete: (at: Place, stackId: string, incarnation: string): Key => [...base(at), "obsolete", stackId, incarnation],
  events: (at: Place, stackId: string): Key => [...base(at), "event", stackId],
  event: (at: Place, stackId: string, number: number): Key => [...base(at), "event", stackId, number],
  changeSets: (at: Place, stackId: string): Key => [...base(at), "changeSet", stackId],
  changeSet: (at: Place, stackId: string, changeSetId: string): Key => [...base(at), "changeSet", stackId, changeSetId],
  allChanges: (at: Place, stackId: string): Key => [...base(at), "change", stackId],
  changes: (at: Place, stackId: string, changeSetId: string): Key => [...base(at), "change", stackId, changeSetId],
  change: (at: Place, stackId: string, changeSetId: string, number: number): Key => [
    ...base(at),
    "change",
    stackId,
    changeSetId,
    number,
  ],
  exports: (at: Place): Key => [...base(at), "export"],
  export: (at: Place, name: string): Key => [...base(at), "export", name],
  imports: (at: Place, name: string): Key => [...base(at), "import", name],
  import: (at: Place, name: string, stackId: string): Key => [...base(at), "import", name, stackId],
  importedBy: (at: Place, stackId: string): Key => [...base(at), "importedBy", stackId],
  /** Written anew by whoever runs the stack's operation: a runner that finds another's stops. */
  runner: (at: Place, stackId: string): Key => [...base(at), "runner", stackId],
  /** A request to stop what is going on: `delete` or `cancel`. */
  interrupts: (at: Place, stackId: string): Key => [...base(at), "interrupt", stackId],
  interrupt: (at: Place, stackId: string): Key => [...base(at), "interrupt", stackId, "request"],
};

/** All entries below a prefix, page by page. For what a quota bounds. */
export async function readAll<T>(reader: Reader, prefix: Key): Promise<T[]> {
  const values: T[] = [];
  let after: Key | undefined;
  for (;;) {
    const page = await reader.range<T>(after ? { prefix, after } : { prefix }, { limit: pageEntries });
    for (const { value } of page) values.push(value);
    if (page.length < pageEntries) return values;
    after = page.at(-1)?.key;
  }
}

const pageEntries = 500;

/** By name, or by stack id (also of a deleted stack). */
export async function findStack(reader: Reader, at: Place, nameOrId: string): Promise<Stack | undefined> {
  const stackId = nameOrId.startsWith("arn:") ? nameOrId : await reader.get<string>(keys.name(at, nameOrId));
  return stackId === undefined ? undefined : reader.get<Stack>(keys.stack(at, stackId));
}

export async function readDeployment(reader: Reader, at: Place, stackId: string, id: string): Promise<Deployment> {
  const deployment = await reader.get<Deployment>(keys.deployment(at, stackId, id));
  if (!deployment) throw new Error(`Deployment ${id} of ${stackId} is gone`);
  return deployment;
}

export async function readTemplateTexts(
  reader: Reader,
  at: Place,
  stackId: string,
  id: string,
): Promise<TemplateTexts> {
  const [original, processed] = await reader.getMany<string>([
    keys.template(at, stackId, id, "original"),
    keys.template(at, stackId, id, "processed"),
  ]);
  if (original === undefined) throw new Error(`The template of deployment ${id} of ${stackId} is gone`);
  return { original, ...(processed !== undefined && { processed }) };
}

export function writeDeployment(
  tx: Transaction,
  at: Place,
  stackId: string,
  id: string,
  deployment: Deployment,
  texts: TemplateTexts,
): void {
  tx.set(keys.deployment(at, stackId, id), deployment);
  tx.set(keys.template(at, stackId, id, "original"), texts.original);
  if (texts.processed !== undefined) tx.set(keys.template(at, stackId, id, "processed"), texts.processed);
}

export function deleteDeployment(tx: Transaction, at: Place, stackId: string, id: string): void {
  tx.delete(keys.deployment(at, stackId, id));
  tx.delete(keys.template(at, stackId, id, "original"));
  tx.delete(keys.template(at, stackId, id, "processed"));
}

export function writeStack(tx: Transaction, stack: Stack): void {
  tx.set(keys.stack(stack, stack.stackId), stack);
}

export async function nextEventNumber(reader: Reader, at: Place, stackId: string): Promise<number> {
  const [last] = await reader.range({ prefix: keys.events(at, stackId) }, { limit: 1, reverse: true });
  const number = last?.key.at(-1);
  return typeof number === "number" ? number + 1 : 0;
}

/** The event of the stack itself. */
export function stackEvent(stack: Stack, eventId: string, at: number): StackEvent {
  return {
    eventId,
    logicalId: stack.stackName,
    physicalId: stack.stackId,
    type: "AWS::CloudFormation::Stack",
    at,
    status: stack.status,
    ...(stack.reason !== undefined && { reason: stack.reason }),
    ...(stack.clientRequestToken !== undefined && { clientRequestToken: stack.clientRequestToken }),
  };
}

/** Write the stack and its event. Only while no operation runs, or by its runner. */
export async function writeStackWithEvent(tx: Transaction, stack: Stack, eventId: string, at: number): Promise<void> {
  writeStack(tx, stack);
  const number = await nextEventNumber(tx, stack, stack.stackId);
  tx.set(keys.event(stack, stack.stackId, number), stackEvent(stack, eventId, at));
}
