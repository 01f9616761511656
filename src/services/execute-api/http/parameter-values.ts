import { decodePercent } from "../../../proxy/percent-decoding.ts";
import { parseQuery } from "../../../proxy/query-string.ts";
import { httpVariable } from "../context/http-context.ts";
import { valuesOf } from "../integrations/forwarded-headers.ts";
import { type BodyText, compileBodyText } from "../integrations/json-path.ts";
import { integrationLimits as limits } from "../integrations/limits.ts";
import { pathVariables } from "../router.ts";
import type { HttpRequest } from "./request.ts";

/** What an endpoint answered, for mappings of responses. */
export interface MappedAnswer {
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** A value of a parameter mapping, ready to be read. Undefined where its one reference leads to nothing. */
export type ParameterValue = (request: HttpRequest, answered?: MappedAnswer) => string | undefined;

/**
 * Make the value of a mapping ready: a reference (`$request.header.x`), text with references (`${request.path.id}-1`), or text.
 *
 * Source: "Transform API requests and responses for HTTP APIs in API Gateway".
 *
 * @param path the route's, whose variables `$request.path.x` reads
 */
export function compileParameterValue(text: string, path: string): ParameterValue {
  const whole = /^\$\{?((?:request|response|context|stageVariables)\b[^{}$]*)\}?$/.exec(text)?.[1];
  if (whole !== undefined) return compileReference(whole, path);
  const parts = text.split(/\$\{([^{}]+)\}/);
  if (parts.length === 1) return () => text;
  const readers = parts.map((part, index) => (index % 2 === 0 ? () => part : compileReference(part, path)));
  return (request, answered) => readers.map((read) => read(request, answered) ?? "").join("");
}

function compileReference(reference: string, path: string): ParameterValue {
  const [, root = "", rest = ""] = /^(\w+)\.?(.*)$/s.exec(reference) ?? [];
  if (root === "context") {
    return (request) => {
      const value = httpVariable(request, rest);
      return value === undefined || value === null ? undefined : String(value);
    };
  }
  if (root === "stageVariables") {
    return ({ stage }) =>
      Object.hasOwn(stage.published.variables, rest) ? stage.published.variables[rest] : undefined;
  }
  const [, place = "", name = ""] = /^(\w+)\.?(.*)$/s.exec(rest) ?? [];
  if (root === "response") {
    if (place === "header")
      return (_request, answered) => joined(valuesOf(answered?.headers ?? [], name.toLowerCase()));
    if (place === "body") {
      const read = compileBody(name);
      return (_request, answered) => read(answered?.body);
    }
    return () => undefined;
  }
  if (root !== "request") return () => undefined;
  switch (place) {
    case "header": {
      const lower = name.toLowerCase();
      return ({ exchange: { headers } }) => joined(headers.values.filter((_value, at) => headers.lower[at] === lower));
    }
    case "querystring":
      return ({ exchange }) => {
        const { names, values } = parseQuery(exchange.query);
        return joined(values[names.indexOf(name)] ?? []);
      };
    case "path": {
      if (name === "") return ({ exchange }) => decodePercent(exchange.path);
      const at = pathVariables(path).indexOf(name);
      return ({ parameters }) => parameters[at];
    }
    case "body": {
      const read = compileBody(name);
      return ({ body }) => read(body);
    }
    default:
      return () => undefined;
  }
}

function joined(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(",");
}

/** AWS: a path is looked for in the first 100 KB, so in no larger body that has one. */
function compileBody(path: string): (body: Buffer | undefined) => string | undefined {
  const read: BodyText = path === "" ? (body) => body.toString("utf8") : compileBodyText(path, "http");
  return (body) => {
    if (body === undefined || body.length === 0) return undefined;
    return path !== "" && body.length > limits.jsonPathBodyBytesMax ? undefined : read(body);
  };
}
