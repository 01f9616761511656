import { quote } from "./json-text.ts";
import { decodeQueryPart } from "./percent-decoding.ts";

/** The parameters of a query string, decoded: each name once, in order of first arrival, beside its values. */
export interface QueryParameters {
  readonly names: string[];
  readonly values: string[][];
}

// Up to here, looking through the names is faster than a map.
const fewNames = 16;

export function parseQuery(query: string): QueryParameters {
  const names: string[] = [];
  const values: string[][] = [];
  let places: Map<string, number> | undefined;
  for (const part of query.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decodeQueryPart(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? "" : decodeQueryPart(part.slice(equals + 1));
    if (places === undefined && names.length >= fewNames) places = new Map(names.map((known, at) => [known, at]));
    const list = values[places === undefined ? names.indexOf(name) : (places.get(name) ?? -1)];
    if (list !== undefined) {
      list.push(value);
    } else {
      places?.set(name, names.length);
      names.push(name);
      values.push([value]);
    }
  }
  return { names, values };
}

/** `queryStringParameters` of format 2.0: values of one name joined by commas. */
export function joinedQuery(query: QueryParameters): string {
  return members(query, (values) => quote(values.length === 1 ? (values[0] ?? "") : values.join(",")));
}

/** `queryStringParameters` of format 1.0: the last value of each name. */
export function lastQuery(query: QueryParameters): string {
  return members(query, (values) => quote(values.at(-1) ?? ""));
}

/** `multiValueQueryStringParameters`. */
export function everyQuery(query: QueryParameters): string {
  return members(query, (values) => `[${values.map(quote).join(",")}]`);
}

function members({ names, values }: QueryParameters, write: (values: readonly string[]) => string): string {
  let json = "";
  for (let index = 0; index < names.length; index++) {
    json += `${index === 0 ? "" : ","}${quote(names[index] ?? "")}:${write(values[index] ?? [])}`;
  }
  return `{${json}}`;
}
