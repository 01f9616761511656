import { AwsError } from "../../../aws/error.ts";
import { invalidValues, validation } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import { setAttribute, type AttributeValue, type Item } from "../values/attribute-value.ts";
import { toCanonicalNumber } from "../values/decimal.ts";
import type { Expression, TupleMember } from "./ast.ts";
import { refusedAt } from "./malformed.ts";

/** The request's `Parameters`, in their order. */
export type Parameters = readonly AttributeValue[];

/**
 * The value that an expression without names stands for. A parameter may be the whole of it, and no part.
 *
 * @throws {ValidationException}
 */
export function toValue(expression: Expression, parameters: Parameters): AttributeValue {
  return valueAt(expression, parameters, "root", 0);
}

/** The item of INSERT. @throws {ValidationException} */
export function toItem(expression: Expression, parameters: Parameters): Item {
  if (expression.kind !== "tuple") {
    throw validation(
      "Unsupported format in item expression. Please use struct format {...} to express item values for insert statement.",
    );
  }
  return toMap(expression.members, "root", (value) => toValue(value, parameters));
}

function valueAt(expression: Expression, parameters: Parameters, under: string, depth: number): AttributeValue {
  if (depth >= dynamoLimits.nestingMax) {
    throw validation(`Nesting Levels have exceeded supported limits under ${under}`);
  }
  switch (expression.kind) {
    case "string":
      return { S: expression.text.toWellFormed() };
    case "number":
      return { N: toNumber(expression.text, under) };
    case "boolean":
      return { BOOL: expression.value };
    case "null":
      return { NULL: true };
    case "missing":
      throw validation("MISSING must be compared using IS operator");
    case "ion":
      throw validation(`Ion Literals are not supported: ${expression.text} under key ${under}`);
    case "parameter": {
      const value = depth === 0 ? parameters[expression.at] : undefined;
      if (value) return value;
      throw refusedAt(`Unsupported data type: Parameter under key ${under}`, expression.place);
    }
    case "list":
      return {
        L: expression.members.map((each, at) => valueAt(each, parameters, `${under}[${at}]`, depth + 1)),
      };
    case "tuple":
      return {
        M: toMap(expression.members, under, (value, name) => valueAt(value, parameters, `${under}.${name}`, depth + 1)),
      };
    case "bag":
      return toSet(expression.members, under);
    default:
      throw refusedAt(`Unsupported data type: ${nameOf(expression)} under key ${under}`, expression.place);
  }
}

function nameOf(expression: Expression): string {
  if (expression.kind === "call") return expression.name;
  return expression.kind === "path" ? (expression.steps.length > 1 ? "Path" : "VariableReference") : "NAry";
}

function toNumber(text: string, under: string): string {
  try {
    return toCanonicalNumber(text);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw validation(`${error.message} under ${under}`);
  }
}

function toMap(
  members: readonly TupleMember[],
  under: string,
  valueOf: (value: Expression, name: string) => AttributeValue,
): Item {
  const item: Record<string, AttributeValue> = {};
  for (const { key, value } of members) {
    if (key.kind !== "string") {
      throw validation(`Tuple keys must be of type String. Actual type: ${key.kind.toUpperCase()} under ${under}`);
    }
    if (Object.hasOwn(item, key.text)) throw validation(`Duplicate keys in tuple. Key: ${key.text} under ${under}`);
    setAttribute(item, key.text, valueOf(value, key.text));
  }
  return item;
}

/** Bags are sets, of strings or of numbers. */
function toSet(members: readonly Expression[], under: string): AttributeValue {
  const [first] = members;
  if (!first) throw validation("Empty bags are not supported");
  const written = members.map((each) => {
    if (each.kind === first.kind && (each.kind === "string" || each.kind === "number")) return each.text;
    throw validation("Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags");
  });
  const isText = first.kind === "string";
  const values = written.map((text) => (isText ? text.toWellFormed() : toNumber(text, under)));
  if (new Set(values).size !== values.length) {
    // AWS: the two sets' refusals end differently.
    throw invalidValues(
      `Input collection [${written.join(", ")}] contains duplicates${isText ? "." : `! under ${under}`}`,
    );
  }
  return isText ? { SS: values } : { NS: values };
}
