import { validation, invalidValues, serialization } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import { assertDistinct, toCanonicalNumber } from "./decimal.ts";

/**
 * An attribute's value, in the form in which it travels and is stored: numbers as canonical decimal text, bytes in canonical
 * base64, sets without duplicates.
 */
export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] }
  | { readonly L: readonly AttributeValue[] }
  | { readonly M: Item };

/** Attributes by name. Any name may occur, `__proto__` too: read with `attributeOf`, write with `setAttribute`. */
export type Item = Readonly<Record<string, AttributeValue>>;

export type AttributeType = "S" | "N" | "B" | "BOOL" | "NULL" | "SS" | "NS" | "BS" | "L" | "M";

const types: ReadonlySet<string> = new Set(["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"]);

export function typeOf(value: AttributeValue): AttributeType {
  for (const name in value) return name as AttributeType;
  throw new TypeError("A value has one member");
}

export function attributeOf(item: Item, name: string): AttributeValue | undefined {
  return Object.hasOwn(item, name) ? item[name] : undefined;
}

export function setAttribute(item: Record<string, AttributeValue>, name: string, value: AttributeValue): void {
  if (name !== "__proto__") item[name] = value;
  else Object.defineProperty(item, name, { value, enumerable: true, configurable: true, writable: true });
}

/** A copy that may be changed, `__proto__` included. */
export function copyItem(item: Item): Record<string, AttributeValue> {
  // Spreading defines own properties, whatever their names.
  return { ...item };
}

/**
 * What a request calls a map of attributes. Values come as the wire has them: nothing before has looked into them.
 *
 * @throws {SerializationException} for members of the wrong kind; {ValidationException} for values that cannot be.
 */
export function parseItem(raw: Readonly<Record<string, unknown>>): Item {
  let same = true;
  const parsed: Record<string, AttributeValue> = {};
  for (const name of Object.keys(raw)) {
    const value = raw[name];
    const result = parseValue(value, 0);
    if (result !== value) same = false;
    setAttribute(parsed, name, result);
  }
  // Nearly all items are canonical as they come.
  return same ? (raw as Item) : parsed;
}

/** The same object where it is canonical already. */
export function parseValue(raw: unknown, depth: number): AttributeValue {
  if (typeof raw !== "object" || raw === null) throw serialization("Unexpected value type in payload");
  if (Array.isArray(raw)) {
    throw serialization("Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue");
  }
  let type: string | undefined;
  let count = 0;
  let found: unknown;
  for (const [name, value] of Object.entries(raw)) {
    if (value === null || value === undefined) continue;
    if (!types.has(name)) {
      // The SDKs' way to say that they met a type they do not know.
      if (name === "$unknown") throw serialization("Unexpected value type in payload");
      continue;
    }
    type = name;
    found = value;
    count += 1;
  }
  if (type === undefined) {
    throw validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
  }
  if (depth > dynamoLimits.nestingMax) {
    throw validation("Nesting Levels have exceeded supported limits");
  }
  const parsed = parseTyped(type, found, raw, depth);
  if (count > 1) {
    throw validation(
      "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
    );
  }
  return parsed;
}

function parseTyped(type: string, found: unknown, raw: object, depth: number): AttributeValue {
  switch (type) {
    case "S":
      if (typeof found !== "string") throw notConvertible(found, "String");
      return found.isWellFormed() ? as(raw) : { S: found.toWellFormed() };
    case "N": {
      if (typeof found !== "string") throw notConvertible(found, "String");
      const canonical = toCanonicalNumber(found);
      return canonical === found ? as(raw) : { N: canonical };
    }
    case "B": {
      const canonical = parseBinary(found);
      return canonical === found ? as(raw) : { B: canonical };
    }
    case "BOOL":
      return { BOOL: parseBoolean(found) };
    case "NULL":
      if (!parseBoolean(found)) throw invalidValues("Null attribute value types must have the value of true");
      return { NULL: true };
    case "SS":
      return { SS: parseStringSet(found) };
    case "NS":
      return { NS: parseNumberSet(found) };
    case "BS":
      return { BS: parseBinarySet(found) };
    case "L": {
      const list = listOf(found);
      let same = true;
      const items = list.map((each) => {
        const item = parseValue(each, depth + 1);
        if (item !== each) same = false;
        return item;
      });
      return same ? as(raw) : { L: items };
    }
    default: {
      if (typeof found !== "object" || found === null) throw serialization("Unexpected field type");
      if (Array.isArray(found)) {
        throw serialization(
          "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>",
        );
      }
      let same = true;
      const map: Record<string, AttributeValue> = {};
      for (const [name, each] of Object.entries(found)) {
        const value = parseValue(each, depth + 1);
        if (value !== each) same = false;
        setAttribute(map, name, value);
      }
      return same ? as(raw) : { M: map };
    }
  }
}

// Checked by the caller: it has one member, of the right type.
function as(raw: object): AttributeValue {
  return Object.keys(raw).length === 1 ? (raw as AttributeValue) : strip(raw);
}

function strip(raw: object): AttributeValue {
  const entry = Object.entries(raw).find(([name, value]) => types.has(name) && value !== null && value !== undefined);
  return Object.fromEntries(entry ? [entry] : []) as unknown as AttributeValue;
}

function parseBoolean(found: unknown): boolean {
  if (typeof found === "boolean") return found;
  if (typeof found === "string" && /^(?:true|false)$/i.test(found)) return found.toLowerCase() === "true";
  throw notConvertible(found, "Boolean");
}

/** Services of the platform hand bytes in as they are; the wire has base64. */
function parseBinary(found: unknown): string {
  if (found instanceof Uint8Array) {
    return Buffer.from(found.buffer, found.byteOffset, found.byteLength).toString("base64");
  }
  if (typeof found !== "string") {
    if (typeof found === "object") throw notConvertible(found, "ByteBuffer");
    throw serialization("only base-64-encoded strings are convertible to bytes");
  }
  if (found.length % 4 !== 0) {
    throw serialization(`Base64 encoded length is expected a multiple of 4 bytes but found: ${found.length}`);
  }
  if (Buffer.from(found, "base64").toString("base64") !== found) {
    throw serialization("Invalid last non-pad Base64 character dectected");
  }
  return found;
}

function parseStringSet(found: unknown): readonly string[] {
  const list = listOf(found);
  const values = list.map((each) => {
    if (typeof each !== "string") throw notConvertible(each, "String");
    return each.toWellFormed();
  });
  if (values.length === 0) throw invalidValues("An string set  may not be empty");
  assertDistinct(values, () => `[${values.join(", ")}]`);
  return values;
}

function parseNumberSet(found: unknown): readonly string[] {
  const list = listOf(found);
  const values = list.map((each) => {
    if (typeof each !== "string") throw notConvertible(each, "String");
    return toCanonicalNumber(each);
  });
  if (values.length === 0) throw invalidValues("An number set  may not be empty");
  if (new Set(values).size !== values.length) throw validation("Input collection contains duplicates");
  return values;
}

function parseBinarySet(found: unknown): readonly string[] {
  const values = listOf(found).map(parseBinary);
  if (values.length === 0) throw invalidValues("Binary sets should not be empty");
  if (new Set(values).size !== values.length) {
    throw invalidValues(`Input collection [${values.join(", ")}]of type BS contains duplicates.`);
  }
  return values;
}

function listOf(found: unknown): readonly unknown[] {
  if (Array.isArray(found)) return found;
  if (found instanceof Set) return [...found];
  if (typeof found === "object") throw serialization("Start of structure or map found where not expected");
  throw serialization("Unexpected field type");
}

function notConvertible(found: unknown, wanted: string) {
  if (Array.isArray(found)) {
    return serialization(
      `Unrecognized collection type class java.${wanted === "ByteBuffer" ? "nio" : "lang"}.${wanted}`,
    );
  }
  if (typeof found === "object") return serialization("Start of structure or map found where not expected");
  const token =
    typeof found === "string"
      ? "STRING_VALUE"
      : typeof found === "number"
        ? found % 1 === 0
          ? "NUMBER_VALUE"
          : "DECIMAL_VALUE"
        : found
          ? "TRUE_VALUE"
          : "FALSE_VALUE";
  return serialization(`${token} cannot be converted to ${wanted}`);
}
