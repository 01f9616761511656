import { decodePercent } from "../../../proxy/percent-decoding.ts";
import { parseQuery } from "../../../proxy/query-string.ts";
import { isHeaderName, sentHeaderValue } from "../../../proxy/response-headers.ts";
import { restVariable } from "../context/rest-context.ts";
import { compileBodyText } from "../integrations/json-path.ts";
import { pathVariables } from "../router.ts";
import type { RestRequest } from "./request.ts";

/** What a method's request parameters make for its integration: names, and their values. */
export interface MappedParameters {
  readonly headers: Map<string, readonly string[]>;
  readonly query: Map<string, readonly string[]>;
  readonly path: Map<string, string>;
}

/** Reads the value of a mapping expression; nothing where the request has no such thing. */
export type ParameterSource = (request: RestRequest) => readonly string[];

/**
 * Make `integration.request.{header,querystring,path}.NAME` ready to be filled.
 *
 * Source: "Parameter mapping source reference for REST APIs in API Gateway".
 *
 * AWS: what the request does not have is not sent on; a header's name is taken as the mapping spells it.
 */
export function compileRequestMapping(
  parameters: Readonly<Record<string, string>>,
): (request: RestRequest) => MappedParameters {
  return compileParameterMapping(parameters, compileSource);
}

/** The same for any kind of request. @param compileExpression a mapping expression; undefined for what is none */
export function compileParameterMapping<Request>(
  parameters: Readonly<Record<string, string>>,
  compileExpression: (expression: string) => ((request: Request) => readonly string[]) | undefined,
): (request: Request) => MappedParameters {
  type Source = (request: Request) => readonly string[];
  const mappings: { readonly place: Place; readonly name: string; readonly source: Source }[] = [];
  for (const [target, expression] of Object.entries(parameters)) {
    const [, place, name = ""] = targetPattern.exec(target) ?? [];
    const source = compileExpression(expression);
    if (isPlace(place) && source !== undefined) mappings.push({ place, name, source });
  }
  return (request) => {
    const mapped: MappedParameters = { headers: new Map(), query: new Map(), path: new Map() };
    for (const { place, name, source } of mappings) {
      const values = source(request);
      if (values.length === 0) continue;
      if (place === "path") mapped.path.set(name, values.join(","));
      else if (place === "querystring") mapped.query.set(name, values);
      else {
        const sendable = values.map(sentHeaderValue).filter((value) => value !== undefined);
        if (isHeaderName(name) && sendable.length > 0) mapped.headers.set(name, sendable);
      }
    }
    return mapped;
  };
}

type Place = "header" | "querystring" | "path";

const targetPattern = /^integration\.request\.(header|querystring|path)\.(.+)$/;

function isPlace(place: string | undefined): place is Place {
  return place === "header" || place === "querystring" || place === "path";
}

/** A mapping expression; undefined for what is none. */
export function compileSource(expression: string): ParameterSource | undefined {
  const literal = /^'([\s\S]*)'$/.exec(expression)?.[1];
  if (literal !== undefined) return () => [literal];
  const [, variable = "", name = ""] = /^(context|stageVariables)\.(.+)$/.exec(expression) ?? [];
  if (variable === "context") {
    return (request) => {
      const value = restVariable(request, name);
      return value === undefined || value === null ? [] : [String(value)];
    };
  }
  if (variable === "stageVariables") {
    return ({ stage }) => {
      const { variables } = stage.published;
      return Object.hasOwn(variables, name) ? [variables[name] ?? ""] : [];
    };
  }
  return compileRequestSource(expression);
}

function compileRequestSource(expression: string): ParameterSource | undefined {
  if (expression === "method.request.body") {
    return ({ body }) => (body.length === 0 ? [] : [body.toString("utf8")]);
  }
  const [, place, name = ""] = /^method\.request\.(\w+)\.(.+)$/.exec(expression) ?? [];
  switch (place) {
    case "path":
      return ({ method, parameters }) => {
        const value = parameters[pathVariables(method.path).indexOf(name)];
        return value === undefined ? [] : [value];
      };
    case "querystring":
      return (request) => queryValues(request, name).slice(-1);
    case "multivaluequerystring":
      return (request) => queryValues(request, name);
    case "header":
      return (request) => headerValues(request, name.toLowerCase()).slice(-1);
    case "multivalueheader":
      return (request) => headerValues(request, name.toLowerCase());
    case "body": {
      const read = compileBodyText(name);
      return ({ body }) => {
        const text = read(body);
        return text === undefined ? [] : [text];
      };
    }
    default:
      return undefined;
  }
}

function queryValues({ exchange }: RestRequest, name: string): readonly string[] {
  if (exchange.query === "") return [];
  const { names, values } = parseQuery(exchange.query);
  return values[names.indexOf(name)] ?? [];
}

function headerValues({ exchange }: RestRequest, lower: string): readonly string[] {
  const { headers } = exchange;
  return headers.values.filter((_value, index) => headers.lower[index] === lower);
}

/** The client's query with what is mapped in place of parameters of the same names. */
export function queryWith(query: string, mapped: ReadonlyMap<string, readonly string[]>): string {
  const kept = query.split("&").filter((part) => {
    const equals = part.indexOf("=");
    return (
      part !== "" && !mapped.has(decodePercent((equals === -1 ? part : part.slice(0, equals)).replaceAll("+", " ")))
    );
  });
  for (const [name, values] of mapped) {
    for (const value of values) kept.push(`${encodeText(name)}=${encodeText(value)}`);
  }
  return kept.join("&");
}

function encodeText(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
