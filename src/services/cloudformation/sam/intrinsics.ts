import { documentProblem } from "./problems.ts";
import { display, isDict, isList, isString, type Dict } from "./values.ts";

export const ref = (logicalId: string): Dict => ({ Ref: logicalId });
export const getAtt = (logicalId: string, attribute: string): Dict => ({ "Fn::GetAtt": [logicalId, attribute] });
export const noValue = (): Dict => ref("AWS::NoValue");

export function sub(text: string, variables?: Dict): Dict {
  return { "Fn::Sub": variables ? [text, variables] : text };
}

export function makeIf(condition: unknown, then: unknown, otherwise: unknown = noValue()): Dict {
  return { "Fn::If": [condition, then, otherwise] };
}

/** The name of the one intrinsic function that the value is, if it is one. */
function intrinsicName(value: unknown): string | undefined {
  if (!isDict(value)) return undefined;
  const keys = Object.keys(value);
  const key = keys[0];
  if (keys.length !== 1 || key === undefined) return undefined;
  return key === "Ref" || key === "Condition" || key.startsWith("Fn::") ? key : undefined;
}

export function isIntrinsic(value: unknown): value is Dict {
  return intrinsicName(value) !== undefined;
}

export function isIf(value: unknown): value is Dict {
  return intrinsicName(value) === "Fn::If";
}

export function isNoValue(value: unknown): boolean {
  return isDict(value) && intrinsicName(value) === "Ref" && value["Ref"] === "AWS::NoValue";
}

export type IfItems = readonly [condition: unknown, then: unknown, otherwise: unknown];

/** The three arguments of an `Fn::If`, or the sentence to complain with. */
export function ifItems(value: Dict): IfItems | string {
  const items = value["Fn::If"];
  return isList(items) && items.length === 3 ? [items[0], items[1], items[2]] : "Fn::If requires 3 arguments";
}

/** The logical id that a `Ref` or an `Fn::GetAtt` names. */
export function referencedId(value: unknown): string | undefined {
  if (!isIntrinsic(value)) return undefined;
  if (isString(value["Ref"])) return value["Ref"];
  const attribute = value["Fn::GetAtt"];
  if (isList(attribute)) return attribute.length === 2 && isString(attribute[0]) ? attribute[0] : undefined;
  if (!isString(attribute)) return undefined;
  const parts = attribute.split(".");
  return parts.length === 2 ? parts[0] : undefined;
}

const subPattern = /\$\{([A-Za-z0-9.]+|AWS::[A-Z][A-Za-z]*)\}/g;

/** Replaces the `${Name}` parts of a text for which `replace` has something. */
function replaceInSub(value: unknown, replace: (name: string, whole: string) => unknown): unknown {
  const inText = (text: string): string =>
    text.replace(subPattern, (whole: string, name: string) => {
      const replacement = replace(name, whole);
      if (isString(replacement)) return replacement;
      throw documentProblem(
        `Invalid Fn::Sub variable value ${display(replacement)}. Fn::Sub expects all variables to be strings.`,
      );
    });
  if (isString(value)) return inText(value);
  if (isList(value) && isString(value[0])) value[0] = inText(value[0]);
  return value;
}

/** Walks a value from the outside in, replacing parts in place: what is resolved once stays resolved in the output, as in AWS's transform. */
function walk(value: unknown, step: (value: unknown) => unknown): unknown {
  const result = step(value);
  if (isDict(result)) for (const [key, item] of Object.entries(result)) result[key] = walk(item, step);
  else if (isList(result)) for (const [index, item] of result.entries()) result[index] = walk(item, step);
  return result;
}

function single(value: unknown): readonly [name: string, dict: Dict] | undefined {
  if (!isDict(value)) return undefined;
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0] !== undefined ? [keys[0], value] : undefined;
}

/** `Ref` and `Fn::Sub` of template parameters (and of `AWS::Region` and `AWS::Partition`) become their values. */
export function resolveParameters(value: unknown, parameters: Dict): unknown {
  return walk(value, (part) => {
    const one = single(part);
    if (!one) return part;
    const [name, dict] = one;
    const argument = dict[name];
    if (name === "Ref" && isString(argument)) return Object.hasOwn(parameters, argument) ? parameters[argument] : part;
    if (name === "Fn::Sub") {
      dict[name] = replaceInSub(argument, (key, whole) => (Object.hasOwn(parameters, key) ? parameters[key] : whole));
    }
    return part;
  });
}

/** `Fn::FindInMap` with literal keys becomes what the template's mappings hold. */
export function resolveMappings(value: unknown, mappings: Dict): unknown {
  if (Object.keys(mappings).length === 0) return value;
  return walk(value, (part) => {
    const one = single(part);
    if (one?.[0] !== "Fn::FindInMap") return part;
    const argument = one[1]["Fn::FindInMap"];
    if (!isList(argument) || argument.length !== 3) {
      throw documentProblem(`Invalid FindInMap value ${display(argument)}. FindInMap expects an array with 3 values.`);
    }
    const [map, top, second] = argument;
    if (!isString(map) || !isString(top) || !isString(second)) return part;
    const levels = mappings[map];
    if (levels === undefined) return part;
    const refuse = () =>
      documentProblem(`Cannot use Fn::FindInMap on Mapping '${map}' which is not a a two-level map.`);
    if (!isDict(levels)) throw refuse();
    if (!Object.hasOwn(levels, top)) return part;
    const level = levels[top];
    if (!isDict(level)) throw refuse();
    return Object.hasOwn(level, second) ? level[second] : part;
  });
}

/** References to a resource whose logical id the transform changed (layer versions) follow it. */
export function renameReferences(value: unknown, renamed: ReadonlyMap<string, string>): unknown {
  if (renamed.size === 0) return value;
  return walk(value, (part) => {
    if (isDict(part) && "DependsOn" in part) part["DependsOn"] = renameDependency(part["DependsOn"], renamed);
    const one = single(part);
    if (!one) return part;
    const [name, dict] = one;
    const argument = dict[name];
    if (name === "Ref" && isString(argument)) {
      const id = renamed.get(argument);
      return id === undefined ? part : ref(id);
    }
    if (name === "Fn::GetAtt" && isList(argument) && argument.length >= 2 && argument.every(isString)) {
      const [first, ...rest] = argument.join(".").split(".");
      const id = renamed.get(first ?? "");
      if (id !== undefined) dict[name] = [id, ...rest];
    }
    if (name === "Fn::Sub") {
      dict[name] = replaceInSub(argument, (key, whole) => {
        const [first = ""] = key.split(".");
        const id = renamed.get(first);
        return id === undefined ? whole : whole.replaceAll(first, id);
      });
    }
    return part;
  });
}

function renameDependency(value: unknown, renamed: ReadonlyMap<string, string>): unknown {
  if (isList(value)) return value.map((item) => renameDependency(item, renamed));
  return isString(value) ? (renamed.get(value) ?? value) : value;
}

/** Resolves `Function.Alias`, `Api.Stage` and the like: what a SAM resource generated, by the property that names it. */
export type GeneratedReferences = (logicalId: string, property: string) => string | undefined;

export function resolveGenerated(value: unknown, generated: GeneratedReferences): unknown {
  return walk(value, (part) => {
    const one = single(part);
    if (!one) return part;
    const [name, dict] = one;
    const argument = dict[name];
    if (name === "Ref" && isString(argument)) {
      const dot = argument.indexOf(".");
      const id = dot > 0 ? generated(argument.slice(0, dot), argument.slice(dot + 1)) : undefined;
      return id === undefined ? part : ref(id);
    }
    if (name === "Fn::GetAtt" && isList(argument) && argument.length >= 2 && argument.every(isString)) {
      const [first = "", second = "", ...rest] = argument.join(".").split(".");
      const id = generated(first, second);
      if (id !== undefined) dict[name] = [id, ...rest];
    }
    if (name === "Fn::Sub") {
      dict[name] = replaceInSub(argument, (key, whole) => {
        const [first = "", second = ""] = key.split(".");
        const id = second === "" ? undefined : generated(first, second);
        return id === undefined ? whole : whole.replaceAll(`${first}.${second}`, id);
      });
    }
    return part;
  });
}

/** `Fn::Sub` shorthand of a reference: `${Id}` or `${Id.Arn}`. */
export function shorthand(reference: Dict): string {
  const attribute = reference["Fn::GetAtt"];
  return isList(attribute) ? `\${${attribute.join(".")}}` : `\${${display(reference["Ref"])}}`;
}

/** Combines conditions with `Fn::Or`, ten at a time as CloudFormation allows, under names derived from `name`. */
export function combineConditions(conditions: readonly string[], name: string): Dict | undefined {
  if (conditions.length < 2) return undefined;
  const combined: Dict = {};
  let waiting = [...conditions];
  let counter = Math.floor((conditions.length - 2) / 9);
  while (waiting.length > 1) {
    const target = counter > 0 ? `${name}${counter--}` : name;
    combined[target] = { "Fn::Or": waiting.slice(0, 10).map((condition) => ({ Condition: condition })) };
    waiting = [...waiting.slice(10), target];
  }
  return combined;
}
