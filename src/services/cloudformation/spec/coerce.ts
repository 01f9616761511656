import { isCustomType, toTexts } from "../custom-resources/custom-types.ts";
import { knownAfterApply } from "../template/evaluate.ts";
import { isList, isObject, type JsonObject, type JsonValue } from "../template/parse.ts";
import { findResourceSpec, type PropertySpec, type PropertyType } from "./resource-spec.ts";

/** A resolved value is not of its property's type. The message is CloudFormation's. */
export class PropertyTypeError extends Error {
  constructor(logicalId: string, path: string, expected: string, value: JsonValue) {
    super(
      `Properties validation failed for resource ${logicalId} with message:\n#${path}: expected type: ${expected}, found: ${jsonTypeName(value)}`,
    );
    this.name = "PropertyTypeError";
  }
}

/**
 * Give each value the type its property has: templates and parameters say `"128"` and `"true"` where numbers and booleans
 * are due, and numbers where text is.
 *
 * @throws {PropertyTypeError}
 */
export function coerceProperties(type: string, logicalId: string, properties: JsonObject): JsonObject {
  if (isCustomType(type)) return toTexts(properties);
  const spec = findResourceSpec(type);
  return spec ? members(properties, spec.properties, logicalId, "") : properties;
}

function members(
  object: JsonObject,
  properties: ReadonlyMap<string, PropertySpec>,
  logicalId: string,
  path: string,
): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => {
      const spec = properties.get(name);
      return [name, spec ? coerce(value, spec.type, logicalId, `${path}/${name}`) : value];
    }),
  );
}

function coerce(value: JsonValue, type: PropertyType, logicalId: string, path: string): JsonValue {
  if (typeof value === "string" && value.includes(knownAfterApply)) return value;
  const wrong = (expected: string) => new PropertyTypeError(logicalId, path, expected, value);
  switch (type.kind) {
    case "string":
      if (typeof value === "string") return value;
      if (typeof value === "number" || typeof value === "boolean") return String(value);
      throw wrong("String");
    case "boolean":
      if (typeof value === "boolean") return value;
      if (typeof value === "string" && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === "true";
      throw wrong("Boolean");
    case "integer":
    case "number": {
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      const fits =
        typeof number === "number" && (type.kind === "number" ? Number.isFinite(number) : Number.isInteger(number));
      if (!fits) throw wrong(type.kind === "number" ? "Number" : "Integer");
      return number;
    }
    case "list":
      if (!isList(value)) throw wrong("JSONArray");
      return value.map((each, index) => coerce(each, type.element, logicalId, `${path}/${index}`));
    case "map":
      if (!isObject(value)) throw wrong("JSONObject");
      return Object.fromEntries(
        Object.entries(value).map(([key, each]) => [key, coerce(each, type.element, logicalId, `${path}/${key}`)]),
      );
    case "object":
      if (!isObject(value)) throw wrong("JSONObject");
      return members(value, type.properties, logicalId, path);
    case "json":
      return value;
  }
}

function jsonTypeName(value: JsonValue): string {
  if (value === null) return "Null";
  if (isList(value)) return "JSONArray";
  if (isObject(value)) return "JSONObject";
  if (typeof value === "number") return Number.isInteger(value) ? "Integer" : "Double";
  return typeof value === "boolean" ? "Boolean" : "String";
}
