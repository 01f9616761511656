import type { IncomingMessage } from "node:http";
import { quote } from "./json-text.ts";

/** The headers of a request, read once: what the gateway acts on, and what it passes to functions. */
export interface RequestHeaders {
  /** Names as sent and lower-case, and values, side by side; without those that end at the gateway. */
  readonly names: string[];
  readonly lower: string[];
  readonly values: string[];
  contentType: string;
  accept: string;
  userAgent: string;
  host: string;
  cookie: string;
  origin: string;
  requestedMethod: string;
  hasBody: boolean;
  /** The client's `X-Amzn-Trace-Id`. */
  trace: string;
  forwardedFor: string;
}

/**
 * Read the raw headers.
 *
 * AWS: these never reach an integration, and those the gateway sets itself (`X-Forwarded-*`, `X-Amzn-Trace-Id`,
 * `Content-Length`) are added by the events.
 */
export function readHeaders(request: IncomingMessage): RequestHeaders {
  const raw = request.rawHeaders;
  const headers: RequestHeaders = {
    names: [],
    lower: [],
    values: [],
    contentType: "",
    accept: "",
    userAgent: "",
    host: "",
    cookie: "",
    origin: "",
    requestedMethod: "",
    hasBody: false,
    trace: "",
    forwardedFor: "",
  };
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const value = raw[index + 1] ?? "";
    const lower = name.toLowerCase();
    switch (lower) {
      case "content-length":
        headers.hasBody ||= value !== "0";
        continue;
      case "transfer-encoding":
        headers.hasBody = true;
        continue;
      case "connection":
      case "content-md5":
      case "expect":
      case "keep-alive":
      case "max-forwards":
      case "proxy-authenticate":
      case "server":
      case "te":
      case "trailer":
      case "upgrade":
      case "www-authenticate":
      case "x-forwarded-port":
      case "x-forwarded-proto":
        continue;
      case "x-forwarded-for":
        headers.forwardedFor = headers.forwardedFor === "" ? value : `${headers.forwardedFor}, ${value}`;
        continue;
      case "x-amzn-trace-id":
        headers.trace = value;
        continue;
      case "cookie":
        headers.cookie = headers.cookie === "" ? value : `${headers.cookie}; ${value}`;
        break;
      case "content-type":
        headers.contentType = value;
        break;
      case "accept":
        if (headers.accept === "") headers.accept = value;
        break;
      case "user-agent":
        headers.userAgent = value;
        break;
      case "host":
        headers.host = value;
        break;
      case "origin":
        headers.origin = value;
        break;
      case "access-control-request-method":
        headers.requestedMethod = value;
        break;
      default:
    }
    headers.names.push(name);
    headers.lower.push(lower);
    headers.values.push(value);
  }
  return headers;
}

/** The members of `headers` in format 2.0: lower-case names, values of one name joined by commas, no cookies. */
export function joinedHeaders(headers: RequestHeaders): string {
  const { lower, values } = headers;
  let json = "";
  for (let index = 0; index < lower.length; index++) {
    const name = lower[index] ?? "";
    if (name === "cookie" || lower.indexOf(name) < index) continue;
    let value = values[index] ?? "";
    for (let next = lower.indexOf(name, index + 1); next !== -1; next = lower.indexOf(name, next + 1)) {
      value += `,${values[next] ?? ""}`;
    }
    json += `${quote(name)}:${quote(value)},`;
  }
  return json;
}

/** The members of `headers` in format 1.0: names as sent, the last value of each; each member ends with a comma. */
export function lastHeaders(headers: RequestHeaders): string {
  const { lower, names, values } = headers;
  let json = "";
  for (let index = 0; index < lower.length; index++) {
    const name = lower[index] ?? "";
    if (lower.indexOf(name) < index) continue;
    json += `${quote(names[index] ?? "")}:${quote(values[lower.lastIndexOf(name)] ?? "")},`;
  }
  return json;
}

/** The members of `multiValueHeaders`: names as sent, every value. */
export function everyHeader(headers: RequestHeaders): string {
  const { lower, names, values } = headers;
  let json = "";
  for (let index = 0; index < lower.length; index++) {
    const name = lower[index] ?? "";
    if (lower.indexOf(name) < index) continue;
    let list = quote(values[index] ?? "");
    for (let next = lower.indexOf(name, index + 1); next !== -1; next = lower.indexOf(name, next + 1)) {
      list += `,${quote(values[next] ?? "")}`;
    }
    json += `${quote(names[index] ?? "")}:[${list}],`;
  }
  return json;
}

/** The `cookies` of format 2.0. */
export function cookieList(cookie: string): string {
  let json = "";
  for (const part of cookie.split(";")) {
    const trimmed = part.trim();
    if (trimmed !== "") json += `${json === "" ? "" : ","}${quote(trimmed)}`;
  }
  return `[${json}]`;
}
