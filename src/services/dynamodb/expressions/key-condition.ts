import { validation } from "../errors.ts";
import type { AttributeValue } from "../values/attribute-value.ts";
import type { BoundCondition, BoundOperand } from "./condition.ts";
import { ExpressionError } from "./parser.ts";

export type KeyOperator = "EQ" | "LT" | "LE" | "GT" | "GE" | "BETWEEN" | "BEGINS_WITH";

/** What a Query asks of one attribute of the key. */
export interface KeyCondition {
  readonly operator: KeyOperator;
  readonly values: readonly AttributeValue[];
}

const operators = { "=": "EQ", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE" } as const;
const turned = { "=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;

/** What a KeyConditionExpression asks, by attribute. @throws {ValidationException} for what a Query cannot do */
export function toKeyConditions(condition: BoundCondition): ReadonlyMap<string, KeyCondition> {
  const conditions = new Map<string, KeyCondition>();
  collect(condition, conditions);
  return conditions;
}

function collect(condition: BoundCondition, conditions: Map<string, KeyCondition>): void {
  switch (condition.kind) {
    case "and":
      collect(condition.left, conditions);
      collect(condition.right, conditions);
      return;
    case "or":
    case "not":
    case "in":
      throw invalidOperator(condition.kind.toUpperCase());
    case "compare": {
      const { comparator, left, right } = condition;
      if (comparator === "<>") throw invalidOperator("<>");
      const isTurned = left.kind !== "path";
      const name = attributeIn([left, right]);
      const value = isTurned ? left : right;
      if (value.kind !== "value") throw new TypeError("One side is the attribute, the other the value");
      add(conditions, name, operators[isTurned ? turned[comparator] : comparator], [value.value]);
      return;
    }
    case "between": {
      if (condition.of.kind !== "path") throw firstOperand("BETWEEN");
      const { of, low, high } = condition;
      const name = attributeIn([of, low, high]);
      add(conditions, name, "BETWEEN", [valueOf(low), valueOf(high)]);
      return;
    }
    case "call": {
      if (condition.name !== "begins_with") throw invalidOperator(condition.name);
      const [first, second] = condition.args;
      if (first?.kind !== "path" || !second) throw firstOperand("begins_with");
      add(conditions, attributeIn([first, second]), "BEGINS_WITH", [valueOf(second)]);
    }
  }
}

function add(
  conditions: Map<string, KeyCondition>,
  name: string,
  operator: KeyOperator,
  values: readonly AttributeValue[],
): void {
  if (conditions.has(name)) throw validation("KeyConditionExpressions must only contain one condition per key");
  conditions.set(name, { operator, values });
}

function attributeIn(operands: readonly BoundOperand[]): string {
  let name: string | undefined;
  for (const each of operands) {
    if (each.kind === "size") throw validation("KeyConditionExpressions cannot contain nested operations");
    if (each.kind !== "path") continue;
    if (name !== undefined) {
      throw validation("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition");
    }
    const [first] = each.path;
    if (each.path.length > 1 || typeof first !== "string") {
      throw validation("KeyConditionExpressions cannot have conditions on nested attributes");
    }
    name = first;
  }
  if (name === undefined) {
    throw validation("Invalid condition in KeyConditionExpression: No key attribute specified");
  }
  return name;
}

function valueOf(operand: BoundOperand): AttributeValue {
  if (operand.kind !== "value") throw new ExpressionError("KeyConditionExpressions cannot contain nested operations");
  return operand.value;
}

function invalidOperator(name: string) {
  return validation(`Invalid operator used in KeyConditionExpression: ${name}`);
}

function firstOperand(name: string) {
  return validation(
    `Invalid condition in KeyConditionExpression: ${name} operator must have the key attribute as its first operand`,
  );
}
