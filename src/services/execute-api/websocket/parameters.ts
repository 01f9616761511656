import { parseQuery } from "../../../proxy/query-string.ts";
import { webSocketVariable } from "../context/websocket-context.ts";
import { textAt } from "../integrations/json-path.ts";
import { bodyOf, type WebSocketRequest } from "./request.ts";

/** Reads the value of a mapping expression; nothing where the event has no such thing. */
export type ParameterSource = (request: WebSocketRequest) => readonly string[];

/**
 * A mapping expression; undefined for what is none.
 *
 * AWS: `method.request.…` is taken as well as `route.request.…`: the API reference has the one, the developer guide the other.
 *
 * Source: "Set up data mapping for WebSocket APIs in API Gateway".
 */
export function compileSource(expression: string): ParameterSource | undefined {
  const literal = /^'([\s\S]*)'$/.exec(expression)?.[1];
  if (literal !== undefined) return () => [literal];
  const [, variable = "", name = ""] = /^(context|stageVariables)\.(.+)$/.exec(expression) ?? [];
  if (variable === "context") {
    return (request) => {
      const value = webSocketVariable(request, name);
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
  const [, place, , name = ""] = /^(?:route|method)\.request\.(\w+)(\.(.+))?$/.exec(expression) ?? [];
  if (place === "body") {
    return (request) => {
      const body = bodyOf(request);
      const text = name === "" ? body || undefined : textAt(Buffer.from(body, "utf8"), name);
      return text === undefined ? [] : [text];
    };
  }
  if (name === "") return undefined;
  switch (place) {
    case "querystring":
      return (request) => queryValues(request, name).slice(-1);
    case "multivaluequerystring":
      return (request) => queryValues(request, name);
    case "header":
      return (request) => headerValues(request, name.toLowerCase()).slice(-1);
    case "multivalueheader":
      return (request) => headerValues(request, name.toLowerCase());
    default:
      return undefined;
  }
}

/** Only a handshake has a query and headers. */
function queryValues({ event }: WebSocketRequest, name: string): readonly string[] {
  if (event.type !== "CONNECT" || event.exchange.query === "") return [];
  const { names, values } = parseQuery(event.exchange.query);
  return values[names.indexOf(name)] ?? [];
}

function headerValues({ event }: WebSocketRequest, lower: string): readonly string[] {
  if (event.type !== "CONNECT") return [];
  const { headers } = event.exchange;
  return headers.values.filter((_value, index) => headers.lower[index] === lower);
}
