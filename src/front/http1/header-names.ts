import type { IncomingHttpHeaders } from "node:http";

/** What several headers of one name mean, as Node.js has it. */
type Duplicates = "join" | "discard" | "cookie" | "list";

/** What the connection itself acts on. */
export type HeaderPart =
  "host" | "contentLength" | "transferEncoding" | "connection" | "expect" | "upgrade" | "passed on";

/** A header's name as it was sent, and what is known of it. */
export interface HeaderName {
  readonly raw: string;
  readonly lower: string;
  readonly duplicates: Duplicates;
  readonly part: HeaderPart;
}

/** Names that have been seen: few are ever sent, and each is put into lower case once. */
export interface HeaderNames {
  of(raw: string): HeaderName;
}

/** @param max names that are kept beside those that are known; what clients make up beyond is made anew each time */
export function createHeaderNames(max: number): HeaderNames {
  const names = new Map(knownNames);
  const full = names.size + max;
  return {
    of: (raw) => {
      const known = names.get(raw);
      if (known !== undefined) return known;
      const { lower, duplicates, part } = describe(raw);
      // A copy: a slice would keep the whole head that it was cut from.
      const name = { raw: Buffer.from(raw, "latin1").toString("latin1"), lower, duplicates, part };
      if (names.size < full && raw.length <= nameCharactersMax) names.set(name.raw, name);
      return name;
    },
  };
}

/** Headers by name in lower case, as Node.js gives them: of some names the first counts alone, all others are joined. */
export function joinHeaders(names: readonly HeaderName[], values: readonly string[]): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index];
    const value = values[index * 2 + 1];
    if (name === undefined || value === undefined) break;
    const { lower } = name;
    const before = headers[lower];
    if (name.duplicates === "list") {
      if (Array.isArray(before)) before.push(value);
      else headers[lower] = [value];
    } else if (typeof before !== "string") headers[lower] = value;
    else if (name.duplicates === "join") headers[lower] = `${before}, ${value}`;
    else if (name.duplicates === "cookie") headers[lower] = `${before}; ${value}`;
  }
  return headers;
}

const nameCharactersMax = 64;

const parts: Readonly<Record<string, HeaderPart>> = {
  host: "host",
  "content-length": "contentLength",
  "transfer-encoding": "transferEncoding",
  connection: "connection",
  expect: "expect",
  upgrade: "upgrade",
};

/** Of these the first counts. Source: Node.js, `message.headers`. */
const discarded: ReadonlySet<string> = new Set([
  "age",
  "authorization",
  "content-length",
  "content-type",
  "etag",
  "expires",
  "from",
  "host",
  "if-modified-since",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "referer",
  "retry-after",
  "server",
  "user-agent",
]);

function describe(raw: string): HeaderName {
  const lower = raw.toLowerCase();
  const duplicates =
    lower === "cookie" ? "cookie" : lower === "set-cookie" ? "list" : discarded.has(lower) ? "discard" : "join";
  return { raw, lower, duplicates, part: Object.hasOwn(parts, lower) ? (parts[lower] ?? "passed on") : "passed on" };
}

/** As clients write them: in lower case, `Like-This`, and as the SDKs do. */
const knownNames: ReadonlyMap<string, HeaderName> = new Map(
  [
    ...Object.keys(parts),
    ...discarded,
    "accept",
    "accept-encoding",
    "accept-language",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "cache-control",
    "content-encoding",
    "content-md5",
    "cookie",
    "date",
    "if-match",
    "if-none-match",
    "origin",
    "range",
    "x-amz-acl",
    "x-amz-checksum-crc32",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-target",
    "x-amz-user-agent",
    "x-amzn-trace-id",
    "x-api-key",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-proto",
  ]
    .flatMap((lower) => [lower, lower.replace(/(?:^|-)[a-z]/g, (first) => first.toUpperCase())])
    .concat("X-Amz-Content-SHA256", "ETag", "Content-MD5", "TE")
    .map((raw) => [raw, describe(raw)]),
);
