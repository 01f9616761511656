import type { Exchange } from "../../../proxy/exchange.ts";
import { decodeQueryPart } from "../../../proxy/percent-decoding.ts";
import type { RequestHeaders } from "../../../proxy/request-headers.ts";
import { isHeaderName, sentHeaderValue } from "../../../proxy/response-headers.ts";
import { compileParameterValue, type MappedAnswer, type ParameterValue } from "./parameter-values.ts";
import type { HttpRequest } from "./request.ts";

/** A change that a mapping makes: `append:header.x`. */
interface Change {
  readonly action: "append" | "overwrite" | "remove";
  readonly place: "header" | "querystring" | "path" | "statuscode";
  readonly name: string;
  readonly value: ParameterValue;
}

/** A request as its integration is to see it. */
export interface MappedRequest {
  readonly exchange: Exchange;
  /** Instead of the endpoint's own path. */
  readonly path: string | undefined;
}

/** Make the mapping of requests ready; undefined where nothing is mapped. */
export function compileRequestParameters(
  parameters: Readonly<Record<string, string>> | undefined,
  path: string,
): ((request: HttpRequest) => MappedRequest) | undefined {
  const changes = compileChanges(parameters ?? {}, path);
  if (changes.length === 0) return undefined;
  return (request) => {
    const { exchange } = request;
    const headers = toPairs(exchange.headers.names, exchange.headers.values);
    let { query } = exchange;
    let mappedPath: string | undefined;
    for (const change of changes) {
      const value = change.action === "remove" ? undefined : change.value(request);
      // What leads to nothing changes nothing.
      if (change.action !== "remove" && value === undefined) continue;
      if (change.place === "header") changeHeader(headers, change, value ?? "");
      else if (change.place === "querystring") query = changeQuery(query, change, value ?? "");
      else if (change.place === "path") mappedPath = encodePath(value ?? "");
    }
    return { exchange: { ...exchange, query, headers: withHeaders(exchange.headers, headers) }, path: mappedPath };
  };
}

/** What a client gets, after its mapping. */
export interface MappedResponse {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: string[];
}

/** Make the mapping of responses ready, by the status they come with; undefined where nothing is mapped. */
export function compileResponseParameters(
  byStatus: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined,
  path: string,
): ((request: HttpRequest, status: number, answered: MappedAnswer) => MappedResponse) | undefined {
  const compiled = new Map(
    Object.entries(byStatus ?? {}).map(([status, parameters]) => [Number(status), compileChanges(parameters, path)]),
  );
  if (compiled.size === 0) return undefined;
  return (request, status, answered) => {
    const pairs: [string, string][] = [];
    for (let index = 0; index + 1 < answered.headers.length; index += 2) {
      pairs.push([answered.headers[index] ?? "", answered.headers[index + 1] ?? ""]);
    }
    let mappedStatus = status;
    for (const change of compiled.get(status) ?? []) {
      const value = change.action === "remove" ? undefined : change.value(request, answered);
      if (change.action !== "remove" && value === undefined) continue;
      if (change.place === "header") changeHeader(pairs, change, value ?? "");
      // A status that is none leaves the endpoint's.
      else if (change.place === "statuscode" && /^[2-5]\d\d$/.test(value ?? "")) mappedStatus = Number(value);
    }
    return { status: mappedStatus, headers: pairs.flat() };
  };
}

function compileChanges(parameters: Readonly<Record<string, string>>, path: string): Change[] {
  const changes: Change[] = [];
  for (const [key, text] of Object.entries(parameters)) {
    const [, action, place, name = ""] =
      /^(append|overwrite|remove):(header|querystring|path|statuscode)(?:\.(.+))?$/.exec(key) ?? [];
    if (!isAction(action) || !isPlace(place)) continue;
    changes.push({ action, place, name, value: compileParameterValue(text, path) });
  }
  return changes;
}

function isAction(action: string | undefined): action is Change["action"] {
  return action === "append" || action === "overwrite" || action === "remove";
}

function isPlace(place: string | undefined): place is Change["place"] {
  return place === "header" || place === "querystring" || place === "path" || place === "statuscode";
}

function changeHeader(headers: [string, string][], { action, name }: Change, value: string): void {
  const sent = sentHeaderValue(value);
  if (!isHeaderName(name) || sent === undefined) return;
  if (action !== "append") {
    const lower = name.toLowerCase();
    const kept = headers.filter(([other]) => other.toLowerCase() !== lower);
    headers.splice(0, headers.length, ...kept);
  }
  if (action !== "remove") headers.push([name, sent]);
}

function changeQuery(query: string, { action, name }: Change, value: string): string {
  const parts = query.split("&").filter((part) => {
    if (part === "") return false;
    const equals = part.indexOf("=");
    return action === "append" || decodeQueryPart(equals === -1 ? part : part.slice(0, equals)) !== name;
  });
  if (action !== "remove") parts.push(`${encodeText(name)}=${encodeText(value)}`);
  return parts.join("&");
}

/** A path as the mapping writes it, with what cannot stand in one encoded; never out of the host. */
function encodePath(path: string): string {
  const encoded = path.toWellFormed().replaceAll(/[^\w!$&'()*+,;=:@/.~%-]/gu, encodeURIComponent);
  return encoded.startsWith("/") ? encoded : `/${encoded}`;
}

function encodeText(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function toPairs(names: readonly string[], values: readonly string[]): [string, string][] {
  return names.map((name, index) => [name, values[index] ?? ""]);
}

function withHeaders(before: RequestHeaders, pairs: readonly [string, string][]): RequestHeaders {
  const lower = pairs.map(([name]) => name.toLowerCase());
  const values = pairs.map(([, value]) => value);
  const cookies = values.filter((_value, index) => lower[index] === "cookie");
  const typeAt = lower.lastIndexOf("content-type");
  return {
    ...before,
    names: pairs.map(([name]) => name),
    lower,
    values,
    cookie: cookies.join("; "),
    contentType: typeAt === -1 ? "" : (values[typeAt] ?? ""),
  };
}
