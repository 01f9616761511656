import { cloudFormationLimits as limits } from "../limits.ts";
import { cidrBlocks } from "./cidr.ts";
import { isList, isObject, type JsonObject, type JsonValue } from "./parse.ts";
import type { PseudoParameters } from "./pseudo-parameters.ts";
import { parseSub } from "./substitution.ts";
import { TemplateError, templateError } from "./template-error.ts";

/** What intrinsic functions read. Everything is at hand: evaluation does not wait and has no effect. */
export interface Scope {
  readonly pseudo: PseudoParameters;
  readonly parameters: ReadonlyMap<string, JsonValue>;
  readonly mappings: ReadonlyMap<string, JsonObject>;
  readonly conditions: ReadonlyMap<string, boolean>;
  readonly resources: ResourceValues;
  /** Values by export name. */
  readonly exports: ReadonlyMap<string, string>;
}

export interface ResourceValues {
  /** What `Ref` gives; undefined when there is no such resource (its condition is false). */
  ref(logicalId: string): JsonValue | undefined;
  attribute(logicalId: string, name: string): JsonValue | undefined;
}

/** What stands for a value that is known only once the change has been made: as change sets show it. */
export const knownAfterApply = "{{changeSet:KNOWN_AFTER_APPLY}}";

const noValue = Symbol("AWS::NoValue");
type Result = JsonValue | typeof noValue;

/**
 * Evaluate all intrinsic functions in a value. `AWS::NoValue` removes the member or item that holds it; as the whole it
 * gives undefined.
 *
 * @throws {TemplateError} in CloudFormation's words
 */
export function evaluate(value: JsonValue, scope: Scope): JsonValue | undefined {
  const result = evaluateWith(value, { ...scope, budget: { textLeft: limits.resolvedTextMax * 4 } });
  return result === noValue ? undefined : result;
}

/** Evaluate one of the `Conditions`, or what stands in a place of one. */
export function evaluateCondition(value: JsonValue, scope: Omit<Scope, "conditions">, find: FindCondition): boolean {
  const inner: Inner = { ...scope, conditions: new Map(), budget: { textLeft: limits.resolvedTextMax } };
  return condition(value, inner, find);
}

type FindCondition = (name: string) => boolean;

interface Inner extends Scope {
  readonly budget: { textLeft: number };
}

function evaluateWith(value: JsonValue, scope: Inner): Result {
  if (typeof value === "string") return spend(value, scope);
  if (isList(value)) {
    return value.map((each) => evaluateWith(each, scope)).filter((each): each is JsonValue => each !== noValue);
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first) {
    const [name, argument] = first;
    if (Object.hasOwn(functions, name)) return functions[name]?.(argument, scope) ?? noValue;
    if (name === "Fn::Transform") throw templateError("Fn::Transform is not implemented by Cumulet");
  }
  const result: [string, JsonValue][] = [];
  for (const [key, each] of entries) {
    const evaluated = evaluateWith(each, scope);
    if (evaluated !== noValue) result.push([key, evaluated]);
  }
  return Object.fromEntries(result);
}

/** A template can ask for far more text than it has: every string made is counted. */
function spend(text: string, scope: Inner): string {
  scope.budget.textLeft -= text.length + 1;
  if (scope.budget.textLeft < 0) throw templateError("the evaluated template is too large");
  return text;
}

/** `Condition` alone is not among them: outside of conditions it is an ordinary key, as in policy documents. */
const functions: Readonly<Record<string, (argument: JsonValue, scope: Inner) => Result>> = {
  Ref: (argument, scope) => {
    if (typeof argument !== "string") throw templateError("every Ref object must have a single String value.");
    return argument === "AWS::NoValue" ? noValue : reference(argument, scope);
  },
  "Fn::GetAtt": (argument, scope) => {
    const [logicalId, name] = attributeReference(argument);
    const attribute = evaluateWith(name, scope);
    if (typeof attribute !== "string") throw attributeForm();
    return attributeOf(logicalId, attribute, scope);
  },
  "Fn::Sub": substitute,
  "Fn::Join": (argument, scope) => {
    const [separator, list] = isList(argument) && argument.length === 2 ? argument : [];
    const delimiter = separator === undefined ? undefined : evaluateWith(separator, scope);
    const items = list === undefined ? undefined : evaluateWith(list, scope);
    if (typeof delimiter === "string" && items === knownAfterApply) return knownAfterApply;
    if (typeof delimiter !== "string" || items === undefined || items === noValue || !isList(items)) {
      throw templateError(
        "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
      );
    }
    return spend(items.map((item) => scalarText(item, "Fn::Join")).join(delimiter), scope);
  },
  "Fn::Select": (argument, scope) => {
    const [position, list] = isList(argument) && argument.length === 2 ? argument : [];
    const index = position === undefined ? undefined : evaluateWith(position, scope);
    const items = list === undefined ? undefined : evaluateWith(list, scope);
    if (items === knownAfterApply || index === knownAfterApply) return knownAfterApply;
    if (items === undefined || items === noValue || !isList(items) || typeof index === "symbol" || !isIndex(index)) {
      throw templateError("Fn::Select requires a list argument with two elements: an integer index and a list");
    }
    const selected = items[Number(index)];
    if (selected === undefined)
      throw templateError(`Fn::Select cannot select nonexistent value at index ${String(index)}`);
    return selected;
  },
  "Fn::Split": (argument, scope) => {
    const [separator, source] = isList(argument) && argument.length === 2 ? argument : [];
    const delimiter = separator === undefined ? undefined : evaluateWith(separator, scope);
    const text = source === undefined ? undefined : evaluateWith(source, scope);
    if (typeof delimiter !== "string" || delimiter === "" || typeof text !== "string") {
      throw templateError(
        "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.",
      );
    }
    return text.includes(knownAfterApply) ? knownAfterApply : text.split(delimiter);
  },
  "Fn::FindInMap": findInMap,
  "Fn::Base64": (argument, scope) => {
    const text = evaluateWith(argument, scope);
    if (typeof text !== "string") throw templateError("every Fn::Base64 object must have a String-typed value.");
    if (text.includes(knownAfterApply)) return knownAfterApply;
    return spend(Buffer.from(text).toString("base64"), scope);
  },
  "Fn::Cidr": (argument, scope) => {
    const parts = isList(argument) ? argument.map((each) => evaluateWith(each, scope)) : [];
    const [block, count, bits] = parts;
    if (block === knownAfterApply) return knownAfterApply;
    if (typeof block !== "string" || count === undefined || parts.length > 3) {
      throw templateError(
        "every Fn::Cidr object requires two or three parameters, (1) an ip block, (2) the number of CIDRs and (3) the number of subnet bits",
      );
    }
    return cidrBlocks(block, Number(count), bits === undefined ? 8 : Number(bits));
  },
  "Fn::GetAZs": (argument, scope) => {
    const region = evaluateWith(argument, scope);
    if (typeof region !== "string") throw templateError("every Fn::GetAZs object must have a String-typed value.");
    return ["a", "b", "c"].map((zone) => `${region || scope.pseudo["AWS::Region"]}${zone}`);
  },
  "Fn::ImportValue": (argument, scope) => {
    const name = evaluateWith(argument, scope);
    if (typeof name !== "string") {
      throw templateError("the attribute in Fn::ImportValue must be a string or a function that returns a string");
    }
    const value = scope.exports.get(name);
    if (value === undefined) throw new TemplateError(`No export named ${name} found.`);
    return value;
  },
  "Fn::If": (argument, scope) => {
    if (!isList(argument) || argument.length !== 3)
      throw templateError("Fn::If requires a list argument with three elements");
    const [name, whenTrue, whenFalse] = argument;
    if (typeof name !== "string")
      throw templateError("Fn::If requires a list argument with the first element being a condition");
    const holds = scope.conditions.get(name);
    if (holds === undefined) throw unresolvedCondition(name);
    return evaluateWith((holds ? whenTrue : whenFalse) ?? null, scope);
  },
  "Fn::Length": (argument, scope) => {
    const list = evaluateWith(argument, scope);
    if (list === knownAfterApply) return knownAfterApply;
    if (typeof list === "symbol" || !isList(list)) throw templateError("Fn::Length requires a list argument");
    return list.length;
  },
  "Fn::ToJsonString": (argument, scope) => {
    const value = evaluateWith(argument, scope);
    if (typeof value !== "object" || value === null) {
      throw templateError("Fn::ToJsonString requires an object or an array");
    }
    return spend(JSON.stringify(value), scope);
  },
};

function isIndex(value: JsonValue | undefined): boolean {
  return (
    (typeof value === "number" && Number.isInteger(value) && value >= 0) ||
    (typeof value === "string" && /^\d+$/.test(value))
  );
}

function reference(name: string, scope: Inner): JsonValue {
  const pseudo = Object.entries(scope.pseudo).find(([known]) => known === name)?.[1];
  const value = pseudo ?? scope.parameters.get(name) ?? scope.resources.ref(name);
  if (value === undefined) throw unresolvedResource([name]);
  return typeof value === "string" ? spend(value, scope) : value;
}

function attributeOf(logicalId: string, name: string, scope: Inner): JsonValue {
  const value = scope.resources.attribute(logicalId, name);
  if (value === undefined) throw unresolvedResource([logicalId]);
  return value;
}

const attributeForm = () =>
  templateError(
    "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute",
  );

/** The resource and the attribute of a `Fn::GetAtt`; the attribute may be a `Ref`. */
export function attributeReference(argument: JsonValue): readonly [logicalId: string, attribute: JsonValue] {
  if (typeof argument === "string") {
    const dot = argument.indexOf(".");
    if (dot > 0 && dot < argument.length - 1) return [argument.slice(0, dot), argument.slice(dot + 1)];
    throw attributeForm();
  }
  const [logicalId, attribute, ...more] = isList(argument) ? argument : [];
  if (
    typeof logicalId !== "string" ||
    logicalId === "" ||
    attribute === undefined ||
    attribute === "" ||
    isList(attribute)
  ) {
    throw attributeForm();
  }
  if (more.length === 0) return [logicalId, attribute];
  const parts = [attribute, ...more];
  if (!parts.every((part) => typeof part === "string")) throw attributeForm();
  return [logicalId, parts.join(".")];
}

export const unresolvedResource = (names: readonly string[], block = "Resources") =>
  new TemplateError(
    `Template format error: Unresolved resource dependencies [${names.join(", ")}] in the ${block} block of the template`,
  );

export const unresolvedCondition = (name: string) =>
  new TemplateError(`Template error: unresolved condition dependency ${name} in Fn::If`);

export const subForm = () =>
  templateError(
    "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string",
  );

function substitute(argument: JsonValue, scope: Inner): Result {
  const [template, variables, ...more] = isList(argument) ? argument : [argument];
  if (typeof template !== "string" || more.length > 0 || (variables !== undefined && !isObject(variables)))
    throw subForm();
  const given = new Map<string, Result>();
  for (const [name, value] of Object.entries(variables ?? {})) given.set(name, evaluateWith(value, scope));
  let text = "";
  for (const part of parseSub(template)) {
    if ("text" in part) text += part.text;
    else text += scalarText(substituted(part.variable, given, scope), "Fn::Sub");
    if (text.length > scope.budget.textLeft) spend(text, scope);
  }
  return spend(text, scope);
}

function substituted(name: string, given: ReadonlyMap<string, Result>, scope: Inner): Result {
  const value = given.get(name);
  if (value !== undefined) return value;
  if (name.includes(".")) {
    const dot = name.indexOf(".");
    return attributeOf(name.slice(0, dot), name.slice(dot + 1), scope);
  }
  return reference(name, scope);
}

function scalarText(value: Result, where: "Fn::Sub" | "Fn::Join"): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (where === "Fn::Join") {
    throw templateError(
      "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
    );
  }
  throw templateError("Fn::Sub expression does not resolve to a string");
}

function findInMap(argument: JsonValue, scope: Inner): Result {
  const [map, top, second, options, ...more] = isList(argument) ? argument : [];
  if (map === undefined || top === undefined || second === undefined || more.length > 0) throw findInMapForm();
  const [name, topKey, secondKey] = [map, top, second].map((each) => evaluateWith(each, scope));
  if (!isKey(name) || !isKey(topKey) || !isKey(secondKey)) throw findInMapForm();
  const mapping = scope.mappings.get(String(name));
  const level = mapping && member(mapping, String(topKey));
  const value = isObject(level) ? member(level, String(secondKey)) : undefined;
  if (value !== undefined) return value;
  if (isObject(options) && options["DefaultValue"] !== undefined) return evaluateWith(options["DefaultValue"], scope);
  if (!mapping)
    throw templateError(`Mapping named '${String(name)}' is not present in the 'Mappings' section of template.`);
  throw templateError(`Unable to get mapping for ${String(name)}::${String(topKey)}::${String(secondKey)}`);
}

const findInMapForm = () =>
  templateError(
    "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value",
  );

function isKey(value: Result | undefined): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function member(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function condition(value: JsonValue, scope: Inner, find: FindCondition): boolean {
  const entries = isObject(value) ? Object.entries(value) : [];
  const [first] = entries;
  if (entries.length !== 1 || !first) throw conditionForm();
  const [name, argument] = first;
  switch (name) {
    case "Condition":
      if (typeof argument !== "string")
        throw new TemplateError("Template format error: Every Condition member must be a string.");
      return find(argument);
    case "Fn::Equals": {
      if (!isList(argument) || argument.length !== 2) {
        throw templateError("every Fn::Equals object requires a list of 2 string parameters.");
      }
      const [left, right] = argument.map((each) => evaluateWith(each, scope));
      return comparable(left) === comparable(right);
    }
    case "Fn::Not":
      if (!isList(argument) || argument.length !== 1 || argument[0] === undefined) {
        throw templateError("every Fn::Not object requires one boolean parameter.");
      }
      return !condition(argument[0], scope, find);
    case "Fn::And":
    case "Fn::Or": {
      if (!isList(argument) || argument.length < 2 || argument.length > 10) {
        throw templateError(`every ${name} object requires a list of at least 2 and at most 10 boolean parameters.`);
      }
      // All are evaluated: an error in a later one is an error even when an earlier one has decided.
      const results = argument.map((each) => condition(each, scope, find));
      return name === "Fn::And" ? results.every(Boolean) : results.some(Boolean);
    }
    default:
      throw conditionForm();
  }
}

const conditionForm = () =>
  new TemplateError(
    "Template format error: Conditions can only be boolean operations on parameters and other conditions",
  );

function comparable(value: Result | undefined): string {
  if (value === undefined || typeof value === "symbol") return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
