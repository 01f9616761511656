import type { AttributeValue, Item } from "../../src/services/dynamodb/values/attribute-value.ts";

/**
 * Conditions and updates as trees, printed as expressions, and evaluated as plainly as possible, from the developer guide's
 * "Expressions" alone: what the expression engine is compared with.
 */
export type Path = readonly (string | number)[];
type Value = AttributeValue;

export type Operand =
  | { readonly kind: "path"; readonly path: Path }
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "size"; readonly path: Path };

type Comparator = "=" | "<>" | "<" | "<=" | ">" | ">=";

export type Condition =
  | { readonly kind: "compare"; readonly operator: Comparator; readonly left: Operand; readonly right: Operand }
  | { readonly kind: "between"; readonly subject: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly kind: "in"; readonly subject: Operand; readonly among: readonly Operand[] }
  | { readonly kind: "exists"; readonly path: Path; readonly exists: boolean }
  | { readonly kind: "type"; readonly path: Path; readonly type: string }
  | { readonly kind: "begins"; readonly path: Path; readonly prefix: Operand }
  | { readonly kind: "contains"; readonly path: Path; readonly part: Operand }
  | { readonly kind: "not"; readonly of: Condition }
  | { readonly kind: "and" | "or"; readonly left: Condition; readonly right: Condition };

interface Printed {
  readonly expression: string;
  readonly names: Record<string, string>;
  readonly values: Record<string, Value>;
}

function createPrinter() {
  const names: Record<string, string> = {};
  const values: Record<string, Value> = {};
  const valueOf = (given: Value) => {
    const name = `:v${Object.keys(values).length}`;
    values[name] = given;
    return name;
  };
  const path = (of: Path) =>
    of
      .map((step, at) => {
        if (typeof step === "number") return `[${step}]`;
        // Some by their names, some by a placeholder.
        const isPlain = at === 0 && step !== "b";
        if (!isPlain) names[`#${step}`] = step;
        return `${at === 0 ? "" : "."}${isPlain ? step : `#${step}`}`;
      })
      .join("");
  return { names, values, valueOf, path };
}

/** With no more parentheses than are needed, or with many. */
export function print(condition: Condition, isSpare: boolean): Printed {
  const { names, values, valueOf, path } = createPrinter();
  const operand = (of: Operand) =>
    of.kind === "path" ? path(of.path) : of.kind === "value" ? valueOf(of.value) : `size(${path(of.path)})`;
  const strength = { or: 1, and: 2, not: 3 };
  const strengthOf = ({ kind }: Condition) => (kind === "or" || kind === "and" || kind === "not" ? strength[kind] : 4);
  const inside = (of: Condition, least: number): string => {
    const text = one(of);
    return strengthOf(of) < least || (isSpare && strengthOf(of) < 4) ? `(${text})` : text;
  };
  const word = (text: string) => (isSpare ? text.toLowerCase() : text);
  const one = (of: Condition): string => {
    switch (of.kind) {
      case "compare":
        return `${operand(of.left)}${isSpare ? "" : " "}${of.operator} ${operand(of.right)}`;
      case "between":
        return `${operand(of.subject)} ${word("BETWEEN")} ${operand(of.low)} ${word("AND")} ${operand(of.high)}`;
      case "in":
        return `${operand(of.subject)} ${word("IN")} (${of.among.map(operand).join(", ")})`;
      case "exists":
        return `${of.exists ? "attribute_exists" : "attribute_not_exists"}(${path(of.path)})`;
      case "type":
        return `attribute_type(${path(of.path)}, ${valueOf({ S: of.type })})`;
      case "begins":
        return `begins_with(${path(of.path)}, ${operand(of.prefix)})`;
      case "contains":
        return `contains(${path(of.path)}, ${operand(of.part)})`;
      case "not":
        return `${word("NOT")} ${inside(of.of, strength.not)}`;
      default: {
        const least = strength[of.kind];
        return `${inside(of.left, least)} ${word(of.kind.toUpperCase())} ${inside(of.right, least + 1)}`;
      }
    }
  };
  return { expression: one(condition), names, values };
}

/** Whether it holds of the item, and whether it is refused, whatever the item. */
export function evaluate(condition: Condition, item: Item): { readonly holds: boolean; readonly refused: boolean } {
  return { holds: holdsOf(condition, item), refused: isRefused(condition) };
}

const ordered = ["S", "N", "B"];

function isRefused(condition: Condition): boolean {
  switch (condition.kind) {
    case "compare": {
      const sides = [condition.left, condition.right];
      const hasOrder = condition.operator !== "=" && condition.operator !== "<>";
      return (hasOrder && sides.some((side) => isWrong(side, ordered))) || isSame(condition.left, condition.right);
    }
    case "between": {
      const { subject, low, high } = condition;
      if ([subject, low, high].some((side) => isWrong(side, ordered))) return true;
      if (low.kind !== "value" || high.kind !== "value") return false;
      return typeOf(low.value) !== typeOf(high.value) || (orderOf(low.value, high.value) ?? 0) > 0;
    }
    case "begins":
      return isWrong(condition.prefix, ["S", "B"]) || isSame({ kind: "path", path: condition.path }, condition.prefix);
    case "contains":
      return isSame({ kind: "path", path: condition.path }, condition.part);
    case "not":
      return isRefused(condition.of);
    case "and":
    case "or":
      return isRefused(condition.left) || isRefused(condition.right);
    default:
      return false;
  }
}

function isWrong(operand: Operand, types: readonly string[]): boolean {
  if (operand.kind === "size") return !types.includes("N");
  return operand.kind === "value" && !types.includes(typeOf(operand.value));
}

function isSame(a: Operand, b: Operand): boolean {
  return a.kind === "path" && b.kind === "path" && JSON.stringify(a.path) === JSON.stringify(b.path);
}

function holdsOf(condition: Condition, item: Item): boolean {
  const valueOf = (operand: Operand): Value | undefined => {
    if (operand.kind === "value") return operand.value;
    const found = at(item, operand.path);
    if (operand.kind === "path") return found;
    const size = found && sizeOf(found);
    return size === undefined ? undefined : { N: String(size) };
  };
  switch (condition.kind) {
    case "compare": {
      const [left, right] = [valueOf(condition.left), valueOf(condition.right)];
      if (!left || !right) return condition.operator === "<>" && left !== right;
      const order = orderOf(left, right);
      switch (condition.operator) {
        case "=":
          return isEqual(left, right);
        case "<>":
          return !isEqual(left, right);
        case "<":
          return order !== undefined && order < 0;
        case "<=":
          return order !== undefined && order <= 0;
        case ">":
          return order !== undefined && order > 0;
        case ">=":
          return order !== undefined && order >= 0;
      }
    }
    case "between": {
      const { subject, low, high } = condition;
      const [of, from, to] = [valueOf(subject), valueOf(low), valueOf(high)];
      if (!of || !from || !to) return false;
      const [above, below] = [orderOf(of, from), orderOf(of, to)];
      return above !== undefined && below !== undefined && above >= 0 && below <= 0;
    }
    case "in": {
      const of = valueOf(condition.subject);
      return condition.among.some((each) => {
        const other = valueOf(each);
        return of !== undefined && other !== undefined && isEqual(of, other);
      });
    }
    case "exists":
      return (at(item, condition.path) !== undefined) === condition.exists;
    case "type": {
      const found = at(item, condition.path);
      return found !== undefined && typeOf(found) === condition.type;
    }
    case "begins": {
      const [of, prefix] = [at(item, condition.path), valueOf(condition.prefix)];
      if (!of || !prefix || typeOf(of) !== typeOf(prefix) || !["S", "B"].includes(typeOf(of))) return false;
      return bytesOf(of).subarray(0, bytesOf(prefix).length).equals(bytesOf(prefix));
    }
    case "contains": {
      const [of, part] = [at(item, condition.path), valueOf(condition.part)];
      if (!of || !part) return false;
      const type = typeOf(of);
      if (type === "S" || type === "B") return typeOf(part) === type && bytesOf(of).includes(bytesOf(part));
      return elementsOf(of).some((each) => isEqual(each, part));
    }
    case "not":
      return !holdsOf(condition.of, item);
    case "and":
      return holdsOf(condition.left, item) && holdsOf(condition.right, item);
    case "or":
      return holdsOf(condition.left, item) || holdsOf(condition.right, item);
  }
}

function typeOf(value: Value): string {
  return Object.keys(value)[0] ?? "";
}

function at(item: Item, path: Path): Value | undefined {
  let found: Value | undefined = { M: item };
  for (const step of path) {
    if (found && typeof step === "string" && "M" in found)
      found = Object.hasOwn(found.M, step) ? found.M[step] : undefined;
    else if (found && typeof step === "number" && "L" in found) found = found.L[step];
    else return undefined;
  }
  return found;
}

/** One text for equal values. */
function canonical(value: Value): string {
  if ("SS" in value) return `SS${JSON.stringify(value.SS.toSorted())}`;
  if ("NS" in value) return `NS${JSON.stringify(value.NS.toSorted())}`;
  if ("BS" in value) return `BS${JSON.stringify(value.BS.toSorted())}`;
  if ("L" in value) return `L[${value.L.map(canonical).join(",")}]`;
  if ("M" in value) {
    const entries = Object.entries(value.M).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `M{${entries.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

function isEqual(a: Value, b: Value): boolean {
  return canonical(a) === canonical(b);
}

function orderOf(a: Value, b: Value): number | undefined {
  if (typeOf(a) !== typeOf(b)) return undefined;
  if ("N" in a && "N" in b) return Number(a.N) - Number(b.N);
  return "S" in a || "B" in a ? Buffer.compare(bytesOf(a), bytesOf(b)) : undefined;
}

function bytesOf(value: Value): Buffer {
  if ("S" in value) return Buffer.from(value.S, "utf8");
  return Buffer.from("B" in value ? value.B : "", "base64");
}

function elementsOf(value: Value): readonly Value[] {
  if ("L" in value) return value.L;
  if ("SS" in value) return value.SS.map((S) => ({ S }));
  if ("NS" in value) return value.NS.map((N) => ({ N }));
  return "BS" in value ? value.BS.map((B) => ({ B })) : [];
}

function sizeOf(value: Value): number | undefined {
  if ("S" in value || "B" in value) return bytesOf(value).length;
  if ("M" in value) return Object.keys(value.M).length;
  return "N" in value || "BOOL" in value || "NULL" in value ? undefined : elementsOf(value).length;
}

type Source = Exclude<Operand, { kind: "size" }>;

export type Update =
  | { readonly kind: "set"; readonly path: Path; readonly from: Source }
  | {
      readonly kind: "sum";
      readonly path: Path;
      readonly sign: "+" | "-";
      readonly left: Source;
      readonly right: Source;
    }
  | { readonly kind: "append"; readonly path: Path; readonly left: Source; readonly right: Source }
  | { readonly kind: "ifNotExists"; readonly path: Path; readonly or: Path; readonly otherwise: Source }
  | { readonly kind: "remove"; readonly path: Path }
  | { readonly kind: "add" | "delete"; readonly path: Path; readonly value: Value };

export function printUpdate(updates: readonly Update[]): Printed {
  const { names, values, valueOf, path } = createPrinter();
  const source = (of: Source) => (of.kind === "path" ? path(of.path) : valueOf(of.value));
  const one = (of: Update): readonly [section: string, text: string] => {
    switch (of.kind) {
      case "set":
        return ["SET", `${path(of.path)} = ${source(of.from)}`];
      case "sum":
        return ["SET", `${path(of.path)} = ${source(of.left)} ${of.sign} ${source(of.right)}`];
      case "append":
        return ["SET", `${path(of.path)} = list_append(${source(of.left)}, ${source(of.right)})`];
      case "ifNotExists":
        return ["SET", `${path(of.path)} = if_not_exists(${path(of.or)}, ${source(of.otherwise)})`];
      case "remove":
        return ["REMOVE", path(of.path)];
      default:
        return [of.kind.toUpperCase(), `${path(of.path)} ${valueOf(of.value)}`];
    }
  };
  const printed = updates.map(one);
  const sections = ["SET", "REMOVE", "ADD", "DELETE"].flatMap((section) => {
    const texts = printed.filter(([name]) => name === section).map(([, text]) => text);
    return texts.length > 0 ? [`${section} ${texts.join(", ")}`] : [];
  });
  return { expression: sections.join(" "), names, values };
}

class Refused extends Error {}

/** The item as it is afterwards; undefined where the update is refused. */
export function perform(updates: readonly Update[], item: Item): Item | undefined {
  try {
    if (updates.some((one, index) => updates.slice(index + 1).some((other) => areTogether(one.path, other.path)))) {
      return undefined;
    }
    const tree = grow({ M: item });
    for (const each of updates) {
      const { path } = each;
      if (each.kind === "remove") change(tree, path, () => undefined);
      else if (each.kind === "add") change(tree, path, (found) => sumOrUnion(found, each.value));
      else if (each.kind === "delete") change(tree, path, (found) => found && without(found, each.value));
      else {
        const value = toBeSet(each, item);
        change(tree, path, () => value);
      }
    }
    const done = shrink(tree);
    return done && "M" in done ? done.M : undefined;
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

/** One leads through the other, or they part where one has a name and the other a position. */
function areTogether(a: Path, b: Path): boolean {
  for (let step = 0; ; step += 1) {
    const [mine, other] = [a[step], b[step]];
    if (mine === undefined || other === undefined) return true;
    if (mine !== other) return typeof mine !== typeof other;
  }
}

function toBeSet(update: Update, item: Item): Value {
  const valueOf = (source: Source): Value => {
    const value = source.kind === "value" ? source.value : at(item, source.path);
    if (!value) throw new Refused();
    return value;
  };
  switch (update.kind) {
    case "set":
      return valueOf(update.from);
    case "ifNotExists":
      return at(item, update.or) ?? valueOf(update.otherwise);
    case "append": {
      const [left, right] = [valueOf(update.left), valueOf(update.right)];
      if (!("L" in left) || !("L" in right)) throw new Refused();
      return { L: [...left.L, ...right.L] };
    }
    case "sum": {
      const [left, right] = [valueOf(update.left), valueOf(update.right)];
      if (!("N" in left) || !("N" in right)) throw new Refused();
      return { N: tenthsToText(tenths(left.N) + (update.sign === "+" ? 1n : -1n) * tenths(right.N)) };
    }
    default:
      throw new TypeError("Only SET gives values");
  }
}

/** Numbers of one decimal place are all that occur here. */
function tenths(text: string): bigint {
  const [whole = "0", part = "0"] = text.replace("-", "").split(".");
  const amount = BigInt(whole) * 10n + BigInt(part);
  return text.startsWith("-") ? -amount : amount;
}

function tenthsToText(amount: bigint): string {
  const [sign, size] = amount < 0n ? ["-", -amount] : ["", amount];
  return `${sign}${size / 10n}${size % 10n === 0n ? "" : `.${size % 10n}`}`;
}

function sumOrUnion(found: Value | undefined, value: Value): Value {
  if (!found) return value;
  if ("N" in found && "N" in value) return { N: tenthsToText(tenths(found.N) + tenths(value.N)) };
  if ("SS" in found && "SS" in value)
    return { SS: [...found.SS, ...value.SS.filter((each) => !found.SS.includes(each))] };
  if ("NS" in found && "NS" in value)
    return { NS: [...found.NS, ...value.NS.filter((each) => !found.NS.includes(each))] };
  throw new Refused();
}

function without(found: Value, value: Value): Value | undefined {
  if ("SS" in found && "SS" in value) {
    const SS = found.SS.filter((each) => !value.SS.includes(each));
    return SS.length > 0 ? { SS } : undefined;
  }
  if ("NS" in found && "NS" in value) {
    const NS = found.NS.filter((each) => !value.NS.includes(each));
    return NS.length > 0 ? { NS } : undefined;
  }
  throw new Refused();
}

/** A document that can be changed: a list keeps its positions until the end. */
type Tree =
  | { readonly map: Map<string, Tree> }
  | { readonly list: Map<number, Tree>; readonly length: number }
  | { readonly value: Value };

function grow(value: Value): Tree {
  if ("M" in value) return { map: new Map(Object.entries(value.M).map(([name, each]) => [name, grow(each)])) };
  if ("L" in value) return { list: new Map(value.L.map((each, index) => [index, grow(each)])), length: value.L.length };
  return { value };
}

function shrink(tree: Tree): Value {
  if ("map" in tree) {
    return { M: Object.fromEntries([...tree.map].map(([name, each]) => [name, shrink(each)])) };
  }
  if ("list" in tree) return { L: [...tree.list].toSorted(([a], [b]) => a - b).map(([, each]) => shrink(each)) };
  return tree.value;
}

function change(tree: Tree, path: Path, next: (found: Value | undefined) => Value | undefined): void {
  const [step, ...rest] = path;
  if (typeof step === "string" && "map" in tree) changeAt(tree.map, step, rest, next);
  else if (typeof step === "number" && "list" in tree) changeAt(tree.list, step, rest, next);
  else throw new Refused();
}

function changeAt<Step>(
  children: Map<Step, Tree>,
  step: Step,
  rest: Path,
  next: (found: Value | undefined) => Value | undefined,
): void {
  const child = children.get(step);
  if (rest.length > 0) {
    if (!child) throw new Refused();
    change(child, rest, next);
    return;
  }
  const value = next(child && shrink(child));
  if (value) children.set(step, grow(value));
  else children.delete(step);
}
