import { TemplateError } from "./errors.ts";
import type { Filter, FilterOperand, FilterOperator } from "./json-path-filter.ts";
import { applyPathFunction } from "./json-path-functions.ts";
import { type JsonPath, parseJsonPath, type PathToken } from "./json-path-parser.ts";
import { templateLimits as limits } from "./limits.ts";
import { type Run, spend } from "./run.ts";
import { textOf } from "./text.ts";
import { isList, isNumber, toNumber, type Value, type VtlMap } from "./values.ts";

/** Parses a template's JSONPaths, once each. */
export function createJsonPaths(): (text: string) => JsonPath {
  const parsed = new Map<string, JsonPath>();
  return (text) => {
    let path = parsed.get(text);
    if (path === undefined) {
      path = parseJsonPath(text);
      // Paths may be made of a payload: they are not kept without end.
      if (parsed.size < pathsKeptMax) parsed.set(text, path);
    }
    return path;
  };
}

const pathsKeptMax = 100;

/** One evaluation: how many nodes it may still visit. */
interface Search {
  readonly run: Run;
  readonly document: Value;
  visits: number;
}

/**
 * What a JSONPath leads to in a document: a value, where it names one place, and undefined where there is nothing; else a
 * list, which may be empty.
 */
export function evaluateJsonPath(path: JsonPath, document: Value, run: Run): Value {
  return evaluate(path, document, { run, document, visits: 0 });
}

function evaluate(path: JsonPath, item: Value, search: Search): Value {
  const start = path.from === "item" ? item : search.document;
  // A function takes everything before it together.
  const at = path.tokens.findIndex((token) => token.kind === "function");
  if (at === -1) return collect(path.tokens, start, path.isDefinite, search);
  const before = path.tokens.slice(0, at);
  const definite = before.every(
    (token) =>
      (token.kind === "names" && token.names.length === 1) || (token.kind === "indices" && token.indices.length === 1),
  );
  let value = collect(before, start, definite, search);
  const rest = path.tokens.slice(at);
  for (const [index, token] of rest.entries()) {
    if (token.kind !== "function") return collect(rest.slice(index), value, true, search);
    value = applyPathFunction(token.name, value, token.args, search.run);
  }
  return value;
}

function collect(tokens: readonly PathToken[], start: Value, isDefinite: boolean, search: Search): Value {
  const found: Value[] = [];
  walk(tokens, 0, start, search, found);
  if (isDefinite) return found[0];
  return { kind: "list", items: found, json: true };
}

function walk(tokens: readonly PathToken[], at: number, value: Value, search: Search, found: Value[]): void {
  search.visits++;
  if (search.visits > limits.pathVisitsMax) throw new TemplateError("A JSONPath visits too much");
  if (search.visits % 16 === 0) spend(search.run);
  const token = tokens[at];
  if (token === undefined) {
    found.push(value);
    return;
  }
  const next = (item: Value) => walk(tokens, at + 1, item, search, found);
  switch (token.kind) {
    case "names":
      return walkNames(token.names, at === tokens.length - 1, value, next);
    case "indices":
      if (!isList(value)) return;
      for (const index of token.indices) {
        const place = index < 0 ? value.items.length + index : index;
        if (place >= 0 && place < value.items.length) next(value.items[place]);
      }
      return;
    case "slice":
      if (isList(value)) for (const item of value.items.slice(token.from, token.to)) next(item);
      return;
    case "every":
      for (const child of childrenOf(value)) next(child);
      return;
    case "filter":
      // Of a list, the items that pass; an object passes itself.
      for (const item of isList(value) ? value.items : value instanceof Map ? [value] : []) {
        if (passes(token.filter, item, search)) next(item);
      }
      return;
    case "scan":
      next(value);
      for (const child of childrenOf(value)) walk(tokens, at, child, search, found);
      return;
    case "function":
      return;
  }
}

function walkNames(names: readonly string[], isLast: boolean, value: Value, next: (item: Value) => void): void {
  if (!(value instanceof Map)) return;
  const [name] = names;
  if (names.length === 1) {
    if (value.has(name)) next(value.get(name));
  } else if (isLast) {
    const merged: VtlMap = new Map();
    for (const one of names) if (value.has(one)) merged.set(one, value.get(one));
    next(merged);
  } else {
    for (const one of names) if (value.has(one)) next(value.get(one));
  }
}

function childrenOf(value: Value): Iterable<Value> {
  if (value instanceof Map) return value.values();
  return isList(value) ? value.items : [];
}

function passes(filter: Filter, item: Value, search: Search): boolean {
  switch (filter.kind) {
    case "and":
      return passes(filter.left, item, search) && passes(filter.right, item, search);
    case "or":
      return passes(filter.left, item, search) || passes(filter.right, item, search);
    case "not":
      return !passes(filter.operand, item, search);
    case "exists": {
      const value = evaluate(filter.path, item, search);
      return filter.path.isDefinite ? value !== undefined : isList(value) && value.items.length > 0;
    }
    case "compare":
      return compares(filter.operator, filter.left, filter.right, item, search);
  }
}

function compares(
  operator: FilterOperator,
  leftOperand: FilterOperand,
  rightOperand: FilterOperand,
  item: Value,
  search: Search,
): boolean {
  if (operator === "=~") {
    const pattern = leftOperand.kind === "pattern" ? leftOperand : rightOperand;
    const text = valueOf(leftOperand.kind === "pattern" ? rightOperand : leftOperand, item, search);
    if (pattern.kind !== "pattern" || text === undefined || text === null) return false;
    const bounded = search.run.patterns(pattern.source);
    if (bounded.slow && ++search.run.slowPatterns > limits.slowPatternsMax) {
      throw new TemplateError("A JSONPath uses too many regular expressions that may backtrack");
    }
    return bounded.matches(textOf(text, search.run));
  }
  const left = valueOf(leftOperand, item, search);
  const right = valueOf(rightOperand, item, search);
  switch (operator) {
    case "==":
      return isSame(left, right, search.run);
    case "!=":
      return !isSame(left, right, search.run);
    case "===":
      return typeof left === typeof right && isSame(left, right, search.run);
    case "!==":
      return typeof left !== typeof right || !isSame(left, right, search.run);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return isOrdered(operator, left, right);
    case "in":
      return isList(right) && includes(right.items, left, search.run);
    case "nin":
      return !(isList(right) && includes(right.items, left, search.run));
    case "subsetof":
      return isList(left) && isList(right) && left.items.every((one) => includes(right.items, one, search.run));
    case "anyof":
      return isList(left) && isList(right) && left.items.some((one) => includes(right.items, one, search.run));
    case "noneof":
      return isList(left) && isList(right) && !left.items.some((one) => includes(right.items, one, search.run));
    case "contains":
      if (typeof left === "string") return typeof right === "string" && left.includes(right);
      return isList(left) && includes(left.items, right, search.run);
    case "size":
      return isNumber(right) && sizeOf(left) === toNumber(right);
    case "empty": {
      const size = sizeOf(left);
      return size !== undefined && (size === 0) === right;
    }
  }
}

function valueOf(operand: FilterOperand, item: Value, search: Search): Value {
  if (operand.kind === "path") return evaluate(operand.path, item, search);
  return operand.kind === "value" ? operand.value : operand.source;
}

function sizeOf(value: Value): number | undefined {
  if (typeof value === "string") return value.length;
  if (value instanceof Map) return value.size;
  return isList(value) ? value.items.length : undefined;
}

function includes(items: readonly Value[], wanted: Value, run: Run): boolean {
  spend(run, items.length);
  return items.some((item) => isSame(item, wanted, run));
}

/** Equality of JSON: numbers by value; a text that reads as a number equals it. */
function isSame(left: Value, right: Value, run: Run): boolean {
  if (left === right) return true;
  if (left === undefined || right === undefined || left === null || right === null) return false;
  const leftNumber = asNumber(left);
  const rightNumber = asNumber(right);
  if (
    leftNumber !== undefined &&
    rightNumber !== undefined &&
    !(typeof left === "string" && typeof right === "string")
  ) {
    return leftNumber === rightNumber;
  }
  if (typeof left !== "object" || typeof right !== "object") return false;
  return left instanceof Map === right instanceof Map && textOf(left, run) === textOf(right, run);
}

function asNumber(value: Value): number | undefined {
  if (isNumber(value)) return toNumber(value);
  return typeof value === "string" && /^-?\d{1,20}(?:\.\d{1,20})?$/.test(value) ? Number(value) : undefined;
}

function isOrdered(operator: "<" | "<=" | ">" | ">=", left: Value, right: Value): boolean {
  const bothTexts = typeof left === "string" && typeof right === "string";
  const first = bothTexts ? left : asNumber(left);
  const second = bothTexts ? right : asNumber(right);
  if (first === undefined || second === undefined) return false;
  switch (operator) {
    case "<":
      return first < second;
    case "<=":
      return first <= second;
    case ">":
      return first > second;
    case ">=":
      return first >= second;
  }
}
