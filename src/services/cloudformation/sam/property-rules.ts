import { Problem, resourceProblem } from "./problems.ts";
import { isAbsent, isDict, isList, isString, type Dict } from "./values.ts";

/**
 * What a property may be: `any`, `string`, `map`, `boolean`, `integer`, `list`, alternatives with `|`, `list<string|map>`
 * and `map<map>`; ends in `!` when required; begins with `=` when no intrinsic function may stand in its place; or a
 * list of the strings allowed.
 */
export type PropertyRule = string | readonly string[];
export type PropertyRules = Readonly<Record<string, PropertyRule>>;

/** The properties of a resource or an event source, checked; throws the problem that AWS's transform names first. */
export function checkProperties(logicalId: string, type: string, properties: Dict, rules: PropertyRules): void {
  for (const name of Object.keys(properties)) {
    if (!Object.hasOwn(rules, name)) {
      throw resourceProblem(logicalId, `property ${name} not defined for resource of type ${type}`);
    }
  }
  for (const [name, rule] of Object.entries(rules)) checkProperty(logicalId, name, properties[name], rule);
}

function checkProperty(logicalId: string, name: string, value: unknown, rule: PropertyRule): void {
  const { types, required, literal } = parseRule(rule);
  if (!literal && isDict(value) && Object.keys(value).length === 1) return;
  if (isAbsent(value)) {
    if (required) throw resourceProblem(logicalId, `Missing required property '${name}'.`);
    return;
  }
  if (isString(types) ? accepts(types, value) : isString(value) && types.includes(value)) return;
  throw wrongType(logicalId, name, types);
}

function parseRule(rule: PropertyRule): { types: string | readonly string[]; required: boolean; literal: boolean } {
  if (!isString(rule)) return { types: rule, required: false, literal: false };
  const literal = rule.startsWith("=");
  const required = rule.endsWith("!");
  return { types: rule.slice(literal ? 1 : 0, required ? -1 : undefined), required, literal };
}

function wrongType(logicalId: string, name: string, types: string | readonly string[]): Problem {
  if (types === "map" || types === "string")
    return resourceProblem(logicalId, `Property '${name}' should be a ${types}.`);
  if (isString(types)) return resourceProblem(logicalId, `Type of property '${name}' is invalid.`);
  const quoted = types.map((type) => `'${type}'`);
  const text =
    quoted.length === 2
      ? quoted.join(" or ")
      : `${quoted.slice(0, -1).join(", ")}, or ${quoted[quoted.length - 1] ?? ""}`;
  return resourceProblem(logicalId, `Property '${name}' should be a one of the strings: ${text}.`);
}

function accepts(types: string, value: unknown): boolean {
  return splitAlternatives(types).some((type) => acceptsOne(type, value));
}

/** Splits at `|`, not inside `<…>`. */
function splitAlternatives(types: string): string[] {
  return types.match(/[^|<]+(?:<[^>]*>)?/g) ?? [];
}

function acceptsOne(type: string, value: unknown): boolean {
  const [, container, inner] = /^(list|map)<(.*)>$/.exec(type) ?? [];
  if (container === "list") return isList(value) && value.every((item) => accepts(inner ?? "", item));
  if (container === "map") return isDict(value) && Object.values(value).every((item) => accepts(inner ?? "", item));
  switch (type) {
    case "any":
      return true;
    case "string":
      return isString(value);
    case "map":
      return isDict(value);
    case "list":
      return isList(value);
    case "boolean":
      return typeof value === "boolean";
    case "integer":
      return typeof value === "boolean" || Number.isInteger(value);
    default:
      throw new Error(`no such property type: ${type}`);
  }
}
