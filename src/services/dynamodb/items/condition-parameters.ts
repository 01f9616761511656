import { validation } from "../errors.ts";
import { meets } from "../expressions/condition.ts";
import type { Expressions } from "../expressions/expressions.ts";
import { meetsLegacy, parseExpected } from "../expressions/legacy.ts";
import { createPlaceholders, type Placeholders } from "../expressions/placeholders.ts";
import type { Item } from "../values/attribute-value.ts";

/** A request's parameters by name: expressions and what came before them. */
export type Parameters = Readonly<Record<string, unknown>>;

/**
 * Expressions and the parameters from before them exclude each other.
 *
 * @throws {ValidationException}
 */
export function checkParameters(input: object, expressions: readonly string[], legacy: readonly string[]): void {
  const given = asMap<unknown>(input) ?? {};
  const has = (name: string) => given[name] !== undefined;
  const used = expressions.filter(has);
  if (used.length > 0) {
    const others = legacy.filter(has);
    if (others.length > 0) {
      throw validation(
        `Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {${others.join(", ")}} Expression parameters: {${used.join(", ")}}`,
      );
    }
  }
  if (has("ExpressionAttributeNames") && used.length === 0) {
    throw validation("ExpressionAttributeNames can only be specified when using expressions");
  }
  const valued = expressions.filter((name) => name !== "ProjectionExpression");
  if (has("ExpressionAttributeValues") && valued.every((name) => !has(name))) {
    throw validation(
      `ExpressionAttributeValues can only be specified when using expressions: ${valued.join(" and ")} ${valued.length > 1 ? "are" : "is"} null`,
    );
  }
}

interface ConditionInput {
  readonly ConditionExpression?: string | undefined;
  readonly ConditionalOperator?: string | undefined;
  readonly Expected?: Parameters[string];
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: Parameters[string];
}

export function placeholdersOf(input: {
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: unknown;
}): Placeholders {
  return createPlaceholders(input.ExpressionAttributeNames, asMap(input.ExpressionAttributeValues));
}

/** What a write's condition asks of the item as it is; undefined where it asks nothing. */
export type Holds = (item: Item) => boolean;

/** @throws {ValidationException} for a condition that cannot be */
export function parseWriteCondition(
  input: ConditionInput,
  expressions: Expressions,
  placeholders: Placeholders,
): Holds | undefined {
  if (input.ConditionExpression !== undefined) {
    const condition = expressions.condition("ConditionExpression", input.ConditionExpression, placeholders);
    return (item) => meets(condition, item);
  }
  const expected = parseExpected(asMap(input.Expected), input.ConditionalOperator);
  return expected && expected.conditions.length > 0 ? (item) => meetsLegacy(expected, item) : undefined;
}

// A map of the request: its values are read member by member.
export function asMap<V>(value: unknown): Readonly<Record<string, V>> | undefined {
  return value === undefined || value === null ? undefined : (value as Readonly<Record<string, V>>);
}
