import { compileCidr } from "./cidr.ts";
import { EventPatternError } from "./error.ts";
import { compileWildcard } from "./wildcard.ts";

/** What a field of a pattern says of the field's value in an event. */
export interface Leaf {
  /** Whether it matches an event that has no such field. */
  readonly absent: boolean;
  matches(value: LeafValue): boolean;
}

/** A value that is neither an object nor an array. */
export type LeafValue = string | number | boolean | null;

type Test = (value: LeafValue) => boolean;

export function isLeafValue(value: unknown): value is LeafValue {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

/** @throws {EventPatternError} */
export function compileLeaf(patterns: readonly unknown[]): Leaf {
  if (patterns.length === 0) throw new EventPatternError("An array of an event pattern is not empty");
  const exact = new Set(patterns.filter(isLeafValue));
  const tests: Test[] = [];
  let absent = false;
  for (const pattern of patterns) {
    if (isLeafValue(pattern)) continue;
    const [name, operand] = only(pattern);
    if (name === "exists") {
      if (typeof operand !== "boolean") throw new EventPatternError("exists is true or false");
      if (operand) tests.push(() => true);
      else absent = true;
    } else tests.push(compileOperator(name, operand));
  }
  return { absent, matches: (value) => exact.has(value) || tests.some((test) => test(value)) };
}

function compileOperator(name: string, operand: unknown): Test {
  switch (name) {
    case "anything-but":
      return compileAnythingBut(operand);
    case "numeric":
      return compileNumeric(operand);
    case "cidr":
      return onText(compileCidr(textOf(operand, name)));
    default:
      return compileText(name, operand);
  }
}

/** Operators on texts alone, which `anything-but` takes as well. */
function compileText(name: string, operand: unknown): Test {
  switch (name) {
    case "prefix":
      return compileEnd(operand, name, (text, end) => text.startsWith(end));
    case "suffix":
      return compileEnd(operand, name, (text, end) => text.endsWith(end));
    case "equals-ignore-case": {
      const wanted = textOf(operand, name).toLowerCase();
      return onText((text) => text.toLowerCase() === wanted);
    }
    case "wildcard":
      return onText(compileWildcard(textOf(operand, name)));
    default:
      throw new EventPatternError(`Unrecognized match type ${name}`);
  }
}

function compileEnd(operand: unknown, name: string, matches: (text: string, end: string) => boolean): Test {
  if (typeof operand === "string") return onText((text) => matches(text, operand));
  const [inner, end] = only(operand);
  if (inner !== "equals-ignore-case") throw new EventPatternError(`Unsupported operator in ${name}: ${inner}`);
  const wanted = textOf(end, inner).toLowerCase();
  return onText((text) => matches(text.toLowerCase(), wanted));
}

function compileAnythingBut(operand: unknown): Test {
  if (typeof operand === "string" || typeof operand === "number") return (value) => value !== operand;
  if (Array.isArray(operand)) {
    const [first] = operand;
    const alike = operand.every((each) => typeof each === typeof first);
    if (!alike || (typeof first !== "string" && typeof first !== "number")) {
      throw new EventPatternError("anything-but takes texts, or numbers");
    }
    const excluded: ReadonlySet<unknown> = new Set(operand);
    return (value) => !excluded.has(value);
  }
  const [name, excluded] = only(operand);
  const list: readonly unknown[] = Array.isArray(excluded) ? excluded : [excluded];
  if (list.length === 0) throw new EventPatternError(`${name} of anything-but is not empty`);
  const tests = list.map((each) => compileText(name, each));
  return (value) => !tests.some((test) => test(value));
}

const comparisons: Readonly<Record<string, (value: number, than: number) => boolean>> = {
  "=": (value, than) => value === than,
  "<": (value, than) => value < than,
  "<=": (value, than) => value <= than,
  ">": (value, than) => value > than,
  ">=": (value, than) => value >= than,
};

/** Source: EventBridge user guide, "Numeric matching": between -5.0e9 and +5.0e9. */
const numberMax = 5e9;

function compileNumeric(operand: unknown): Test {
  const shape = "numeric takes one comparison, or a lower bound and an upper one";
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) throw new EventPatternError(shape);
  const [name, than, upper, most]: unknown[] = operand;
  const first = compileComparison(name, than);
  if (operand.length === 2) return (value) => typeof value === "number" && first(value);
  const isRange = (name === ">" || name === ">=") && (upper === "<" || upper === "<=");
  if (!isRange || typeof than !== "number" || typeof most !== "number" || than >= most) {
    throw new EventPatternError(shape);
  }
  const second = compileComparison(upper, most);
  return (value) => typeof value === "number" && first(value) && second(value);
}

function compileComparison(name: unknown, than: unknown): (value: number) => boolean {
  const compare = typeof name === "string" && Object.hasOwn(comparisons, name) ? comparisons[name] : undefined;
  if (compare === undefined) throw new EventPatternError("numeric compares with =, <, <=, > or >=");
  if (typeof than !== "number" || Math.abs(than) > numberMax) {
    throw new EventPatternError("numeric compares with numbers between -5.0e9 and +5.0e9");
  }
  return (value) => compare(value, than);
}

function onText(test: (text: string) => boolean): Test {
  return (value) => typeof value === "string" && test(value);
}

function only(pattern: unknown): [name: string, operand: unknown] {
  const entries =
    typeof pattern === "object" && pattern !== null && !Array.isArray(pattern) ? Object.entries(pattern) : [];
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) throw new EventPatternError("One operator stands in an object");
  return entry;
}

function textOf(operand: unknown, name: string): string {
  if (typeof operand !== "string") throw new EventPatternError(`${name} takes a text`);
  return operand;
}
