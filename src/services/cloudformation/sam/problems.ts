import { byCodePoint, isAbsent, isDict, isList, isString, type Dict } from "./values.ts";

/** The template cannot be transformed. The message is the one AWS's transform gives, every problem in it. */
export class SamTransformError extends Error {
  override readonly name = "SamTransformError";
  /** One sentence or more per problem, in the order of the message. */
  readonly problems: readonly string[];

  constructor(problems: readonly Problem[]) {
    const distinct = [...new Map(problems.map((problem) => [problem.message, problem])).values()];
    const messages = distinct.toSorted((a, b) => byCodePoint(a.sortKey, b.sortKey)).map((problem) => problem.message);
    super(
      `Invalid Serverless Application Specification document. Number of errors found: ${messages.length}. ${messages.join(" ")}`,
    );
    this.problems = messages;
  }
}

/** One problem of a template. Whoever walks the resources collects them; a fatal one ends the transform at once. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly sortKey: string;
  readonly fatal: boolean;
  /** Set when an event source is at fault: the resource that owns the event repeats it under its own id. */
  readonly ofEvent: boolean;

  constructor(
    message: string,
    kind: { readonly sortKey?: string; readonly fatal?: boolean; readonly ofEvent?: boolean },
  ) {
    super(message);
    this.sortKey = kind.sortKey ?? message;
    this.fatal = kind.fatal ?? false;
    this.ofEvent = kind.ofEvent ?? false;
  }
}

export function resourceProblem(logicalId: string, message: string): Problem {
  return new Problem(`Resource with id [${logicalId}] is invalid. ${message}`, { sortKey: logicalId });
}

export function eventProblem(eventId: string, message: string): Problem {
  return new Problem(`Event with id [${eventId}] is invalid. ${message}`, { ofEvent: true });
}

/** Fatal: nothing else of the template is looked at. */
export function documentProblem(message: string): Problem {
  return new Problem(`Structure of the SAM template is invalid. ${message}`, { fatal: true });
}

/** As a document problem, but the other resources are still looked at. */
export function templateProblem(message: string): Problem {
  return new Problem(`Structure of the SAM template is invalid. ${message}`, {});
}

export function duplicateProblem(logicalId: string, duplicateId: string, type: string): Problem {
  return new Problem(
    `Transforming resource with id [${logicalId}] attempts to create a new resource with id [${duplicateId}] and type "${type}". A resource with that id already exists within this template. Please use a different id for that resource.`,
    { sortKey: logicalId },
  );
}

/** Who is at fault when a value is not what it should be. */
export type Culprit = (message: string) => Problem;

export const ofResource =
  (logicalId: string): Culprit =>
  (message) =>
    resourceProblem(logicalId, message);

export const ofEvent =
  (eventId: string): Culprit =>
  (message) =>
    eventProblem(eventId, message);

export function expectMap(value: unknown, path: string, culprit: Culprit, message?: string): Dict {
  if (isDict(value)) return value;
  throw culprit(message ?? `Property '${path}' should be a map.`);
}

export function expectList(value: unknown, path: string, culprit: Culprit): unknown[] {
  if (isList(value)) return value;
  throw culprit(`Property '${path}' should be a list.`);
}

export function expectString(value: unknown, path: string, culprit: Culprit): string {
  if (isString(value)) return value;
  throw culprit(`Property '${path}' should be a string.`);
}

export function expectBoolean(value: unknown, path: string, culprit: Culprit): boolean {
  if (typeof value === "boolean") return value;
  throw culprit(`Property '${path}' should be a boolean.`);
}

export function expectStrings(value: unknown, path: string, culprit: Culprit): string[] {
  return expectList(value, path, culprit).map((item, index) => expectString(item, `${path}[${index}]`, culprit));
}

export function expectPresent(value: unknown, path: string, culprit: Culprit, message?: string): unknown {
  if (!isAbsent(value)) return value;
  throw culprit(message ?? `Property '${path}' is required.`);
}
