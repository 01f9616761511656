import type { HttpRequest } from "./http-exchange.ts";
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
export function readHeaders(request: HttpRequest): RequestHeaders {
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
    const known = knownHeaders.get(name) ?? knownHeaders.get(name.toLowerCase());
    switch (known?.part) {
      case "contentLength":
        headers.hasBody ||= value !== "0";
        continue;
      case "transferEncoding":
        headers.hasBody = true;
        continue;
      case "ends here":
        continue;
      case "forwardedFor":
        headers.forwardedFor = headers.forwardedFor === "" ? value : `${headers.forwardedFor}, ${value}`;
        continue;
      case "trace":
        headers.trace = value;
        continue;
      case "cookie":
        headers.cookie = headers.cookie === "" ? value : `${headers.cookie}; ${value}`;
        break;
      case "accept":
        if (headers.accept === "") headers.accept = value;
        break;
      case "contentType":
      case "userAgent":
      case "host":
      case "origin":
      case "requestedMethod":
        headers[known.part] = value;
        break;
      default:
    }
    headers.names.push(name);
    headers.lower.push(known?.lower ?? name.toLowerCase());
    headers.values.push(value);
  }
  return headers;
}

/** What is done with a header: it is read into a member, or ends at the gateway. */
type HeaderPart =
  | "accept"
  | "contentLength"
  | "contentType"
  | "cookie"
  | "ends here"
  | "forwardedFor"
  | "host"
  | "origin"
  | "requestedMethod"
  | "trace"
  | "transferEncoding"
  | "userAgent";

interface KnownHeader {
  readonly lower: string;
  readonly part?: HeaderPart;
}

const knownParts: Readonly<Record<string, HeaderPart | undefined>> = {
  "content-length": "contentLength",
  "transfer-encoding": "transferEncoding",
  connection: "ends here",
  "content-md5": "ends here",
  expect: "ends here",
  "keep-alive": "ends here",
  "max-forwards": "ends here",
  "proxy-authenticate": "ends here",
  server: "ends here",
  te: "ends here",
  trailer: "ends here",
  upgrade: "ends here",
  "www-authenticate": "ends here",
  "x-forwarded-port": "ends here",
  "x-forwarded-proto": "ends here",
  "x-forwarded-for": "forwardedFor",
  "x-amzn-trace-id": "trace",
  cookie: "cookie",
  "content-type": "contentType",
  accept: "accept",
  "user-agent": "userAgent",
  host: "host",
  origin: "origin",
  "access-control-request-method": "requestedMethod",
  // Nothing is done with these: they are here because clients send them, and a look-up costs less than lower case.
  "accept-encoding": undefined,
  "accept-language": undefined,
  authorization: undefined,
  "cache-control": undefined,
  pragma: undefined,
  referer: undefined,
  "sec-ch-ua": undefined,
  "sec-ch-ua-mobile": undefined,
  "sec-ch-ua-platform": undefined,
  "sec-fetch-dest": undefined,
  "sec-fetch-mode": undefined,
  "sec-fetch-site": undefined,
  "x-requested-with": undefined,
};

/** As HTTP/2 gateways, Node.js and Go clients, and browsers write them: in lower case, and `Like-This`. */
const knownHeaders: ReadonlyMap<string, KnownHeader> = new Map(
  Object.entries(knownParts).flatMap(([lower, part]): [string, KnownHeader][] => {
    const header = { lower, ...(part && { part }) };
    return [
      [lower, header],
      [lower.replace(/(?:^|-)[a-z]/g, (first) => first.toUpperCase()), header],
    ];
  }),
);

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
