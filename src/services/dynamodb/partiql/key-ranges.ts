import type { Key } from "../../../kernel/store/store.ts";
import { validation } from "../errors.ts";
import { pathsOf, type BoundCondition, type BoundOperand } from "../expressions/condition.ts";
import type { KeyCondition, KeyOperator } from "../expressions/key-condition.ts";
import { toKeyRange } from "../items/key-range.ts";
import { endOf } from "../items/read-page.ts";
import type { KeyAttribute, KeySchema } from "../model.ts";
import type { Index, Table } from "../tables/table.ts";
import type { AttributeValue } from "../values/attribute-value.ts";
import { compareValues, equalValues } from "../values/compare.ts";
import { compareKeys } from "../values/key-encoding.ts";
import type { OrderTerm } from "./ast.ts";

/** One stretch of a table or index. */
export interface ReadRange {
  readonly start: Key;
  readonly end: Key;
  /** One item, by its whole key. */
  readonly single: boolean;
}

/** What a SELECT reads: every item that may meet its condition, none twice. */
export interface ReadPlan {
  readonly ranges: readonly ReadRange[];
  readonly reverse: boolean;
  /** No partition key is fixed: everything is read. */
  readonly isScan: boolean;
  /** The first attribute of each partition key that is read. */
  readonly leading: readonly AttributeValue[];
}

/** Source: AWS's refusal of more; observed. */
const readsMax = 50;
/** Ours: alternatives that are looked at to find out what is to be read, and all that they ask of keys. */
const branchesMax = 1_000;
const constraintsMax = 20_000;

/** @throws {ValidationException} for conditions that overlap, keys of other types, orders that a Query has not */
export function planRead(
  table: Table,
  index: Index | undefined,
  where: BoundCondition | undefined,
  order: readonly OrderTerm[],
): ReadPlan {
  const schema = (index?.record ?? table).key;
  const { prefix } = index ?? table;
  if (order.length > 0) checkOrder(schema, where, order);
  const names = new Set([...schema.hash, ...schema.range].map(({ name }) => name));
  const branches = (where && branchesOf(where, names)) ?? [everything];
  const isKeyed = branches.every(({ constraints }) =>
    schema.hash.every(({ name }) => constraints.some((each) => each.name === name && each.operator === "EQ")),
  );
  if (!isKeyed) {
    if (order.length > 0) {
      throw validation(
        "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
      );
    }
    return {
      ranges: [{ start: prefix, end: endOf(prefix), single: false }],
      reverse: false,
      isScan: true,
      leading: [],
    };
  }
  for (const branch of branches) checkTypes(schema, branch);
  if (branches.length > readsMax) throw validation("Too many decomposed read operations for a given query.");
  const partitions = toPartitions(prefix, schema, branches);
  if (order.length > 0 && partitions.length > 1 && !order.some(({ name }) => isHash(schema, name))) {
    throw validation(
      "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.",
    );
  }
  const reverse = isReverse(schema, order);
  return {
    ranges: toOrdered(schema, partitions, order)
      .flatMap(({ ranges }) => {
        const merged = merge(ranges);
        return reverse ? merged.toReversed() : merged;
      })
      .map(({ start, end, whole }) => ({ start, end, single: whole && !index })),
    reverse,
    isScan: false,
    leading: partitions.flatMap(({ hash }) => hash[0] ?? []),
  };
}

interface Constraint extends KeyCondition {
  readonly name: string;
}

/** One alternative of a condition: what it asks of key attributes, all of it together. */
interface Branch {
  readonly constraints: readonly Constraint[];
  /** It says something of the sort key that is no stretch of it. */
  readonly vague: boolean;
}

const everything: Branch = { constraints: [], vague: false };
const vague: Branch = { constraints: [], vague: true };

/**
 * The alternatives of a condition; undefined where it says nothing of the key. Items are held to all of it as they are read: what is
 * left out here costs, and makes no difference to what is found.
 */
function branchesOf(condition: BoundCondition, names: ReadonlySet<string>): readonly Branch[] | undefined {
  if (condition.kind !== "and" && condition.kind !== "or") {
    return mentionsKey(condition, names) ? alternativesOf(condition, names) : undefined;
  }
  const [left, right] = [branchesOf(condition.left, names), branchesOf(condition.right, names)];
  if (!left && !right) return undefined;
  if (condition.kind === "or") {
    const branches = [...(left ?? [everything]), ...(right ?? [everything])];
    assertCount(branches.length);
    return branches;
  }
  if (!left || !right) return left ?? right;
  assertCount(left.length * right.length, longest(left) + longest(right));
  return left.flatMap((one) =>
    right.map((two) => ({ constraints: [...one.constraints, ...two.constraints], vague: one.vague || two.vague })),
  );
}

function alternativesOf(condition: BoundCondition, names: ReadonlySet<string>): readonly Branch[] {
  switch (condition.kind) {
    case "and":
    case "or":
      throw new TypeError("What two conditions say together is worked out of what each says");
    case "in": {
      const name = keyIn(condition.of, names);
      if (name === undefined || condition.among.some(({ kind }) => kind !== "value")) return [everything];
      return condition.among.flatMap((each) =>
        each.kind === "value" ? toBranch({ name, operator: "EQ", values: [each.value] }) : [],
      );
    }
    case "compare": {
      const { comparator, left, right } = condition;
      if (comparator === "<>") return [vague];
      const [name, value, isTurned] =
        right.kind === "value" ? [keyIn(left, names), right, false] : [keyIn(right, names), left, true];
      if (name === undefined || value.kind !== "value") return [everything];
      return [
        toBranch({ name, operator: operators[isTurned ? turned[comparator] : comparator], values: [value.value] }),
      ];
    }
    case "between": {
      const { of, low, high } = condition;
      const name = keyIn(of, names);
      if (name === undefined || low.kind !== "value" || high.kind !== "value") return [everything];
      return [toBranch({ name, operator: "BETWEEN", values: [low.value, high.value] })];
    }
    case "call": {
      const [of, prefix] = condition.args;
      const name = condition.name === "begins_with" && of ? keyIn(of, names) : undefined;
      if (name === undefined || prefix?.kind !== "value") return [everything];
      return [toBranch({ name, operator: "BEGINS_WITH", values: [prefix.value] })];
    }
    case "not":
      return [vague];
  }
}

const operators: Readonly<Record<"=" | "<" | "<=" | ">" | ">=", KeyOperator>> = {
  "=": "EQ",
  "<": "LT",
  "<=": "LE",
  ">": "GT",
  ">=": "GE",
};
const turned = { "=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;

function toBranch(constraint: Constraint): Branch {
  return { constraints: [constraint], vague: false };
}

function longest(branches: readonly Branch[]): number {
  return branches.reduce((most, { constraints }) => Math.max(most, constraints.length), 0);
}

/** @param constraints that each of the branches has */
function assertCount(count: number, constraints = 1): void {
  if (count <= branchesMax && count * constraints <= constraintsMax) return;
  throw validation("Too many decomposed read operations for a given query.");
}

export function mentionsKey(condition: BoundCondition, names: ReadonlySet<string>): boolean {
  return pathsOf(condition).some(([name]) => typeof name === "string" && names.has(name));
}

function keyIn(operand: BoundOperand, names: ReadonlySet<string>): string | undefined {
  if (operand.kind !== "path" || operand.path.length > 1) return undefined;
  const [name] = operand.path;
  return typeof name === "string" && names.has(name) ? name : undefined;
}

function checkTypes(schema: KeySchema, { constraints }: Branch): void {
  for (const { name, type } of [...schema.hash, ...schema.range]) {
    for (const each of constraints) {
      if (each.name === name && each.values.some((value) => !(type in value))) {
        throw validation(`Key attribute's data type should match its data type in table's schema: Key ${name}`);
      }
    }
  }
}

interface Stretch {
  readonly start: Key;
  readonly end: Key;
  readonly vague: boolean;
  /** A whole key was given. */
  readonly whole: boolean;
}

interface Partition {
  readonly hash: readonly AttributeValue[];
  readonly ranges: Stretch[];
}

/** What is read of each partition, in the order in which they are named. */
function toPartitions(prefix: Key, schema: KeySchema, branches: readonly Branch[]): readonly Partition[] {
  const partitions: Partition[] = [];
  for (const branch of branches) {
    const hash = hashOf(schema, branch);
    if (!hash) continue;
    let partition = partitions.find((each) => each.hash.every((value, at) => isSame(value, hash[at])));
    if (!partition) {
      partition = { hash, ranges: [] };
      partitions.push(partition);
    }
    const stretch = toStretch(prefix, schema, hash, branch);
    if (compareKeys(stretch.start, stretch.end) < 0) partition.ranges.push(stretch);
  }
  return partitions;
}

/** Undefined where one attribute should have two values at once. */
function hashOf(schema: KeySchema, { constraints }: Branch): readonly AttributeValue[] | undefined {
  const values: AttributeValue[] = [];
  for (const { name } of schema.hash) {
    const wanted = constraints.flatMap((each) => (each.name === name && each.operator === "EQ" ? each.values : []));
    const [first] = wanted;
    if (!first || wanted.some((value) => !equalValues(value, first))) return undefined;
    values.push(first);
  }
  return values;
}

function isSame(a: AttributeValue, b: AttributeValue | undefined): boolean {
  return b !== undefined && equalValues(a, b);
}

function toStretch(
  prefix: Key,
  schema: KeySchema,
  hash: readonly AttributeValue[],
  { constraints, vague: isVague }: Branch,
): Stretch {
  const fixed = new Map<string, KeyCondition>();
  schema.hash.forEach(({ name }, at) => {
    const value = hash[at];
    if (value) fixed.set(name, { operator: "EQ", values: [value] });
  });
  let { start, end } = toKeyRange(prefix, schema, fixed);
  let whole = true;
  for (const attribute of schema.range) {
    const own = constraints.filter(({ name }) => name === attribute.name);
    for (const each of own) {
      const range = toKeyRange(prefix, schema, new Map([...fixed, [attribute.name, each]]));
      if (compareKeys(range.start, start) > 0) ({ start } = range);
      if (compareKeys(range.end, end) < 0) ({ end } = range);
    }
    const equal = own.find(({ operator }) => operator === "EQ");
    whole &&= equal !== undefined;
    if (!equal) break;
    fixed.set(attribute.name, equal);
  }
  return { start, end, vague: isVague, whole };
}

/** Side by side, in the order of the key. @throws {ValidationException} where two overlap */
function merge(ranges: readonly Stretch[]): readonly Stretch[] {
  const merged: Stretch[] = [];
  for (const range of ranges.toSorted((a, b) => compareKeys(a.start, b.start))) {
    const before = merged.at(-1);
    if (!before || compareKeys(range.start, before.end) >= 0) {
      merged.push(range);
      continue;
    }
    // AWS: beside what is no stretch of the key, nothing overlaps.
    if (!before.vague && !range.vague) {
      throw validation("Overlapping conditions with range keys are not supported in where clause");
    }
    const end = compareKeys(range.end, before.end) > 0 ? range.end : before.end;
    merged[merged.length - 1] = { start: before.start, end, vague: true, whole: false };
  }
  return merged;
}

function isHash(schema: KeySchema, name: string): boolean {
  return schema.hash.some((each) => each.name === name);
}

function checkOrder(schema: KeySchema, where: BoundCondition | undefined, order: readonly OrderTerm[]): void {
  if (!where) throw validation("Must have WHERE clause in the statement when using ORDER BY clause.");
  const keys: readonly KeyAttribute[] = [...schema.hash, ...schema.range];
  const other = order.find(({ name }) => !keys.some((each) => each.name === name));
  if (other) throw validation(`Attribute ${other.name} in ORDER BY clause must be part of the primary key`);
}

/** AWS: where an order is asked for that says nothing of the sort key, that one descends. */
function isReverse(schema: KeySchema, order: readonly OrderTerm[]): boolean {
  if (order.length === 0) return false;
  const term = order.find(({ name }) => !isHash(schema, name));
  return term?.descending ?? true;
}

function toOrdered(
  schema: KeySchema,
  partitions: readonly Partition[],
  order: readonly OrderTerm[],
): readonly Partition[] {
  const terms = order.filter(({ name }) => isHash(schema, name));
  if (terms.length === 0) return partitions;
  const places = terms.map(({ name, descending }) => ({
    at: schema.hash.findIndex((each) => each.name === name),
    sign: descending ? -1 : 1,
  }));
  return partitions.toSorted((a, b) => {
    for (const { at, sign } of places) {
      const [one, two] = [a.hash[at], b.hash[at]];
      const found = one && two ? (compareValues(one, two) ?? 0) : 0;
      if (found !== 0) return found * sign;
    }
    return 0;
  });
}
