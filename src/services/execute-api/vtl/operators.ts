import type { BinaryOperator } from "./ast.ts";
import { type Run, spendText } from "./run.ts";
import { textOf } from "./text.ts";
import { double, isDouble, isNumber, toNumber, type JavaDouble, type Value } from "./values.ts";

type Numeric = number | bigint | JavaDouble;

/** Velocity 1.7: whatever exists is true, but for `false` itself. */
export function isTrue(value: Value): boolean {
  return value !== undefined && value !== null && value !== false;
}

/** Whether two values are equal: numbers by value, things of different types by what they print as. */
export function areEqual(left: Value, right: Value, run: Run): boolean {
  if (left === right) return true;
  if (left === undefined || left === null || right === undefined || right === null) {
    return (left ?? undefined) === (right ?? undefined);
  }
  if (isNumber(left) && isNumber(right)) return toNumber(left) === toNumber(right);
  return textOf(left, run) === textOf(right, run);
}

/** Arithmetic, comparison and concatenation. What has no result is undefined. */
export function operate(operator: Exclude<BinaryOperator, "&&" | "||">, left: Value, right: Value, run: Run): Value {
  switch (operator) {
    case "==":
      return areEqual(left, right, run);
    case "!=":
      return !areEqual(left, right, run);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return isNumber(left) && isNumber(right) && compare(operator, toNumber(left), toNumber(right));
    default:
      if (isNumber(left) && isNumber(right)) return calculate(operator, left, right);
      if (operator === "+" && (typeof left === "string" || typeof right === "string")) {
        return isMissing(left) || isMissing(right) ? undefined : spendText(run, textOf(left, run) + textOf(right, run));
      }
      return undefined;
  }
}

function isMissing(value: Value): boolean {
  return value === undefined || value === null;
}

function compare(operator: "<" | "<=" | ">" | ">=", left: number, right: number): boolean {
  switch (operator) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
  }
}

type Arithmetic = "+" | "-" | "*" | "/" | "%";

function calculate(operator: Arithmetic, left: Numeric, right: Numeric): Value {
  if (isDouble(left) || isDouble(right)) {
    const divides = operator === "/" || operator === "%";
    if (divides && toNumber(right) === 0) return undefined;
    return double(calculateDouble(operator, toNumber(left), toNumber(right)));
  }
  // Whole numbers stay whole, and grow as large as they must.
  const result = calculateWhole(operator, BigInt(left), BigInt(right));
  if (result === undefined) return undefined;
  const small = Number(result);
  return Number.isSafeInteger(small) ? small : result;
}

function calculateDouble(operator: Arithmetic, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
  }
}

function calculateWhole(operator: Arithmetic, left: bigint, right: bigint): bigint | undefined {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return bits(left) + bits(right) > wholeBitsMax ? undefined : left * right;
    case "/":
      return right === 0n ? undefined : left / right;
    case "%":
      return right === 0n ? undefined : left % right;
  }
}

/** Numbers do not grow without end. */
const wholeBitsMax = 4_096;

function bits(value: bigint): number {
  return value.toString(16).length * 4;
}
