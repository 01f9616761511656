import type { ListShape, MapShape, Member, ScalarShape, Shape, StructureShape } from "./model.ts";
import { fromJavaPattern } from "./java-pattern.ts";

/** One thing wrong with an input. */
export interface Violation {
  /** Dotted, as AWS writes it: `tags.1.member.key`. */
  readonly path: string;
  /** The value as AWS quotes it; undefined for a member that is absent. */
  readonly value: string | undefined;
  /** `Member must not be null`, and so on. */
  readonly constraint: string;
  readonly kind: "required" | "length" | "range" | "pattern" | "enum" | "type" | "null";
  readonly member: Member;
  /** The member of the operation's input that this is, or is within. */
  readonly topMember: Member;
}

/** How long a value may be for its pattern to be tried, where the model gives no maximum. */
const patternCharactersMax = 4_096;
/** AWS tells them all; a hostile input could have millions. */
const violationsMax = 100;
const quotedCharactersMax = 1_024;

type Check = (value: unknown, path: string, member: Member, found: Finding) => void;

interface Finding {
  readonly violations: Violation[];
  topMember: Member;
}

/** Checks inputs against required, length, range, pattern and enum. Checks are compiled once per shape. */
export interface ConstraintChecker {
  check(input: StructureShape, value: Readonly<Record<string, unknown>>): readonly Violation[];
}

export function createConstraintChecker(): ConstraintChecker {
  const checks = new Map<Shape, Check | undefined>();
  const checkOf = (shape: Shape): Check | undefined => {
    if (checks.has(shape)) return checks.get(shape);
    // A shape within itself: look the check up when it runs.
    checks.set(shape, (value, path, member, found) => checks.get(shape)?.(value, path, member, found));
    const made = compileCheck(shape, checkOf);
    checks.set(shape, made);
    return made;
  };
  const inputs = new Map<StructureShape, readonly InputMember[]>();
  const membersOf = (input: StructureShape): readonly InputMember[] => {
    const known = inputs.get(input);
    if (known) return known;
    const made = input.members.map((member) => ({
      member,
      path: lowerFirst(member.name),
      check: checkOf(member.shape),
    }));
    inputs.set(input, made);
    return made;
  };
  return {
    check: (input, value) => {
      let finding: Finding | undefined;
      for (const { member, path, check } of membersOf(input)) {
        const given = value[member.name];
        if ((given === undefined || given === null) && !member.required) continue;
        finding ??= { violations: [], topMember: member };
        finding.topMember = member;
        checkMember(member, given, path, check, finding);
      }
      return finding?.violations ?? none;
    },
  };
}

interface InputMember {
  readonly member: Member;
  readonly path: string;
  readonly check: Check | undefined;
}

const none: readonly Violation[] = [];

function checkMember(member: Member, value: unknown, path: string, check: Check | undefined, found: Finding): void {
  if (value === undefined || value === null) {
    if (member.required) report(found, member, path, undefined, "Member must not be null", "required");
  } else if (check && !(member.streaming && Symbol.asyncIterator in Object(value))) {
    check(value, path, member, found);
  }
}

function compileCheck(shape: Shape, checkOf: (shape: Shape) => Check | undefined): Check | undefined {
  switch (shape.type) {
    case "structure":
      return compileStructure(shape, checkOf);
    case "list":
      return compileList(shape, checkOf(shape.member.shape));
    case "map":
      return compileMap(shape, checkOf(shape.key.shape), checkOf(shape.value.shape));
    default:
      return compileScalar(shape);
  }
}

function compileStructure(shape: StructureShape, checkOf: (shape: Shape) => Check | undefined): Check | undefined {
  if (shape.document || shape.eventStream) return undefined;
  const members = shape.members.map((member) => ({
    member,
    name: lowerFirst(member.name),
    check: checkOf(member.shape),
  }));
  return (value, path, own, found) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      report(found, own, path, quote(value), "Member must be a structure", "type");
      return;
    }
    const source = toSource(value);
    for (const { member, name, check } of members) {
      const item = source[member.name];
      if (item !== undefined || member.required) checkMember(member, item, `${path}.${name}`, check, found);
    }
  };
}

/** A structure of an input: whatever its type, it is read member by member. */
function toSource(value: object): Readonly<Record<string, unknown>> {
  return value as Readonly<Record<string, unknown>>;
}

function compileList(shape: ListShape, check: Check | undefined): Check {
  return (value, path, own, found) => {
    if (!Array.isArray(value)) {
      report(found, own, path, quote(value), "Member must be a list", "type");
      return;
    }
    checkCount(shape, value.length, () => quote(value), path, own, found);
    let index = 0;
    for (const item of value) {
      index += 1;
      if (found.violations.length >= violationsMax) return;
      if (item === null || item === undefined) {
        report(found, shape.member, `${path}.${index}.member`, undefined, "Member must not be null", "null");
      } else check?.(item, `${path}.${index}.member`, shape.member, found);
    }
  };
}

function compileMap(shape: MapShape, checkKey: Check | undefined, checkValue: Check | undefined): Check {
  return (value, path, own, found) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      report(found, own, path, quote(value), "Member must be a map", "type");
      return;
    }
    const entries = Object.entries(value);
    checkCount(shape, entries.length, () => quote(value), path, own, found);
    for (const [key, item] of entries) {
      if (found.violations.length >= violationsMax) return;
      checkKey?.(key, `${path}.member`, shape.key, found);
      if (item === null)
        report(found, shape.value, `${path}.${key}.member`, undefined, "Member must not be null", "null");
      else if (item !== undefined) checkValue?.(item, `${path}.${key}.member`, shape.value, found);
    }
  };
}

function checkCount(
  shape: ListShape | MapShape,
  count: number,
  value: () => string,
  path: string,
  member: Member,
  found: Finding,
): void {
  if (shape.min !== undefined && count < shape.min) {
    report(found, member, path, value(), `Member must have length greater than or equal to ${shape.min}`, "length");
  }
  if (shape.max !== undefined && count > shape.max) {
    report(found, member, path, value(), `Member must have length less than or equal to ${shape.max}`, "length");
  }
}

function compileScalar(shape: ScalarShape): Check | undefined {
  switch (shape.type) {
    case "string":
    case "character":
      return compileString(shape);
    case "blob":
      return (value, path, member, found) => {
        const length =
          value instanceof Uint8Array ? value.length : typeof value === "string" ? Buffer.byteLength(value) : -1;
        if (length < 0) report(found, member, path, quote(value), "Member must be a blob", "type");
        else checkLength(shape, length, () => "java.nio.HeapByteBuffer", path, member, found);
      };
    case "boolean":
      return (value, path, member, found) => {
        if (typeof value !== "boolean") report(found, member, path, quote(value), "Member must be a boolean", "type");
      };
    case "timestamp":
      return (value, path, member, found) => {
        if (!(value instanceof Date)) report(found, member, path, quote(value), "Member must be a timestamp", "type");
      };
    default:
      return (value, path, member, found) => {
        if (typeof value !== "number") {
          report(found, member, path, quote(value), "Member must be a number", "type");
          return;
        }
        if (shape.min !== undefined && value < shape.min) {
          const text = `Member must have value greater than or equal to ${shape.min}`;
          report(found, member, path, String(value), text, "range");
        }
        if (shape.max !== undefined && value > shape.max) {
          const text = `Member must have value less than or equal to ${shape.max}`;
          report(found, member, path, String(value), text, "range");
        }
      };
  }
}

function compileString(shape: ScalarShape): Check {
  const allowed = shape.enum && new Set(shape.enum);
  const enumText = shape.enum && `Member must satisfy enum value set: [${shape.enum.join(", ")}]`;
  let pattern: RegExp | undefined;
  let converted = shape.pattern === undefined;
  return (value, path, member, found) => {
    if (typeof value !== "string") {
      report(found, member, path, quote(value), "Member must be a string", "type");
      return;
    }
    const quoted = () => (shape.sensitive ? "***" : quote(value));
    if (allowed && enumText !== undefined && !allowed.has(value)) {
      report(found, member, path, quoted(), enumText, "enum");
    }
    // A long value is not tried against its pattern: the length is refused already, or no pattern of AWS's is meant for it.
    if (!checkLength(shape, value.length, quoted, path, member, found)) return;
    if (!converted) {
      converted = true;
      pattern = fromJavaPattern(shape.pattern ?? "");
    }
    if (pattern && value.length <= (shape.max ?? patternCharactersMax) && !pattern.test(value)) {
      const text = `Member must satisfy regular expression pattern: ${shape.pattern ?? ""}`;
      report(found, member, path, quoted(), text, "pattern");
    }
  };
}

/** False when it is too long. */
function checkLength(
  shape: ScalarShape,
  length: number,
  value: () => string,
  path: string,
  member: Member,
  found: Finding,
): boolean {
  if (shape.min !== undefined && length < shape.min) {
    report(found, member, path, value(), `Member must have length greater than or equal to ${shape.min}`, "length");
  }
  if (shape.max !== undefined && length > shape.max) {
    report(found, member, path, value(), `Member must have length less than or equal to ${shape.max}`, "length");
    return false;
  }
  return true;
}

function report(
  found: Finding,
  member: Member,
  path: string,
  value: string | undefined,
  constraint: string,
  kind: Violation["kind"],
): void {
  if (found.violations.length >= violationsMax) return;
  found.violations.push({ path, value, constraint, kind, member, topMember: found.topMember });
}

/** A value as Java prints it: lists `[a, b]`, maps `{k=v}`. */
function quote(value: unknown): string {
  const text = print(value, 0);
  return text.length > quotedCharactersMax ? `${text.slice(0, quotedCharactersMax)}…` : text;
}

function print(value: unknown, depth: number): string {
  if (value instanceof Uint8Array) return "java.nio.HeapByteBuffer";
  if (Array.isArray(value)) {
    return depth > 3
      ? "[…]"
      : `[${value
          .slice(0, 50)
          .map((item: unknown) => print(item, depth + 1))
          .join(", ")}]`;
  }
  if (typeof value === "object" && value !== null && !(value instanceof Date)) {
    if (depth > 3) return "{…}";
    const entries = Object.entries(value).slice(0, 50);
    return `{${entries.map(([key, item]) => `${key}=${print(item, depth + 1)}`).join(", ")}}`;
  }
  return String(value);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
