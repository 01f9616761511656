import { invalidValues, validation } from "../errors.ts";
import {
  attributeOf,
  copyItem,
  parseValue,
  setAttribute,
  typeOf,
  type AttributeValue,
  type Item,
} from "../values/attribute-value.ts";
import { compareValues } from "../values/compare.ts";
import { beginsWith, compares, contains } from "./condition.ts";
import type { KeyCondition, KeyOperator } from "./key-condition.ts";
import { addTo, takeFrom } from "./update.ts";

/** One condition of `Expected`, `QueryFilter`, `ScanFilter` or `KeyConditions`. */
export interface LegacyCondition {
  readonly attribute: string;
  readonly operator: string;
  readonly values: readonly AttributeValue[];
}

export interface LegacyConditions {
  readonly all: boolean;
  readonly conditions: readonly LegacyCondition[];
}

interface Given {
  readonly ComparisonOperator?: string | undefined;
  readonly AttributeValueList?: readonly unknown[] | undefined;
  readonly Value?: unknown;
  readonly Exists?: boolean | undefined;
}

/** `Expected`. @throws {ValidationException} */
export function parseExpected(
  expected: Readonly<Record<string, Given>> | undefined,
  operator: string | undefined,
): LegacyConditions | undefined {
  if (expected === undefined) {
    if (operator !== undefined) {
      throw invalidValues("ConditionalOperator cannot be used without Filter or Expected");
    }
    return undefined;
  }
  const conditions = Object.entries(expected).map(([attribute, given]) => parseExpectation(attribute, given));
  if (operator !== undefined && conditions.length === 0) {
    throw invalidValues("ConditionalOperator cannot be used without Filter or Expected");
  }
  return { all: operator !== "OR", conditions };
}

function parseExpectation(attribute: string, given: Given): LegacyCondition {
  const { ComparisonOperator: operator, AttributeValueList: list, Value: value, Exists: exists } = given;
  const forAttribute = `for Attribute: ${attribute}`;
  if (list !== undefined && value !== undefined) {
    throw invalidValues(`Value and AttributeValueList cannot be used together ${forAttribute}`);
  }
  if (operator !== undefined) {
    if (exists !== undefined) {
      throw invalidValues(`Exists and ComparisonOperator cannot be used together ${forAttribute}`);
    }
    if (operator !== "NULL" && operator !== "NOT_NULL" && list === undefined && value === undefined) {
      throw invalidValues(
        `Value or AttributeValueList must be used with ComparisonOperator: ${operator} ${forAttribute}`,
      );
    }
    const values = (list ?? (value === undefined ? [] : [value])).map((each) => parseValue(each, 0));
    return checkCondition({ attribute, operator, values });
  }
  if (list !== undefined) {
    throw invalidValues(`AttributeValueList can only be used with a ComparisonOperator ${forAttribute}`);
  }
  if (exists === false) {
    if (value !== undefined) throw invalidValues(`Value cannot be used when Exists is false ${forAttribute}`);
    return { attribute, operator: "NULL", values: [] };
  }
  if (value === undefined) {
    throw invalidValues(
      `Value must be provided when Exists is ${exists === undefined ? "null" : String(exists)} ${forAttribute}`,
    );
  }
  return { attribute, operator: "EQ", values: [parseValue(value, 0)] };
}

/** `QueryFilter`, `ScanFilter`. @throws {ValidationException} */
export function parseFilter(
  filter: Readonly<Record<string, Given>> | undefined,
  operator: string | undefined,
): LegacyConditions | undefined {
  if (filter === undefined) {
    if (operator !== undefined) {
      throw invalidValues("ConditionalOperator cannot be used without Filter or Expected");
    }
    return undefined;
  }
  return { all: operator !== "OR", conditions: parseConditions(filter) };
}

function parseConditions(filter: Readonly<Record<string, Given>>): readonly LegacyCondition[] {
  return Object.entries(filter).map(([attribute, given]) =>
    checkCondition({
      attribute,
      operator: given.ComparisonOperator ?? "EQ",
      values: (given.AttributeValueList ?? []).map((each) => parseValue(each, 0)),
    }),
  );
}

/** `KeyConditions`. @throws {ValidationException} */
export function parseKeyConditions(given: Readonly<Record<string, Given>>): ReadonlyMap<string, KeyCondition> {
  return new Map(
    parseConditions(given).map(({ attribute, operator, values }) => {
      if (!isKeyOperator(operator)) {
        throw validation("Attempted conditional constraint is not an indexable operation");
      }
      return [attribute, { operator, values }];
    }),
  );
}

function isKeyOperator(operator: string): operator is KeyOperator {
  return ["EQ", "LT", "LE", "GT", "GE", "BETWEEN", "BEGINS_WITH"].includes(operator);
}

const scalars = ["S", "N", "B"];
const typesOf: Readonly<Record<string, readonly string[]>> = {
  LE: scalars,
  LT: scalars,
  GE: scalars,
  GT: scalars,
  BETWEEN: scalars,
  IN: scalars,
  CONTAINS: scalars,
  NOT_CONTAINS: scalars,
  BEGINS_WITH: ["S", "B"],
};

function checkCondition(condition: LegacyCondition): LegacyCondition {
  const { operator, values } = condition;
  const count = values.length;
  const fits =
    operator === "NULL" || operator === "NOT_NULL"
      ? count === 0
      : operator === "IN"
        ? count > 0
        : operator === "BETWEEN"
          ? count === 2
          : count === 1;
  if (!fits) throw invalidValues(`Invalid number of argument(s) for the ${operator} ComparisonOperator`);
  const [first, second] = values;
  if (first && values.some((each) => typeOf(each) !== typeOf(first))) {
    throw invalidValues("AttributeValues inside AttributeValueList must be of same type");
  }
  const allowed = typesOf[operator];
  if (first && allowed && !allowed.includes(typeOf(first))) {
    throw invalidValues(`ComparisonOperator ${operator} is not valid for ${typeOf(first)} AttributeValue type`);
  }
  if (operator === "BETWEEN" && first && second && (compareValues(first, second) ?? 0) > 0) {
    throw validation(
      "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
    );
  }
  return condition;
}

export function meetsLegacy(conditions: LegacyConditions, item: Item): boolean {
  const each = (condition: LegacyCondition) => meetsOne(condition, attributeOf(item, condition.attribute));
  return conditions.all ? conditions.conditions.every(each) : conditions.conditions.some(each);
}

const comparators = { EQ: "=", LE: "<=", LT: "<", GE: ">=", GT: ">" } as const;

function meetsOne({ operator, values }: LegacyCondition, found: AttributeValue | undefined): boolean {
  const [first, second] = values;
  if (operator === "NULL") return found === undefined;
  if (operator === "NOT_NULL") return found !== undefined;
  if (first === undefined) return false;
  if (operator === "NE") return found === undefined || compares("<>", found, first);
  if (operator === "NOT_CONTAINS") return found === undefined || !contains(found, first);
  if (found === undefined) return false;
  switch (operator) {
    case "BETWEEN":
      return second !== undefined && compares(">=", found, first) && compares("<=", found, second);
    case "IN":
      return values.some((each) => compares("=", found, each));
    case "BEGINS_WITH":
      return beginsWith(found, first);
    case "CONTAINS":
      return contains(found, first);
    case "EQ":
    case "LE":
    case "LT":
    case "GE":
    case "GT":
      return compares(comparators[operator], found, first);
    default:
      return false;
  }
}

/** One entry of `AttributeUpdates`. */
export interface LegacyUpdate {
  readonly attribute: string;
  readonly action: "PUT" | "ADD" | "DELETE";
  readonly value: AttributeValue | undefined;
}

/** @throws {ValidationException} */
export function parseAttributeUpdates(
  updates: Readonly<Record<string, { readonly Action?: string | undefined; readonly Value?: unknown }>>,
): readonly LegacyUpdate[] {
  return Object.entries(updates).map(([attribute, given]) => {
    const action = given.Action === "ADD" || given.Action === "DELETE" ? given.Action : "PUT";
    const value = given.Value === undefined ? undefined : parseValue(given.Value, 0);
    if (!value) {
      if (action !== "DELETE") {
        throw invalidValues("Only DELETE action is allowed when no attribute value is specified");
      }
      return { attribute, action, value };
    }
    const type = typeOf(value);
    if (action === "DELETE" && type !== "SS" && type !== "NS" && type !== "BS") {
      throw invalidValues(`DELETE action with value is not supported for the type ${type}`);
    }
    if (action === "ADD" && !["L", "SS", "NS", "BS", "N"].includes(type)) {
      throw invalidValues(`ADD action is not supported for the type ${type}`);
    }
    return { attribute, action, value };
  });
}

/** @throws {ValidationException} where the item has an attribute of another type */
export function applyLegacyUpdates(updates: readonly LegacyUpdate[], before: Item): Item {
  const item = copyItem(before);
  for (const { attribute, action, value } of updates) {
    const existing = attributeOf(item, attribute);
    const next =
      action === "PUT" ? value : action === "ADD" ? value && addLegacy(existing, value) : takeLegacy(existing, value);
    if (next) setAttribute(item, attribute, next);
    else delete item[attribute];
  }
  return item;
}

function addLegacy(existing: AttributeValue | undefined, value: AttributeValue): AttributeValue {
  if (!existing) return value;
  if (typeOf(existing) !== typeOf(value)) throw validation("Type mismatch for attribute to update");
  if ("L" in existing && "L" in value) return { L: [...existing.L, ...value.L] };
  return addTo(existing, value);
}

function takeLegacy(existing: AttributeValue | undefined, value: AttributeValue | undefined) {
  if (!existing || !value) return undefined;
  if (typeOf(existing) !== typeOf(value)) throw validation("Type mismatch for attribute to update");
  return takeFrom(existing, value);
}
