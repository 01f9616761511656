import { validation } from "../errors.ts";
import type { BoundCondition } from "../expressions/condition.ts";
import type { Table } from "../tables/table.ts";
import { setAttribute, type AttributeValue, type Item } from "../values/attribute-value.ts";
import { equalValues } from "../values/compare.ts";

interface Equality {
  readonly name: string;
  readonly value: AttributeValue;
}

/** Equalities of attributes with values that a condition asks for, whatever else it asks for beside them. */
function equalitiesIn(
  condition: BoundCondition | undefined,
  withIn: boolean,
): {
  readonly equalities: readonly Equality[];
  /** It asks for nothing else. */
  readonly alone: boolean;
} {
  if (!condition) return { equalities: [], alone: true };
  if (condition.kind === "and") {
    const [left, right] = [equalitiesIn(condition.left, withIn), equalitiesIn(condition.right, withIn)];
    return { equalities: [...left.equalities, ...right.equalities], alone: left.alone && right.alone };
  }
  const found = equalityOf(condition, withIn);
  return { equalities: found ? [found] : [], alone: found !== undefined };
}

function equalityOf(condition: BoundCondition, withIn: boolean): Equality | undefined {
  if (condition.kind === "in" && withIn && condition.among.length === 1) {
    const [only] = condition.among;
    return only && equalityOf({ kind: "compare", comparator: "=", left: condition.of, right: only }, false);
  }
  if (condition.kind !== "compare" || condition.comparator !== "=") return undefined;
  const { left, right } = condition;
  const [path, value] = left.kind === "path" ? [left, right] : [right, left];
  const [name] = path.kind === "path" && path.path.length === 1 ? path.path : [];
  return typeof name === "string" && value.kind === "value" ? { name, value: value.value } : undefined;
}

/**
 * The key of the one item that a statement writes; undefined when its clause does not say which it is.
 *
 * @throws {ValidationException} when it names two
 */
export function writtenKey(table: Table, where: BoundCondition | undefined): Item | undefined {
  const { equalities } = equalitiesIn(where, false);
  const key: Record<string, AttributeValue> = {};
  for (const name of table.keyNames) {
    const [first, ...others] = equalities.filter((each) => each.name === name);
    if (!first) return undefined;
    if (others.some(({ value }) => !equalValues(value, first.value))) {
      throw validation(`Multiple conditions on same key ${name}. Only single item Update/Insert/Delete are supported`);
    }
    setAttribute(key, name, first.value);
  }
  return key;
}

/** The key of the one item that a SELECT reads; undefined when its clause says less than that, or more. */
export function readKey(table: Table, where: BoundCondition | undefined): Item | undefined {
  const { equalities, alone } = equalitiesIn(where, true);
  if (!alone || equalities.some(({ name }) => !table.keyNames.has(name))) return undefined;
  const key: Record<string, AttributeValue> = {};
  for (const name of table.keyNames) {
    const [first, ...others] = equalities.filter((each) => each.name === name);
    if (!first || others.some(({ value }) => !equalValues(value, first.value))) return undefined;
    setAttribute(key, name, first.value);
  }
  return key;
}

/** The key and the condition of EXISTS: of two values for one attribute the first counts, and the condition does not hold. */
export function checkedKey(table: Table, where: BoundCondition | undefined): Item | undefined {
  const { equalities, alone } = equalitiesIn(where, false);
  const key: Record<string, AttributeValue> = {};
  for (const name of table.keyNames) {
    const first = equalities.find((each) => each.name === name);
    if (!first) return undefined;
    setAttribute(key, name, first.value);
  }
  const hasMore = !alone || equalities.some(({ name }) => !table.keyNames.has(name));
  return hasMore ? key : undefined;
}

/** All that the clause wants an attribute to equal. */
export function valuesOf(name: string, where: BoundCondition | undefined): readonly AttributeValue[] {
  return equalitiesIn(where, false).equalities.flatMap((each) => (each.name === name ? [each.value] : []));
}
