import { validation } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import {
  attributeOf,
  copyItem,
  setAttribute,
  typeOf,
  type AttributeType,
  type AttributeValue,
  type Item,
} from "../values/attribute-value.ts";
import { addNumbers } from "../values/decimal.ts";
import type { Operand, UpdateAction } from "./ast.ts";
import { findAt } from "./document-path.ts";
import { ExpressionError } from "./parser.ts";
import { assertApart, assertNotReserved, type BoundPath, type Placeholders } from "./placeholders.ts";

export type BoundUpdate =
  | { readonly kind: "set"; readonly path: BoundPath; readonly value: BoundSource }
  | { readonly kind: "remove"; readonly path: BoundPath }
  | { readonly kind: "add" | "delete"; readonly path: BoundPath; readonly value: AttributeValue };

/** What SET gives to an attribute. */
export type BoundSource =
  | { readonly kind: "path"; readonly path: BoundPath }
  | { readonly kind: "value"; readonly value: AttributeValue }
  | { readonly kind: "ifNotExists"; readonly path: BoundPath; readonly otherwise: BoundSource }
  | { readonly kind: "listAppend"; readonly first: BoundSource; readonly second: BoundSource }
  | { readonly kind: "math"; readonly operator: "+" | "-"; readonly left: BoundSource; readonly right: BoundSource };

/** What can be said of an update without its names and values, in AWS's order. @throws {ExpressionError} */
export function checkUpdate(actions: readonly UpdateAction[], repeated: string | undefined): void {
  const visit = (operand: Operand, each: (operand: Operand) => void): void => {
    each(operand);
    if (operand.kind === "call") for (const arg of operand.args) visit(arg, each);
    if (operand.kind === "math") for (const side of [operand.left, operand.right]) visit(side, each);
  };
  for (const action of actions) {
    assertNotReserved(action.path);
    if (action.kind === "remove") continue;
    visit(action.value, (operand) => {
      if (operand.kind === "path") assertNotReserved(operand.path);
    });
  }
  for (const action of actions) {
    if (action.kind === "remove") continue;
    visit(action.value, (operand) => {
      if (operand.kind === "call" && operand.name !== "if_not_exists" && operand.name !== "list_append") {
        throw new ExpressionError(`Invalid function name; function: ${operand.name}`);
      }
    });
  }
  if (repeated !== undefined) {
    throw new ExpressionError(`The "${repeated}" section can only be used once in an update expression;`);
  }
}

/** @throws {ExpressionError} for what its names and values make wrong. */
export function bindUpdate(actions: readonly UpdateAction[], placeholders: Placeholders): readonly BoundUpdate[] {
  const problems: string[] = [];
  const bound = actions.map((action): BoundUpdate => {
    const path = placeholders.path(action.path);
    switch (action.kind) {
      case "remove":
        return { kind: "remove", path };
      case "set":
        return { kind: "set", path, value: bindSource(action.value, placeholders, problems) };
      default: {
        const source = bindSource(action.value, placeholders, problems);
        if (source.kind !== "value") {
          // The grammar of ADD and DELETE takes a value alone.
          throw new ExpressionError(
            `Incorrect operand type for operator or function; operator: ${action.kind.toUpperCase()}, operand type: PATH`,
          );
        }
        const type = typeOf(source.value);
        const isSet = type === "SS" || type === "NS" || type === "BS";
        if (!isSet && !(action.kind === "add" && type === "N")) {
          problems.push(
            `Incorrect operand type for operator or function; operator: ${action.kind.toUpperCase()}, operand type: ${typeNames[type]}, typeSet: ${action.kind === "add" ? "ALLOWED_FOR_ADD_OPERAND" : "ALLOWED_FOR_DELETE_OPERAND"}`,
          );
        }
        return { kind: action.kind, path, value: source.value };
      }
    }
  });
  assertApart(bound.map((each) => each.path));
  const [problem] = problems;
  if (problem !== undefined) throw new ExpressionError(problem);
  return bound;
}

const typeNames: Readonly<Record<AttributeType, string>> = {
  S: "STRING",
  N: "NUMBER",
  B: "BINARY",
  NULL: "NULL",
  BOOL: "BOOLEAN",
  L: "LIST",
  M: "MAP",
  SS: "STRING_SET",
  NS: "NUMBER_SET",
  BS: "BINARY_SET",
};

/** Problems of operands are told after those of paths. */
function bindSource(operand: Operand, placeholders: Placeholders, problems: string[]): BoundSource {
  switch (operand.kind) {
    case "path":
      return { kind: "path", path: placeholders.path(operand.path) };
    case "value":
      return { kind: "value", value: placeholders.value(operand.name) };
    case "math": {
      const left = bindSource(operand.left, placeholders, problems);
      const right = bindSource(operand.right, placeholders, problems);
      for (const side of [left, right]) assertType(operand.operator, side, "N", problems);
      return { kind: "math", operator: operand.operator, left, right };
    }
    case "call": {
      const args = operand.args.map((each) => bindSource(each, placeholders, problems));
      const [first, second] = args;
      if (!first || !second || args.length !== 2) {
        throw new ExpressionError(
          `Incorrect number of operands for operator or function; operator or function: ${operand.name}, number of operands: ${args.length}`,
        );
      }
      if (operand.name === "list_append") {
        for (const side of [first, second]) assertType("list_append", side, "L", problems);
        return { kind: "listAppend", first, second };
      }
      if (first.kind !== "path") {
        throw new ExpressionError("Operator or function requires a document path; operator or function: if_not_exists");
      }
      return { kind: "ifNotExists", path: first.path, otherwise: second };
    }
  }
}

function assertType(name: string, source: BoundSource, type: AttributeType, problems: string[]): void {
  const found =
    source.kind === "value"
      ? typeOf(source.value)
      : source.kind === "listAppend"
        ? "L"
        : source.kind === "math"
          ? "N"
          : undefined;
  if (found === undefined || found === type) return;
  problems.push(
    `Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${found}`,
  );
}

/**
 * The item after the update. Every value is worked out from the item as it was before.
 *
 * @throws {ValidationException} where the item does not have what the update builds upon
 */
export function applyUpdate(actions: readonly BoundUpdate[], before: Item): Item {
  const item = copyItem(before);
  const values = actions.map((action) => (action.kind === "set" ? evaluate(action.value, before) : undefined));
  const changed: ListChange[] = [];
  actions.forEach((action, at) => {
    const value = values[at];
    if (action.kind === "set") {
      if (value) place(item, action.path, () => value, changed);
    } else if (action.kind === "remove") {
      place(item, action.path, () => undefined, changed);
    } else if (action.kind === "add") {
      place(item, action.path, (existing) => addTo(existing, action.value), changed);
    } else {
      place(item, action.path, (existing) => existing && takeFrom(existing, action.value), changed);
    }
  });
  for (const { list, removed, appended } of changed) {
    // Positions are those of the list as it was: what goes, goes last; what was set beyond its end follows in order.
    for (const index of [...removed].toSorted((a, b) => b - a)) list.splice(index, 1);
    for (const [, value] of [...appended].toSorted(([a], [b]) => a - b)) list.push(value);
  }
  for (const { kind, path } of actions) {
    const value = kind === "set" && path.length > 1 ? attributeOf(item, String(path[0])) : undefined;
    if (value) assertNesting(value, 0);
  }
  return item;
}

/** What is set within an attribute makes that one deeper. @throws {ValidationException} when it is too deep then */
function assertNesting(value: AttributeValue, depth: number): void {
  if (depth >= dynamoLimits.nestingMax) throw validation("Nesting Levels have exceeded supported limits");
  const below = "M" in value ? Object.values(value.M) : "L" in value ? value.L : [];
  for (const each of below) assertNesting(each, depth + 1);
}

interface ListChange {
  readonly list: AttributeValue[];
  readonly removed: Set<number>;
  readonly appended: Map<number, AttributeValue>;
}

function evaluate(source: BoundSource, item: Item): AttributeValue {
  switch (source.kind) {
    case "value":
      return source.value;
    case "path": {
      const found = findAt(item, source.path);
      if (!found) throw validation("The provided expression refers to an attribute that does not exist in the item");
      return found;
    }
    case "ifNotExists":
      return findAt(item, source.path) ?? evaluate(source.otherwise, item);
    case "math": {
      const [left, right] = [evaluate(source.left, item), evaluate(source.right, item)];
      if (!("N" in left) || !("N" in right)) throw wrongType();
      return { N: addNumbers(left.N, right.N, source.operator) };
    }
    case "listAppend": {
      const [first, second] = [evaluate(source.first, item), evaluate(source.second, item)];
      if (!("L" in first) || !("L" in second)) throw wrongType();
      return { L: [...first.L, ...second.L] };
    }
  }
}

function wrongType() {
  return validation("An operand in the update expression has an incorrect data type");
}

function invalidPath() {
  return validation("The document path provided in the update expression is invalid for update");
}

/** Copies what lies on the way to the path, and puts there what `next` makes of what was there. */
function place(
  item: Record<string, AttributeValue>,
  path: BoundPath,
  next: (existing: AttributeValue | undefined) => AttributeValue | undefined,
  changed: ListChange[],
): void {
  let map: Record<string, AttributeValue> | undefined = item;
  let list: AttributeValue[] | undefined;
  for (let at = 0; at < path.length; at += 1) {
    const step = path[at];
    const last = at === path.length - 1;
    if (typeof step === "string") {
      if (!map) throw invalidPath();
      const existing = attributeOf(map, step);
      if (last) {
        const value = next(existing);
        if (value) setAttribute(map, step, value);
        else delete map[step];
        return;
      }
      if (!existing) throw invalidPath();
      const copy = copyContainer(existing, changed);
      setAttribute(map, step, copy.value);
      [map, list] = [copy.map, copy.list];
    } else if (typeof step === "number") {
      if (!list) throw invalidPath();
      const existing = list[step];
      if (last) {
        placeInList(list, step, existing, next(existing), changed);
        return;
      }
      if (!existing) throw invalidPath();
      const copy = copyContainer(existing, changed);
      list[step] = copy.value;
      [map, list] = [copy.map, copy.list];
    }
  }
}

function placeInList(
  list: AttributeValue[],
  index: number,
  existing: AttributeValue | undefined,
  value: AttributeValue | undefined,
  changed: ListChange[],
): void {
  if (value && existing) {
    list[index] = value;
    return;
  }
  if (!value && !existing) return;
  let change = changed.find((each) => each.list === list);
  if (!change) {
    change = { list, removed: new Set(), appended: new Map() };
    changed.push(change);
  }
  if (value) change.appended.set(index, value);
  else change.removed.add(index);
}

function copyContainer(value: AttributeValue, changed: readonly ListChange[]) {
  if ("M" in value) {
    const map = copyItem(value.M);
    return { value: { M: map }, map, list: undefined };
  }
  if (!("L" in value)) return { value, map: undefined, list: undefined };
  // A list that an action has changed already is ours.
  const own = changed.find((each) => each.list === value.L);
  const list = own?.list ?? [...value.L];
  return { value: { L: list }, map: undefined, list };
}

/** ADD: a number grows, a set takes in. @throws {ValidationException} for other types */
export function addTo(existing: AttributeValue | undefined, value: AttributeValue): AttributeValue {
  if (!existing) return value;
  if ("N" in existing && "N" in value) return { N: addNumbers(existing.N, value.N, "+") };
  if ("SS" in existing && "SS" in value) return { SS: [...new Set([...existing.SS, ...value.SS])] };
  if ("NS" in existing && "NS" in value) return { NS: [...new Set([...existing.NS, ...value.NS])] };
  if ("BS" in existing && "BS" in value) return { BS: [...new Set([...existing.BS, ...value.BS])] };
  throw wrongType();
}

/** DELETE: what is left of a set; undefined when nothing is. @throws {ValidationException} for other types */
export function takeFrom(existing: AttributeValue, value: AttributeValue): AttributeValue | undefined {
  if ("SS" in existing && "SS" in value) return nonEmpty("SS", left(existing.SS, value.SS));
  if ("NS" in existing && "NS" in value) return nonEmpty("NS", left(existing.NS, value.NS));
  if ("BS" in existing && "BS" in value) return nonEmpty("BS", left(existing.BS, value.BS));
  throw wrongType();
}

function left(from: readonly string[], taken: readonly string[]): readonly string[] {
  const gone = new Set(taken);
  return from.filter((each) => !gone.has(each));
}

function nonEmpty(type: "SS" | "NS" | "BS", values: readonly string[]): AttributeValue | undefined {
  if (values.length === 0) return undefined;
  return type === "SS" ? { SS: values } : type === "NS" ? { NS: values } : { BS: values };
}
