import { typeOf, type AttributeType, type AttributeValue, type Item } from "../values/attribute-value.ts";
import { compareValues, equalValues } from "../values/compare.ts";
import { textBytes, binaryBytes } from "../values/size.ts";
import type { Comparator, Condition, Operand } from "./ast.ts";
import { dynamoLimits } from "../limits.ts";
import { findAt } from "./document-path.ts";
import { ExpressionError } from "./parser.ts";
import { assertNotReserved, quotePath, type BoundPath, type Placeholders } from "./placeholders.ts";

/** A condition's operand with its names and values resolved. */
export type BoundOperand =
  | { readonly kind: "path"; readonly path: BoundPath }
  | { readonly kind: "value"; readonly value: AttributeValue }
  | { readonly kind: "size"; readonly of: BoundOperand };

export type BoundCondition =
  | { readonly kind: "and" | "or"; readonly left: BoundCondition; readonly right: BoundCondition }
  | { readonly kind: "not"; readonly of: BoundCondition }
  | {
      readonly kind: "compare";
      readonly comparator: Comparator;
      readonly left: BoundOperand;
      readonly right: BoundOperand;
    }
  | { readonly kind: "between"; readonly of: BoundOperand; readonly low: BoundOperand; readonly high: BoundOperand }
  | { readonly kind: "in"; readonly of: BoundOperand; readonly among: readonly BoundOperand[] }
  | { readonly kind: "call"; readonly name: FunctionName; readonly args: readonly BoundOperand[] };

export type FunctionName = "attribute_exists" | "attribute_not_exists" | "attribute_type" | "begins_with" | "contains";

const operands: Readonly<Record<string, number>> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
  size: 1,
};
const attributeTypes = "B,NULL,SS,BOOL,L,BS,N,NS,S,M";

/** What can be said of a condition without its names and values, in AWS's order. @throws {ExpressionError} */
export function checkCondition(condition: Condition): void {
  let operators = 0;
  const each = (visit: (part: Condition) => void, visitOperand: (operand: Operand) => void) =>
    walk(condition, visit, visitOperand);
  each(
    (part) => {
      operators += 1;
      if (part.kind === "call") assertFunction(part.name);
    },
    (operand) => {
      if (operand.kind === "call") assertFunction(operand.name);
    },
  );
  if (operators > dynamoLimits.expressionOperatorsMax) {
    throw new ExpressionError(`The expression contains too many operators; operator count: ${operators}`);
  }
  each(
    (part) => {
      if (part.kind === "call" && part.name === "size") throw misused("size");
    },
    (operand) => {
      if (operand.kind === "call" && operand.name !== "size") throw misused(operand.name);
    },
  );
  each(
    () => {},
    (operand) => {
      if (operand.kind === "path") assertNotReserved(operand.path);
    },
  );
}

function assertFunction(name: string): void {
  if (!Object.hasOwn(operands, name)) throw new ExpressionError(`Invalid function name; function: ${name}`);
}

function misused(name: string): ExpressionError {
  return new ExpressionError(`The function is not allowed to be used this way in an expression; function: ${name}`);
}

function walk(condition: Condition, visit: (part: Condition) => void, visitOperand: (operand: Operand) => void): void {
  visit(condition);
  const inside = (operand: Operand): void => {
    visitOperand(operand);
    if (operand.kind === "call") operand.args.forEach(inside);
  };
  switch (condition.kind) {
    case "and":
    case "or":
      walk(condition.left, visit, visitOperand);
      walk(condition.right, visit, visitOperand);
      return;
    case "not":
      walk(condition.of, visit, visitOperand);
      return;
    case "compare":
      inside(condition.left);
      inside(condition.right);
      return;
    case "between":
      [condition.of, condition.low, condition.high].forEach(inside);
      return;
    case "in":
      [condition.of, ...condition.among].forEach(inside);
      return;
    case "call":
      condition.args.forEach(inside);
  }
}

/** @throws {ExpressionError} for what its names and values make wrong. */
export function bindCondition(condition: Condition, placeholders: Placeholders): BoundCondition {
  switch (condition.kind) {
    case "and":
    case "or": {
      const left = bindCondition(condition.left, placeholders);
      return { kind: condition.kind, left, right: bindCondition(condition.right, placeholders) };
    }
    case "not":
      return { kind: "not", of: bindCondition(condition.of, placeholders) };
    case "compare": {
      const left = bindOperand(condition.left, placeholders);
      const right = bindOperand(condition.right, placeholders);
      if (condition.comparator !== "=" && condition.comparator !== "<>") {
        for (const side of [left, right]) assertOrdered(condition.comparator, side);
      }
      assertDistinct(condition.comparator, left, right);
      return { kind: "compare", comparator: condition.comparator, left, right };
    }
    case "between": {
      const of = bindOperand(condition.of, placeholders);
      const low = bindOperand(condition.low, placeholders);
      const high = bindOperand(condition.high, placeholders);
      for (const side of [of, low, high]) assertOrdered("BETWEEN", side);
      if (low.kind === "value" && high.kind === "value") assertBounds(low.value, high.value);
      return { kind: "between", of, low, high };
    }
    case "in": {
      const of = bindOperand(condition.of, placeholders);
      const among = condition.among.map((each) => bindOperand(each, placeholders));
      if (among.length > dynamoLimits.inOperandsMax) {
        throw new ExpressionError(
          `Invalid number of operands for the IN operator; number of operands: ${among.length}`,
        );
      }
      return { kind: "in", of, among };
    }
    case "call":
      return bindCall(condition.name, condition.args, placeholders);
  }
}

function bindOperand(operand: Operand, placeholders: Placeholders): BoundOperand {
  switch (operand.kind) {
    case "path":
      return { kind: "path", path: placeholders.path(operand.path) };
    case "value":
      return { kind: "value", value: placeholders.value(operand.name) };
    case "call": {
      const args = operand.args.map((each) => bindOperand(each, placeholders));
      assertCount(operand.name, args.length);
      const [of] = args;
      if (!of) throw new TypeError("The parser takes no call without an operand");
      if (of.kind === "size") throw misused("size");
      const type = of.kind === "value" ? typeOf(of.value) : undefined;
      if (type === "N" || type === "BOOL" || type === "NULL") throw wrongOperand("size", type);
      return { kind: "size", of };
    }
    case "math":
      throw new TypeError("Conditions do not reckon");
  }
}

function bindCall(name: string, given: readonly Operand[], placeholders: Placeholders): BoundCondition {
  const args = given.map((each) => bindOperand(each, placeholders));
  assertCount(name, args.length);
  const [first, second] = args;
  switch (name) {
    case "attribute_exists":
    case "attribute_not_exists":
      if (first?.kind !== "path") {
        throw new ExpressionError(`Operator or function requires a document path; operator or function: ${name}`);
      }
      return { kind: "call", name, args };
    case "begins_with":
      for (const each of args) {
        const type = staticType(each);
        if (type !== undefined && type !== "S" && type !== "B") throw wrongOperand(name, type);
      }
      assertDistinct(name, first, second);
      return { kind: "call", name, args };
    case "attribute_type": {
      if (second?.kind !== "value" || !("S" in second.value)) {
        throw wrongOperand(name, second?.kind === "value" ? typeOf(second.value) : "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
      }
      const type = second.value.S;
      if (!attributeTypes.split(",").includes(type)) {
        throw new ExpressionError(`Invalid attribute type name found; type: ${type}, valid types: {${attributeTypes}}`);
      }
      return { kind: "call", name, args };
    }
    case "contains":
      assertDistinct(name, first, second);
      return { kind: "call", name, args };
    default:
      throw misused(name);
  }
}

function assertCount(name: string, count: number): void {
  if (operands[name] === count) return;
  throw new ExpressionError(
    `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${count}`,
  );
}

function wrongOperand(name: string, type: string): ExpressionError {
  return new ExpressionError(
    `Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${type}`,
  );
}

function staticType(operand: BoundOperand): AttributeType | undefined {
  if (operand.kind === "size") return "N";
  return operand.kind === "value" ? typeOf(operand.value) : undefined;
}

function assertOrdered(operator: string, operand: BoundOperand): void {
  const type = staticType(operand);
  if (type !== undefined && type !== "S" && type !== "N" && type !== "B") throw wrongOperand(operator, type);
}

function assertDistinct(operator: string, left: BoundOperand | undefined, right: BoundOperand | undefined): void {
  if (left?.kind !== "path" || right?.kind !== "path" || left.path.length !== right.path.length) return;
  if (left.path.some((step, at) => step !== right.path[at])) return;
  throw new ExpressionError(
    `The first operand must be distinct from the remaining operands for this operator or function; operator: ${operator}, first operand: ${quotePath(left.path)}`,
  );
}

function assertBounds(low: AttributeValue, high: AttributeValue): void {
  const bounds = () => `lower bound operand: ${quoteValue(low)}, upper bound operand: ${quoteValue(high)}`;
  if (typeOf(low) !== typeOf(high)) {
    throw new ExpressionError(`The BETWEEN operator requires same data type for lower and upper bounds; ${bounds()}`);
  }
  if ((compareValues(low, high) ?? 0) > 0) {
    throw new ExpressionError(
      `The BETWEEN operator requires upper bound to be greater than or equal to lower bound; ${bounds()}`,
    );
  }
}

function quoteValue(value: AttributeValue): string {
  const [type = "", content] = Object.entries(value)[0] ?? [];
  return `AttributeValue: {${type}:${String(content)}}`;
}

/** Whether the item meets the condition; an absent item has no attributes. */
export function meets(condition: BoundCondition, item: Item): boolean {
  switch (condition.kind) {
    case "and":
      return meets(condition.left, item) && meets(condition.right, item);
    case "or":
      return meets(condition.left, item) || meets(condition.right, item);
    case "not":
      return !meets(condition.of, item);
    case "compare": {
      const left = resolve(condition.left, item);
      const right = resolve(condition.right, item);
      if (left === undefined || right === undefined) {
        // AWS: what is absent differs from whatever is there.
        return condition.comparator === "<>" && (left !== undefined || right !== undefined);
      }
      return compares(condition.comparator, left, right);
    }
    case "between": {
      const of = resolve(condition.of, item);
      const [low, high] = [resolve(condition.low, item), resolve(condition.high, item)];
      if (of === undefined || low === undefined || high === undefined) return false;
      return compares(">=", of, low) && compares("<=", of, high);
    }
    case "in": {
      const of = resolve(condition.of, item);
      if (of === undefined) return false;
      return condition.among.some((each) => {
        const value = resolve(each, item);
        return value !== undefined && equalValues(of, value);
      });
    }
    case "call":
      return calls(condition.name, condition.args, item);
  }
}

function calls(name: FunctionName, args: readonly BoundOperand[], item: Item): boolean {
  const [first, second] = args;
  const value = first && resolve(first, item);
  if (name === "attribute_exists") return value !== undefined;
  if (name === "attribute_not_exists") return value === undefined;
  const other = second && resolve(second, item);
  if (value === undefined || other === undefined) return false;
  if (name === "attribute_type") return "S" in other && other.S === typeOf(value);
  return name === "begins_with" ? beginsWith(value, other) : contains(value, other);
}

/** By `=`, `<` and so on; values of different types are unequal, and in no order. */
export function compares(comparator: Comparator, left: AttributeValue, right: AttributeValue): boolean {
  if (comparator === "=") return equalValues(left, right);
  if (comparator === "<>") return !equalValues(left, right);
  const order = compareValues(left, right);
  if (order === undefined) return false;
  switch (comparator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

export function beginsWith(value: AttributeValue, prefix: AttributeValue): boolean {
  if ("S" in value && "S" in prefix) return value.S.startsWith(prefix.S);
  if (!("B" in value) || !("B" in prefix)) return false;
  const start = Buffer.from(prefix.B, "base64");
  return Buffer.from(value.B, "base64").subarray(0, start.length).equals(start);
}

export function contains(value: AttributeValue, part: AttributeValue): boolean {
  if ("S" in value) return "S" in part && value.S.includes(part.S);
  if ("B" in value) return "B" in part && Buffer.from(value.B, "base64").includes(Buffer.from(part.B, "base64"));
  if ("SS" in value) return "S" in part && value.SS.includes(part.S);
  if ("NS" in value) return "N" in part && value.NS.includes(part.N);
  if ("BS" in value) return "B" in part && value.BS.includes(part.B);
  return "L" in value && value.L.some((each) => equalValues(each, part));
}

function resolve(operand: BoundOperand, item: Item): AttributeValue | undefined {
  switch (operand.kind) {
    case "value":
      return operand.value;
    case "path":
      return findAt(item, operand.path);
    case "size": {
      const of = resolve(operand.of, item);
      const size = of && sizeOf(of);
      return size === undefined ? undefined : { N: String(size) };
    }
  }
}

/** What the function `size` gives; undefined for types that have none. */
function sizeOf(value: AttributeValue): number | undefined {
  if ("S" in value) return textBytes(value.S);
  if ("B" in value) return binaryBytes(value.B);
  if ("L" in value) return value.L.length;
  if ("M" in value) return Object.keys(value.M).length;
  if ("SS" in value) return value.SS.length;
  if ("NS" in value) return value.NS.length;
  return "BS" in value ? value.BS.length : undefined;
}

/** Every path that the condition looks at. */
export function pathsOf(condition: BoundCondition): readonly BoundPath[] {
  const inOperand = (operand: BoundOperand): readonly BoundPath[] =>
    operand.kind === "path" ? [operand.path] : operand.kind === "size" ? inOperand(operand.of) : [];
  switch (condition.kind) {
    case "and":
    case "or":
      return [...pathsOf(condition.left), ...pathsOf(condition.right)];
    case "not":
      return pathsOf(condition.of);
    case "compare":
      return [condition.left, condition.right].flatMap(inOperand);
    case "between":
      return [condition.of, condition.low, condition.high].flatMap(inOperand);
    case "in":
      return [condition.of, ...condition.among].flatMap(inOperand);
    case "call":
      return condition.args.flatMap(inOperand);
  }
}
