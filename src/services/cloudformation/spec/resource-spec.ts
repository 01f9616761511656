import { resourceSpecs, resourceTypeNames } from "./resource-spec.generated.ts";

/**
 * A resource type as AWS's specification has it. A property is coded as its type and flags: `s` string, `b` boolean, `i`
 * integer, `n` number, `j` any JSON, `[x` list of x, `{x` map of x, `#Name` the nested type; then `!` when required,
 * `+` when a change of it replaces the resource, `~` when it may.
 */
interface CodedSpec {
  readonly p: CodedProperties;
  readonly t?: Readonly<Record<string, CodedProperties>>;
  /** Attributes. */
  readonly a: readonly string[];
  /** Further property paths whose change replaces the resource. */
  readonly r?: readonly string[];
}

type CodedProperties = Readonly<Record<string, string>>;
export type ResourceSpecTable = Readonly<Record<string, CodedSpec>>;

export type PropertyType =
  | { readonly kind: "string" | "boolean" | "integer" | "number" | "json" }
  | { readonly kind: "list" | "map"; readonly element: PropertyType }
  | { readonly kind: "object"; readonly name: string; readonly properties: ReadonlyMap<string, PropertySpec> };

export interface PropertySpec {
  readonly type: PropertyType;
  readonly required: boolean;
  readonly replaces: "never" | "always" | "maybe";
}

export interface ResourceSpec {
  readonly type: string;
  readonly properties: ReadonlyMap<string, PropertySpec>;
  readonly attributes: readonly string[];
  /** `true` when changing this top-level property (or one nested in it, by path) replaces the resource. */
  replacement(property: string): "never" | "always" | "maybe";
}

/** Whether AWS has a type of this name. */
export function isAwsResourceType(type: string): boolean {
  const at = type.lastIndexOf("::");
  if (at < 0) return false;
  const names = Object.hasOwn(resourceTypeNames, type.slice(0, at)) ? resourceTypeNames[type.slice(0, at)] : undefined;
  return names !== undefined && ` ${names} `.includes(` ${type.slice(at + 2)} `);
}

/** The specification of a type, or undefined when the tables have only its name. */
export function findResourceSpec(type: string): ResourceSpec | undefined {
  const coded = Object.hasOwn(resourceSpecs, type) ? resourceSpecs[type] : undefined;
  if (!coded) return undefined;
  const nested = new Map<string, ReadonlyMap<string, PropertySpec>>();
  const properties = decodeProperties(coded.p, coded.t ?? {}, nested);
  return {
    type,
    properties,
    attributes: coded.a,
    replacement: (name) => {
      if (coded.r?.some((path) => path === name || path.startsWith(`${name}.`))) return "maybe";
      return properties.get(name)?.replaces ?? "never";
    },
  };
}

function decodeProperties(
  coded: CodedProperties,
  types: Readonly<Record<string, CodedProperties>>,
  nested: Map<string, ReadonlyMap<string, PropertySpec>>,
): ReadonlyMap<string, PropertySpec> {
  const properties = new Map<string, PropertySpec>();
  for (const [name, code] of Object.entries(coded)) properties.set(name, decodeProperty(code, types, nested));
  return properties;
}

function decodeProperty(
  code: string,
  types: Readonly<Record<string, CodedProperties>>,
  nested: Map<string, ReadonlyMap<string, PropertySpec>>,
): PropertySpec {
  const type = /^[^!+~]+/.exec(code)?.[0] ?? "j";
  return {
    type: decodeType(type, types, nested),
    required: code.includes("!"),
    replaces: code.endsWith("+") ? "always" : code.endsWith("~") ? "maybe" : "never",
  };
}

const scalars: Readonly<Record<string, PropertyType>> = {
  s: { kind: "string" },
  b: { kind: "boolean" },
  i: { kind: "integer" },
  n: { kind: "number" },
};

function decodeType(
  code: string,
  types: Readonly<Record<string, CodedProperties>>,
  nested: Map<string, ReadonlyMap<string, PropertySpec>>,
): PropertyType {
  if (code.startsWith("[")) return { kind: "list", element: decodeType(code.slice(1), types, nested) };
  if (code.startsWith("{")) return { kind: "map", element: decodeType(code.slice(1), types, nested) };
  if (!code.startsWith("#")) return scalars[code] ?? { kind: "json" };
  const name = code.slice(1);
  const known = nested.get(name);
  if (known) return { kind: "object", name, properties: known };
  // Registered before it is filled: nested types may contain themselves.
  const properties = new Map<string, PropertySpec>();
  nested.set(name, properties);
  for (const [key, value] of decodeProperties(types[name] ?? {}, types, nested)) properties.set(key, value);
  return { kind: "object", name, properties };
}
