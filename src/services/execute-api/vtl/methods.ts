import { listMethods } from "./list-methods.ts";
import { mapMethods } from "./map-methods.ts";
import { areEqual } from "./operators.ts";
import type { Run } from "./run.ts";
import { stringMethods } from "./string-methods.ts";
import { textOf } from "./text.ts";
import { double, isNumber, type JavaDouble, toNumber, type Value, type VtlList } from "./values.ts";
import { TemplateError } from "./errors.ts";

/**
 * Call a method as Java's types have them. Methods that do not exist give nothing, as in Velocity; `getClass` is one of them
 * here. Throws a TemplateError where the method would throw.
 */
export function callMethod(value: NonNullable<Value>, name: string, args: readonly Value[], run: Run): Value {
  if (typeof value === "object" && !(value instanceof Map) && value.kind === "host") return value.call(name, args, run);
  const [first] = args;
  if (args.length === 0 && name === "toString") return textOf(value, run);
  if (args.length === 0 && name === "hashCode") return hashOf(textOf(value, run));
  if (args.length === 1 && name === "equals") return sameKind(value, first) && areEqual(value, first, run);
  if (typeof value === "string") return stringMethods.get(name)?.(value, args, run);
  if (typeof value === "boolean") return booleanMethod(value, name, args);
  if (value instanceof Map) return mapMethods.get(name)?.(value, args, run);
  if (isNumber(value)) return numberMethod(value, name, args, run);
  switch (value.kind) {
    case "list":
      return callList(value, name, args, run);
    case "entry":
      if (name === "getKey") return value.key;
      return name === "getValue" ? value.value : undefined;
    case "block":
      return stringMethods.get(name)?.(value.render(run), args, run);
  }
}

function callList(value: VtlList, name: string, args: readonly Value[], run: Run): Value {
  return listMethods.get(name)?.(value, args, run);
}

/** Java's `equals` knows no conversion: a text never equals a number. */
function sameKind(left: Value, right: Value): boolean {
  return typeof left === typeof right && left instanceof Map === right instanceof Map;
}

function booleanMethod(value: boolean, name: string, args: readonly Value[]): Value {
  if (name === "booleanValue") return value;
  return name === "parseBoolean" || name === "valueOf" ? String(args[0]).toLowerCase() === "true" : undefined;
}

function numberMethod(value: number | bigint | JavaDouble, name: string, args: readonly Value[], run: Run): Value {
  const [first] = args;
  switch (name) {
    case "intValue":
    case "longValue":
    case "shortValue":
      return wholeOf(toNumber(value));
    case "doubleValue":
    case "floatValue":
      return double(toNumber(value));
    case "compareTo":
    case "compare":
      return isNumber(first) ? Math.sign(toNumber(value) - toNumber(first)) : undefined;
    // `#set($Integer = 0)` and `$Integer.parseInt("5")` is how templates read numbers.
    case "parseInt":
    case "parseLong":
      return parseWhole(textOf(first, run));
    case "parseDouble":
      return parseDouble(textOf(first, run));
    case "valueOf":
      return typeof value === "object" ? parseDouble(textOf(first, run)) : parseWhole(textOf(first, run));
    default:
      return undefined;
  }
}

function wholeOf(value: number): Value {
  const whole = Math.trunc(value);
  return Number.isSafeInteger(whole) ? whole : undefined;
}

function parseWhole(text: string): Value {
  const value = Number(text);
  if (!/^[+-]?\d{1,19}$/.test(text)) throw new TemplateError(`"${text.slice(0, 50)}" is not a whole number`);
  return Number.isSafeInteger(value) ? value : BigInt(text.replace("+", ""));
}

function parseDouble(text: string): Value {
  if (!/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(text)) {
    throw new TemplateError(`"${text.slice(0, 50)}" is not a number`);
  }
  return double(Number(text));
}

/** `String.hashCode`. */
function hashOf(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}
