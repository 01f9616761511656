import { cloudFormationLimits as limits } from "../limits.ts";
import { isList, isObject, type JsonObject, type JsonValue } from "./parse.ts";
import { TemplateError } from "./template-error.ts";

/**
 * `AWS::LanguageExtensions`: each `Fn::ForEach::Name: [Identifier, [items], { "Key${Identifier}": value }]` becomes one
 * entry per item, with `${Identifier}` (or `&{Identifier}`, without what is not alphanumeric) replaced in keys and texts,
 * and `{ Ref: Identifier }` by the item.
 *
 * @param parameters values that a collection may `Ref`
 */
export function expandForEach(source: JsonObject, parameters: ReadonlyMap<string, JsonValue>): JsonObject {
  const budget = { nodesLeft: limits.templateNodesMax };
  const expanded = expand(source, { parameters, items: new Map(), budget });
  return isObject(expanded) ? expanded : source;
}

interface Loop {
  readonly parameters: ReadonlyMap<string, JsonValue>;
  readonly items: ReadonlyMap<string, string>;
  readonly budget: { nodesLeft: number };
}

const failed = (detail: string) => new TemplateError(`Transform AWS::LanguageExtensions failed with: ${detail}`);

function expand(value: JsonValue, loop: Loop): JsonValue {
  if (--loop.budget.nodesLeft < 0) throw failed("the expanded template is too large");
  if (typeof value === "string") return replaceItems(value, loop.items);
  if (isList(value)) return value.map((each) => expand(each, loop));
  if (!isObject(value)) return value;
  const { Ref: name } = value;
  if (typeof name === "string" && Object.keys(value).length === 1) {
    return loop.items.get(name) ?? { Ref: replaceItems(name, loop.items) };
  }
  const entries = new Map<string, JsonValue>();
  for (const [key, each] of Object.entries(value)) {
    const produced = key.startsWith("Fn::ForEach::")
      ? iterate(key, each, loop)
      : [[replaceItems(key, loop.items), expand(each, loop)] as const];
    for (const [name, item] of produced) {
      if (entries.has(name)) throw failed(`Duplicate key ${name} produced by ${key}`);
      entries.set(name, item);
    }
  }
  return Object.fromEntries(entries);
}

function iterate(key: string, argument: JsonValue, loop: Loop): (readonly [string, JsonValue])[] {
  const [identifier, collection, body, ...more] = isList(argument) ? argument : [];
  if (typeof identifier !== "string" || collection === undefined || !isObject(body) || more.length > 0) {
    throw failed("Fn::ForEach layout is incorrect");
  }
  if (loop.items.has(identifier) || loop.parameters.has(identifier)) {
    throw failed(`Fn::ForEach identifier ${identifier} in ${key} is already in use`);
  }
  return itemsOf(collection, loop).flatMap((item) => {
    const inner = expand(body, { ...loop, items: new Map([...loop.items, [identifier, item]]) });
    return isObject(inner) ? Object.entries(inner) : [];
  });
}

function itemsOf(collection: JsonValue, loop: Loop): string[] {
  const given =
    isObject(collection) && typeof collection["Ref"] === "string"
      ? loop.parameters.get(collection["Ref"])
      : expand(collection, loop);
  if (given === undefined || !isList(given)) throw failed("Fn::ForEach collection must resolve to a list");
  return given.map((each) => {
    if (isList(each) || isObject(each)) throw failed("Fn::ForEach collection items must be strings");
    return String(each);
  });
}

function replaceItems(text: string, items: ReadonlyMap<string, string>): string {
  if (items.size === 0 || !/[$&]\{/.test(text)) return text;
  return text.replaceAll(/([$&])\{([A-Za-z0-9]+)\}/g, (whole, sign: string, name: string) => {
    const item = items.get(name);
    if (item === undefined) return whole;
    return sign === "&" ? item.replaceAll(/[^A-Za-z0-9]/g, "") : item;
  });
}
