import { isList, isObject, type JsonObject, type JsonValue } from "../template/parse.ts";
import { checkCustomResource, isCustomType } from "../custom-resources/custom-types.ts";
import type { ResourceDeclaration } from "../template/document.ts";
import { formatError, TemplateError } from "../template/template-error.ts";
import type { ResourceTypes } from "../resource-types.ts";
import { findResourceSpec, isAwsResourceType, type PropertySpec, type PropertyType } from "./resource-spec.ts";

/**
 * Refuse resources that cannot be made, before anything is: types AWS does not have, types and properties that are not
 * built, properties AWS does not know, required ones that are missing. Values are seen as far as functions allow.
 *
 * @throws {TemplateError}
 */
export function checkResources(
  resources: Iterable<ResourceDeclaration>,
  types: ResourceTypes,
  isCreated: (resource: ResourceDeclaration) => boolean,
): void {
  const all = [...resources];
  const unrecognized = unique(all.map(({ type }) => type).filter((type) => !isKnown(type)));
  if (unrecognized.length > 0) throw formatError(`Unrecognized resource types: [${unrecognized.join(", ")}]`);
  const created = all.filter(isCreated);
  const absent = unique(created.map(({ type }) => type).filter((type) => !types.has(type)));
  if (absent.length > 0) throw new TemplateError(`Resource types not implemented by Cumulet: [${absent.join(", ")}]`);
  for (const resource of created) {
    if (isCustomType(resource.type)) {
      checkCustomResource(resource);
      continue;
    }
    const type = types.get(resource.type);
    const spec = findResourceSpec(resource.type);
    if (type && spec)
      checkMembers(resource.properties, spec.properties, { resource, admitted: type.properties, path: "" });
  }
}

function isKnown(type: string): boolean {
  return isAwsResourceType(type) || isCustomType(type);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

interface Place {
  readonly resource: ResourceDeclaration;
  readonly admitted: readonly string[];
  /** As in `ResourceType.properties`: `Code.S3Bucket`, `Tags[].Key`. */
  readonly path: string;
}

function checkMembers(object: JsonObject, properties: ReadonlyMap<string, PropertySpec>, place: Place): void {
  const { resource } = place;
  for (const [name, value] of Object.entries(object)) {
    const spec = properties.get(name);
    if (!spec) {
      throw new TemplateError(
        `Encountered unsupported property ${name} in resource [${resource.logicalId}] of type ${resource.type}`,
      );
    }
    const path = place.path === "" ? name : `${place.path}.${name}`;
    if (!admits(place.admitted, path)) {
      throw new TemplateError(
        `The property ${path.replaceAll("[]", "")} of resource [${resource.logicalId}] of type ${resource.type} is not implemented by Cumulet`,
      );
    }
    checkValue(value, spec.type, { ...place, path });
  }
  for (const [name, spec] of properties) {
    if (spec.required && !Object.hasOwn(object, name)) {
      throw new TemplateError(
        `Properties validation failed for resource ${resource.logicalId} with message:\n#${pointer(place.path)}: required key [${name}] not found`,
      );
    }
  }
}

const pointer = (path: string) => (path === "" ? "" : `/${path.replaceAll("[]", "").replaceAll(".", "/")}`);

function checkValue(value: JsonValue, type: PropertyType, place: Place): void {
  const branches = branchesOf(value);
  if (branches) {
    for (const branch of branches) checkValue(branch, type, place);
    return;
  }
  switch (type.kind) {
    case "object":
      if (isObject(value)) checkMembers(value, type.properties, place);
      return;
    case "list":
      if (isList(value))
        for (const each of value) checkValue(each, type.element, { ...place, path: `${place.path}[]` });
      return;
    case "map":
      if (isObject(value)) {
        for (const each of Object.values(value)) checkValue(each, type.element, { ...place, path: `${place.path}.*` });
      }
      return;
    default:
  }
}

/** The possible values of a `Fn::If`; none for other functions, which are known only later; undefined for plain values. */
function branchesOf(value: JsonValue): readonly JsonValue[] | undefined {
  if (!isObject(value)) return undefined;
  const [first, ...more] = Object.entries(value);
  if (!first || more.length > 0) return undefined;
  const [name, argument] = first;
  if (name === "Fn::If") return isList(argument) ? argument.slice(1) : [];
  return name === "Ref" || name.startsWith("Fn::") ? [] : undefined;
}

/** Whether a property path is one that the type acts on: see `ResourceType.properties`. */
export function admits(admitted: readonly string[], path: string): boolean {
  for (let at: string | undefined = path; at !== undefined && at !== ""; at = parent(at)) {
    const below = [`${at}.`, `${at}[]`];
    if (admitted.includes(`${at}.*`)) return true;
    const detailed = admitted.some((each) => below.some((start) => each.startsWith(start)));
    if (at === path && (detailed || admitted.includes(at))) return true;
    if (!detailed && admitted.includes(at)) return true;
  }
  return false;
}

const parent = (path: string) => /^(?<parent>.*)(?:\.[^.]*|\[\])$/.exec(path)?.groups?.["parent"];
