import type { Member, ScalarShape, Shape, StructureShape } from "../model.ts";
import { asRecord, bodyDepthMax, malformed, setOwn } from "./protocol.ts";
import { checkInteger, isFloatWord, isInBody, nameOfInteger, parseBase64 } from "./scalars.ts";
import { formatTimestamp, parseTimestamp, toDate, toTimestampFormat } from "./timestamps.ts";

type Convert = (value: unknown) => unknown;

/** JSON values ↔ a model's values. Converters are compiled once per shape and kept as long as the codec. */
export interface JsonCodec {
  /** A parsed JSON value → the shape's value. Throws the SerializationException. Unknown members are dropped, as AWS does. */
  read(shape: StructureShape, value: unknown): Record<string, unknown>;
  readMember(member: Member, value: unknown): unknown;
  /** The shape's value → plain data for `JSON.stringify`. `skip` leaves members out that are bound elsewhere. */
  write(shape: StructureShape, value: unknown): Record<string, unknown>;
  writeMember(member: Member, value: unknown): unknown;
}

export function createJsonCodec(): JsonCodec {
  const readers = new Map<Shape, Convert>();
  const writers = new Map<Shape, Convert>();
  const depth = { now: 0 };
  const rootOf = createRoots();

  const readerOf = (member: Member): Convert =>
    compile(readers, member, (shape) => compileReader(shape, readerOf, depth));
  const writerOf = (member: Member): Convert => {
    if (member.shape.type === "timestamp") return timestampWriter(member);
    return compile(writers, member, (shape) => compileWriter(shape, writerOf));
  };
  return {
    read: (shape, value) => {
      depth.now = 0;
      return asRecord(readerOf(rootOf(shape))(value));
    },
    readMember: (member, value) => {
      depth.now = 0;
      return readerOf(member)(value);
    },
    write: (shape, value) => asRecord(writerOf(rootOf(shape))(value)),
    writeMember: (member, value) => writerOf(member)(value),
  };
}

/** Shapes refer to themselves: what is asked for while it is being compiled resolves when it is used. */
function compile(cache: Map<Shape, Convert>, member: Member, make: (shape: Shape) => Convert): Convert {
  const known = cache.get(member.shape);
  if (known) return known;
  let made: Convert | undefined;
  cache.set(member.shape, (value) => (made ? made(value) : undefined));
  made = make(member.shape);
  cache.set(member.shape, made);
  return made;
}

/** A shape as if it were a member. */
function createRoots(): (shape: StructureShape) => Member {
  const roots = new Map<StructureShape, Member>();
  return (shape) => {
    const known = roots.get(shape);
    if (known) return known;
    const root = toRoot(shape);
    roots.set(shape, root);
    return root;
  };
}

function toRoot(shape: StructureShape): Member {
  return {
    name: "",
    shape,
    required: false,
    location: undefined,
    locationName: undefined,
    flattened: false,
    xmlAttribute: false,
    xmlNamespace: undefined,
    streaming: false,
    jsonValue: false,
    idempotencyToken: false,
    timestampFormat: undefined,
    eventPayload: false,
    eventHeader: false,
  };
}

function compileReader(shape: Shape, readerOf: (member: Member) => Convert, depth: { now: number }): Convert {
  switch (shape.type) {
    case "structure": {
      if (shape.document) return (value) => checkDocument(value);
      const members = new Map<string, readonly [name: string, read: Convert]>();
      for (const member of shape.members) {
        if (member.location === undefined)
          members.set(member.locationName ?? member.name, [member.name, readerOf(member)]);
      }
      return (value) => {
        if (typeof value !== "object" || value === null) throw malformed("Unexpected field type");
        if (Array.isArray(value)) throw malformed("Start of list found where not expected");
        enter(depth);
        const result: Record<string, unknown> = {};
        let set = 0;
        for (const key of Object.keys(value)) {
          const known = members.get(key);
          if (known === undefined) continue;
          const item = asRecord(value)[key];
          if (item === null || item === undefined) continue;
          result[known[0]] = known[1](item);
          set += 1;
        }
        if (shape.union && set > 1) throw malformed(`Only one member of the union ${shape.name} may be set`);
        depth.now -= 1;
        return result;
      };
    }
    case "list": {
      const read = readerOf(shape.member);
      return (value) => {
        if (!Array.isArray(value)) {
          throw malformed(
            typeof value === "object" ? "Start of structure or map found where not expected." : "Unexpected field type",
          );
        }
        enter(depth);
        const result: unknown[] = [];
        for (const item of value) result.push(item === null ? null : read(item));
        depth.now -= 1;
        return result;
      };
    }
    case "map": {
      const read = readerOf(shape.value);
      return (value) => {
        if (typeof value !== "object" || value === null) throw malformed("Unexpected field type");
        if (Array.isArray(value)) throw malformed("Start of list found where not expected");
        enter(depth);
        const result: Record<string, unknown> = {};
        for (const [key, item] of Object.entries(value)) setOwn(result, key, item === null ? null : read(item));
        depth.now -= 1;
        return result;
      };
    }
    default:
      return (value) => readScalar(shape, value);
  }
}

function enter(depth: { now: number }): void {
  depth.now += 1;
  if (depth.now > bodyDepthMax) throw malformed("The request is nested too deeply");
}

function readScalar(shape: ScalarShape, value: unknown): unknown {
  switch (shape.type) {
    case "string":
    case "character":
      if (typeof value === "string") return value;
      throw notConvertible(value, "a String");
    case "integer":
    case "long":
    case "short":
    case "byte":
    case "biginteger":
      if (typeof value === "number") return checkInteger(shape.type, value);
      throw notConvertible(value, nameOfInteger(shape.type));
    case "float":
    case "double":
    case "bigdecimal":
      if (typeof value === "number") return value;
      if (typeof value === "string" && isFloatWord(value)) return Number(value);
      throw notConvertible(value, shape.type === "float" ? "a Float" : "a Double");
    case "boolean":
      if (typeof value === "boolean") return value;
      throw notConvertible(value, "a Boolean");
    case "blob":
      if (typeof value === "string") return parseBase64(value);
      throw notConvertible(value, "a Blob");
    case "timestamp":
      if (typeof value === "number") return toDate(Math.round(value * 1000), String(value));
      if (typeof value === "string") return parseTimestamp(value);
      throw notConvertible(value, "a Timestamp");
  }
}

function notConvertible(value: unknown, wanted: string) {
  if (Array.isArray(value)) return malformed("Start of list found where not expected");
  if (typeof value === "object") return malformed("Start of structure or map found where not expected.");
  const token =
    typeof value === "string"
      ? "STRING_VALUE"
      : typeof value === "number"
        ? "NUMBER_VALUE"
        : value
          ? "TRUE_VALUE"
          : "FALSE_VALUE";
  return malformed(`${token} can not be converted to ${wanted}`);
}

function checkDocument(value: unknown, depth = 0): unknown {
  if (depth > bodyDepthMax) throw malformed("The request is nested too deeply");
  if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) checkDocument(item, depth + 1);
  }
  return value;
}

function compileWriter(shape: Shape, writerOf: (member: Member) => Convert): Convert {
  switch (shape.type) {
    case "structure": {
      if (shape.document) return (value) => value;
      const members = shape.members
        .filter(isInBody)
        .map((member) => ({ name: member.name, wire: member.locationName ?? member.name, write: writerOf(member) }));
      return (value) => {
        const source = asRecord(value);
        const result: Record<string, unknown> = {};
        for (const { name, wire, write } of members) {
          const item = source[name];
          if (item !== undefined && item !== null) result[wire] = write(item);
        }
        return result;
      };
    }
    case "list": {
      const write = writerOf(shape.member);
      return (value) => {
        if (!Array.isArray(value)) throw new TypeError(`${shape.name} is a list`);
        return value.map((item: unknown) => (item === null || item === undefined ? null : write(item)));
      };
    }
    case "map": {
      const write = writerOf(shape.value);
      return (value) => {
        const result: Record<string, unknown> = {};
        for (const [key, item] of Object.entries(asRecord(value))) {
          if (item !== undefined) setOwn(result, key, item === null ? null : write(item));
        }
        return result;
      };
    }
    case "float":
    case "double":
    case "integer":
    case "long":
      return (value) => {
        if (typeof value === "bigint") return Number(value);
        return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
      };
    case "blob":
      return (value) => {
        if (typeof value === "string") return Buffer.from(value, "utf8").toString("base64");
        if (!(value instanceof Uint8Array)) throw new TypeError(`${shape.name} is a blob`);
        return Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64");
      };
    default:
      return (value) => value;
  }
}

function timestampWriter(member: Member): Convert {
  const format = toTimestampFormat(member.timestampFormat, "unixTimestamp");
  return (value) => {
    if (!(value instanceof Date)) throw new TypeError(`${member.name} is a timestamp`);
    return format === "unixTimestamp" ? value.getTime() / 1000 : formatTimestamp(value, format);
  };
}
