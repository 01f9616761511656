import { validation } from "../errors.ts";
import { AwsError } from "../../../aws/error.ts";
import { parseValue, type AttributeValue } from "../values/attribute-value.ts";
import type { Path } from "./ast.ts";
import { ExpressionError } from "./parser.ts";
import { isReservedWord } from "./reserved-words.ts";

/** A document path with its names resolved. */
export type BoundPath = readonly (string | number)[];

/** What `ExpressionAttributeNames` and `ExpressionAttributeValues` of a request stand for, and which of them were used. */
export interface Placeholders {
  /** @throws {ExpressionError} for a placeholder that is not defined */
  path(path: Path): BoundPath;
  /** @throws {ExpressionError} for a placeholder that is not defined */
  value(name: string): AttributeValue;
  /** @throws {ValidationException} when something was given that no expression uses */
  assertUsed(): void;
}

const nothing: Readonly<Record<string, never>> = {};

/** @throws {ValidationException} for keys and values that cannot be. */
export function createPlaceholders(
  names: Readonly<Record<string, string>> | undefined,
  values: Readonly<Record<string, unknown>> | undefined,
): Placeholders {
  if (names === undefined && values === undefined) return noPlaceholders;
  return placeholdersOf(names, values);
}

const noPlaceholders = placeholdersOf(undefined, undefined);

function placeholdersOf(
  names: Readonly<Record<string, string>> | undefined,
  values: Readonly<Record<string, unknown>> | undefined,
): Placeholders {
  const givenNames = names ?? nothing;
  checkKeys("ExpressionAttributeNames", names, /^#[0-9a-zA-Z_]+$/);
  checkKeys("ExpressionAttributeValues", values, /^:[0-9a-zA-Z_]+$/);
  const givenValues = values === undefined ? nothing : parseValues(values);
  const unusedNames = new Set(Object.keys(givenNames));
  const unusedValues = new Set(Object.keys(givenValues));
  return {
    path: (path) =>
      path.map((step) => {
        if (typeof step === "number") return step;
        if ("name" in step) return step.name;
        const name = Object.hasOwn(givenNames, step.placeholder) ? givenNames[step.placeholder] : undefined;
        if (name === undefined) {
          throw new ExpressionError(
            `An expression attribute name used in the document path is not defined; attribute name: ${step.placeholder}`,
          );
        }
        unusedNames.delete(step.placeholder);
        return name;
      }),
    value: (name) => {
      const value = Object.hasOwn(givenValues, name) ? givenValues[name] : undefined;
      if (value === undefined) {
        throw new ExpressionError(
          `An expression attribute value used in expression is not defined; attribute value: ${name}`,
        );
      }
      unusedValues.delete(name);
      return value;
    },
    assertUsed: () => {
      if (unusedNames.size > 0) throw unused("ExpressionAttributeNames", unusedNames);
      if (unusedValues.size > 0) throw unused("ExpressionAttributeValues", unusedValues);
    },
  };
}

function unused(parameter: string, keys: ReadonlySet<string>) {
  return validation(`Value provided in ${parameter} unused in expressions: keys: {${[...keys].join(", ")}}`);
}

function checkKeys(parameter: string, given: Readonly<Record<string, unknown>> | undefined, pattern: RegExp): void {
  if (given === undefined) return;
  const keys = Object.keys(given);
  if (keys.length === 0) throw validation(`${parameter} must not be empty`);
  for (const key of keys) {
    if (!pattern.test(key)) throw validation(`${parameter} contains invalid key: Syntax error; key: "${key}"`);
  }
}

function parseValues(given: Readonly<Record<string, unknown>>): Record<string, AttributeValue> {
  const values: Record<string, AttributeValue> = {};
  for (const [key, raw] of Object.entries(given)) {
    try {
      values[key] = parseValue(raw, 0);
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== "ValidationException") throw error;
      throw validation(`ExpressionAttributeValues contains invalid value: ${error.message} for key ${key}`);
    }
  }
  return values;
}

/** @throws {ExpressionError} for a name in the path that only a placeholder may stand for */
export function assertNotReserved(path: Path): void {
  for (const step of path) {
    if (typeof step === "object" && "name" in step && isReservedWord(step.name)) {
      throw new ExpressionError(`Attribute name is a reserved keyword; reserved keyword: ${step.name}`);
    }
  }
}

/** A path as AWS quotes it. */
export function quotePath(path: BoundPath): string {
  return `[${path.map((step) => (typeof step === "number" ? `[${step}]` : step)).join(", ")}]`;
}

/** @throws {ExpressionError} when one path is another, lies within it, or takes a map for a list */
export function assertApart(paths: readonly BoundPath[]): void {
  let conflict: string | undefined;
  for (let second = 1; second < paths.length; second += 1) {
    for (let first = 0; first < second; first += 1) {
      const [one, two] = [paths[first] ?? [], paths[second] ?? []];
      const relation = relate(one, two);
      const both = `path one: ${quotePath(one)}, path two: ${quotePath(two)}`;
      if (relation === "overlap") {
        throw new ExpressionError(
          `Two document paths overlap with each other; must remove or rewrite one of these paths; ${both}`,
        );
      }
      if (relation === "conflict") {
        conflict ??= `Two document paths conflict with each other; must remove or rewrite one of these paths; ${both}`;
      }
    }
  }
  if (conflict !== undefined) throw new ExpressionError(conflict);
}

function relate(one: BoundPath, two: BoundPath): "apart" | "overlap" | "conflict" {
  for (let at = 0; at < one.length && at < two.length; at += 1) {
    if (typeof one[at] !== typeof two[at]) return "conflict";
    if (one[at] !== two[at]) return "apart";
  }
  return "overlap";
}
