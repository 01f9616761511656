import { forwardedPort, sourceIp } from "../../../proxy/client-address.ts";
import { type Exchange, forwardedFor, forwardedProto } from "../../../proxy/exchange.ts";
import { isHeaderName, sentHeaderName, sentHeaderValue } from "../../../proxy/response-headers.ts";

/**
 * The headers of a client's request that a proxied endpoint gets, names and values in turn. What ends at the gateway is gone
 * already; the endpoint's own Host comes from its URL, and what is replaced is left to the caller.
 */
export function passedHeaders({ headers }: Exchange, isReplaced: (lower: string) => boolean): string[] {
  const passed: string[] = [];
  for (let index = 0; index < headers.lower.length; index++) {
    const lower = headers.lower[index] ?? "";
    if (lower === "host" || isReplaced(lower)) continue;
    passed.push(headers.names[index] ?? "", headers.values[index] ?? "");
  }
  return passed;
}

/** What AWS tells a proxied endpoint of the client. */
export function clientHeaders(exchange: Exchange): string[] {
  const { request, headers } = exchange;
  return [
    "X-Amzn-Trace-Id",
    `Root=${exchange.trace}`,
    "X-Forwarded-For",
    forwardedFor(headers, sourceIp(request)),
    "X-Forwarded-Port",
    forwardedPort(request),
    "X-Forwarded-Proto",
    forwardedProto(request),
  ];
}

const endsHere = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding"]);

/**
 * The headers of an endpoint's answer that a REST API's client gets, some under other names.
 *
 * Source: "Amazon API Gateway important notes".
 */
export function answeredHeaders(raw: readonly string[]): string[] {
  const sent: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const value = sentHeaderValue(raw[index + 1] ?? "");
    const as = sentHeaderName(name);
    if (as !== undefined && value !== undefined && isHeaderName(name)) sent.push(as, value);
  }
  return sent;
}

/** The same for an HTTP API, which renames nothing: what is of one connection alone is left out. */
export function proxiedHeaders(raw: readonly string[]): string[] {
  const connection = valuesOf(raw, "connection").join(",").toLowerCase();
  const named = new Set(connection.split(",").map((name) => name.trim()));
  const sent: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const lower = name.toLowerCase();
    const value = sentHeaderValue(raw[index + 1] ?? "");
    if (endsHere.has(lower) || named.has(lower) || lower === "content-length" || value === undefined) continue;
    if (isHeaderName(name)) sent.push(name, value);
  }
  return sent;
}

/** Every value of a header, by its lower-case name. */
export function valuesOf(raw: readonly string[], lower: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if ((raw[index] ?? "").toLowerCase() === lower) values.push(raw[index + 1] ?? "");
  }
  return values;
}
