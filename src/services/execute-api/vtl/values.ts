import type { Run } from "./run.ts";

/**
 * What templates work on: values as Java has them, so that they print as on AWS. Objects are maps, never JavaScript objects:
 * no name in a template or a payload can reach a prototype.
 */
export type Value =
  string | number | bigint | boolean | null | undefined | JavaDouble | VtlList | VtlMap | MapEntry | Block | HostObject;

/** `number` and `bigint` are Java's whole numbers. */
export interface JavaDouble {
  readonly kind: "double";
  readonly value: number;
}

/** JSON lists print as JSON, others as Java prints a list. */
export interface VtlList {
  readonly kind: "list";
  readonly items: Value[];
  readonly json: boolean;
}

/** In order of insertion; keys are text nearly always. */
export type VtlMap = Map<Value, Value>;

export interface MapEntry {
  readonly kind: "entry";
  readonly key: Value;
  readonly value: Value;
}

/** `#define`: rendered where it is referred to. */
export interface Block {
  readonly kind: "block";
  render(run: Run): string;
}

/** `$input`, `$util`, `$context`, `$foreach`: what the gateway offers. */
export interface HostObject {
  readonly kind: "host";
  property(name: string, run: Run): Value;
  call(name: string, args: readonly Value[], run: Run): Value;
  /** Set a property; absent where nothing can be set. */
  set?(name: string, value: Value): void;
  /** What it is printed as. */
  text(run: Run): string;
}

export function list(items: Value[]): VtlList {
  return { kind: "list", items, json: false };
}

export function double(value: number): JavaDouble {
  return { kind: "double", value };
}

export function isObject(value: Value): value is JavaDouble | VtlList | MapEntry | Block | HostObject {
  return typeof value === "object" && value !== null && !(value instanceof Map);
}

export function isList(value: Value): value is VtlList {
  return isObject(value) && value.kind === "list";
}

export function isDouble(value: Value): value is JavaDouble {
  return isObject(value) && value.kind === "double";
}

/** Whether a value is a number of any kind. */
export function isNumber(value: Value): value is number | bigint | JavaDouble {
  return typeof value === "number" || typeof value === "bigint" || isDouble(value);
}

export function toNumber(value: number | bigint | JavaDouble): number {
  return typeof value === "object" ? value.value : Number(value);
}

/** As `Double.toString` of Java prints it. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e7) {
    const text = String(value);
    return text.includes(".") ? text : `${text}.0`;
  }
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  return `${digits.includes(".") ? digits : `${digits}.0`}E${Number(exponent)}`;
}
