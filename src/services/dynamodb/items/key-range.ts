import type { Key, KeyPart } from "../../../kernel/store/store.ts";
import { validation } from "../errors.ts";
import type { KeyCondition } from "../expressions/key-condition.ts";
import type { KeyAttribute, KeySchema } from "../model.ts";
import type { AttributeValue } from "../values/attribute-value.ts";
import { afterPart, partitionOf, prefixInterval, toKeyPart } from "../values/key-encoding.ts";
import { endOf } from "./read-page.ts";

/** What a Query reads. */
export interface KeyRange {
  readonly start: Key;
  readonly end: Key;
  /** Values of the partition key. */
  readonly hash: readonly AttributeValue[];
}

/** @throws {ValidationException} for conditions that are not of the key, or that a Query cannot do */
export function toKeyRange(prefix: Key, schema: KeySchema, conditions: ReadonlyMap<string, KeyCondition>): KeyRange {
  checkConditions(schema, conditions);
  const hash = schema.hash.map(({ name }) => {
    const value = conditions.get(name)?.values[0];
    if (!value) throw missing(name);
    return value;
  });
  const at: KeyPart[] = [...prefix, partitionOf(hash)];
  for (const { name } of schema.range) {
    const condition = conditions.get(name);
    if (!condition) break;
    const [first, second] = condition.values;
    if (!first) throw missing(name);
    if (condition.operator !== "EQ") return { ...toInterval(at, condition, first, second), hash };
    at.push(toKeyPart(first));
  }
  return { start: at, end: afterAll(at), hash };
}

/** Past a key and all that begin with it. */
function afterAll(key: Key): Key {
  const last = key.at(-1);
  return last === undefined ? endOf(key) : [...key.slice(0, -1), afterPart(last)];
}

function toInterval(
  at: Key,
  { operator }: KeyCondition,
  first: AttributeValue,
  second: AttributeValue | undefined,
): { readonly start: Key; readonly end: Key } {
  const [lowest, highest] = [at, afterAll(at)];
  const part = toKeyPart(first);
  switch (operator) {
    case "LT":
      return { start: lowest, end: [...at, part] };
    case "LE":
      return { start: lowest, end: [...at, afterPart(part)] };
    case "GT":
      return { start: [...at, afterPart(part)], end: highest };
    case "GE":
      return { start: [...at, part], end: highest };
    case "BETWEEN":
      return { start: [...at, part], end: second ? [...at, afterPart(toKeyPart(second))] : highest };
    case "BEGINS_WITH": {
      const [from, to] = prefixInterval(first);
      return { start: [...at, from], end: to === undefined ? highest : [...at, to] };
    }
    case "EQ":
      return { start: [...at, part], end: [...at, afterPart(part)] };
  }
}

function missing(name: string) {
  return validation(`Query condition missed key schema element: ${name}`);
}

function checkConditions(schema: KeySchema, conditions: ReadonlyMap<string, KeyCondition>): void {
  const attributes = [...schema.hash, ...schema.range];
  if (conditions.size === 0 || conditions.size > attributes.length) {
    throw validation(
      attributes.length > 2
        ? "Query key condition not supported"
        : conditions.size > 2
          ? "Conditions can be of length 1 or 2 only"
          : "Query key condition not supported",
    );
  }
  for (const { name } of schema.hash) if (!conditions.has(name)) throw missing(name);
  const extra = [...conditions.keys()].filter((name) => !attributes.some((each) => each.name === name));
  const firstRange = schema.range.find(({ name }) => !conditions.has(name));
  if (extra.length > 0) throw firstRange ? missing(firstRange.name) : validation("Query key condition not supported");
  let open = false;
  for (const attribute of attributes) {
    const condition = conditions.get(attribute.name);
    if (!condition) {
      open = true;
      continue;
    }
    // Of several sort attributes, those before one that is asked about are fixed.
    if (open) throw validation("Query key condition not supported");
    checkCondition(attribute, condition, schema.hash.includes(attribute));
    if (condition.operator !== "EQ") open = true;
  }
}

function checkCondition({ name, type }: KeyAttribute, { operator, values }: KeyCondition, isHash: boolean): void {
  if (values.some((value) => !(type in value))) {
    throw validation("One or more parameter values were invalid: Condition parameter type does not match schema type");
  }
  for (const value of values) {
    if (operator !== "BEGINS_WITH" && (("S" in value && value.S === "") || ("B" in value && value.B === ""))) {
      throw validation(
        `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${"S" in value ? "string" : "binary"} value. Key: ${name}`,
      );
    }
  }
  if (isHash && operator !== "EQ") throw validation("Query key condition not supported");
  if (operator === "BEGINS_WITH" && type === "N") {
    throw validation(
      "One or more parameter values were invalid: ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type",
    );
  }
}
