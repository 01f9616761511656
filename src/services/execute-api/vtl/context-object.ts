import { TemplateError } from "./errors.ts";
import { mapMethods } from "./map-methods.ts";
import { textOf } from "./text.ts";
import { double, type HostObject, type Value, type VtlMap } from "./values.ts";

/** Where templates read `$context` and write its overrides. */
export interface ContextValues {
  /** `identity.sourceIp` and its like; undefined for what does not exist. */
  readonly variable: (name: string) => unknown;
  /** Names of all variables that have a value: for templates that go through `$context.identity.keySet()`. */
  readonly names: () => readonly string[];
  readonly overrides: Overrides;
}

/** What templates have set of `$context.requestOverride` and `$context.responseOverride`. */
export interface Overrides {
  readonly request: { readonly header: VtlMap; readonly path: VtlMap; readonly querystring: VtlMap };
  readonly response: { readonly header: VtlMap; status: Value };
}

export function createOverrides(): Overrides {
  return {
    request: { header: new Map(), path: new Map(), querystring: new Map() },
    response: { header: new Map(), status: undefined },
  };
}

/**
 * `$context`: each level is read when a template asks for it. Source: "Variables for data transformations for API Gateway",
 * context variables; "Override your API's request and response parameters and status codes".
 */
export function contextObject(values: ContextValues): HostObject {
  const { request, response } = values.overrides;
  const special = new Map<string, HostObject>([
    [
      "requestOverride",
      fixedObject(new Map(Object.entries(request).map(([name, map]) => [name, overrideObject(map)]))),
    ],
    ["responseOverride", responseOverride(response)],
  ]);
  return level(values, "", special);
}

/** All variables below a name: a map to templates, made when it is treated as one. */
function level(values: ContextValues, prefix: string, special: ReadonlyMap<string, HostObject>): HostObject {
  const property = (name: string): Value => {
    const own = special.get(name);
    if (own !== undefined) return own;
    const value = values.variable(prefix + name);
    if (value !== undefined && value !== null) return toValue(value);
    return hasBelow(values, `${prefix}${name}.`) ? level(values, `${prefix}${name}.`, none) : undefined;
  };
  const asMap = (): VtlMap => {
    const map: VtlMap = new Map();
    for (const name of values.names()) {
      if (!name.startsWith(prefix)) continue;
      const [own = ""] = name.slice(prefix.length).split(".", 1);
      if (!map.has(own)) {
        const value = property(own);
        if (value !== undefined) map.set(own, value);
      }
    }
    return map;
  };
  return {
    kind: "host",
    property,
    call: (name, args, run) => {
      if (name === "get") return property(textOf(args[0], run));
      if (name === "put" || name === "putAll" || name === "remove" || name === "clear") throw readOnly(prefix);
      if (name === "toString") return textOf(asMap(), run);
      return mapMethods.get(name)?.(asMap(), args, run);
    },
    set: (name) => {
      throw readOnly(prefix + name);
    },
    // AWS: `$context.authorizer.claims` itself is nothing.
    text: (run) => (prefix === "authorizer.claims." ? "" : textOf(asMap(), run)),
  };
}

const none: ReadonlyMap<string, HostObject> = new Map();

function hasBelow(values: ContextValues, prefix: string): boolean {
  return values.names().some((name) => name.startsWith(prefix));
}

function fixedObject(members: ReadonlyMap<string, HostObject>): HostObject {
  return {
    kind: "host",
    property: (name) => members.get(name),
    call: (name, args, run) => (name === "get" ? members.get(textOf(args[0], run)) : undefined),
    set: (name) => {
      throw readOnly(name);
    },
    text: () => "",
  };
}

function responseOverride(response: Overrides["response"]): HostObject {
  const header = overrideObject(response.header);
  return {
    kind: "host",
    property: (name) => (name === "status" ? response.status : name === "header" ? header : undefined),
    call: () => undefined,
    set: (name, value) => {
      if (name !== "status") throw readOnly(`responseOverride.${name}`);
      if (response.status !== undefined) throw overridden("status");
      response.status = value;
    },
    text: () => "",
  };
}

/** AWS: "Overrides are final. An override may only be applied to each parameter once." */
function overrideObject(map: VtlMap): HostObject {
  const set = (name: string, value: Value) => {
    if (map.has(name)) throw overridden(name);
    map.set(name, value);
  };
  return {
    kind: "host",
    property: (name) => map.get(name),
    call: (name, args, run) => {
      if (name === "put") {
        set(textOf(args[0], run), args[1]);
        return undefined;
      }
      return mapMethods.get(name)?.(new Map(map), args, run);
    },
    set,
    text: (run) => textOf(map, run),
  };
}

function toValue(value: unknown): Value {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : double(value);
  return typeof value === "string" || typeof value === "boolean" ? value : String(value);
}

function readOnly(name: string): TemplateError {
  return new TemplateError(`$context.${name} cannot be set`);
}

function overridden(name: string): TemplateError {
  return new TemplateError(`${name} is overridden more than once`);
}
