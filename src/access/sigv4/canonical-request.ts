import { hash } from "node:crypto";

/**
 * The canonical request of Signature Version 4. Text arrives as Node gives it: one character for each byte that was
 * sent. Everything is hashed as such bytes.
 */
export interface CanonicalParts {
  readonly method: string;
  readonly canonicalPath: string;
  readonly canonicalQuery: string;
  readonly headers: HeaderValues;
  readonly signedHeaders: SignedHeaders;
  readonly payloadHash: string;
}

/** Header values by lower-case name: all of them, in order of arrival, where a header was repeated. */
export interface HeaderValues {
  get(name: string): string | readonly string[] | undefined;
  keys(): Iterable<string>;
}

export function toHeaderValues(headers: readonly (readonly [name: string, value: string])[]): HeaderValues {
  const values = new Map<string, string | readonly string[]>();
  for (const [name, value] of headers) {
    const before = values.get(name);
    if (before === undefined) values.set(name, value);
    else values.set(name, typeof before === "string" ? [before, value] : [...before, value]);
  }
  return values;
}

export function firstValue(headers: HeaderValues, name: string): string | undefined {
  const values = headers.get(name);
  return typeof values === "object" ? values[0] : values;
}

/** The names of the headers that are signed. */
export interface SignedHeaders {
  /** Lower case, sorted; each once. */
  readonly names: readonly string[];
  /** The same, with `;` between them. */
  readonly text: string;
  has(name: string): boolean;
}

export function createSignedHeaders(names: readonly string[]): SignedHeaders {
  const known = new Set(names.toSorted());
  const sorted = [...known];
  return { names: sorted, text: sorted.join(";"), has: (name) => known.has(name) };
}

export function toCanonicalRequest(parts: CanonicalParts): string {
  let headers = "";
  for (const name of parts.signedHeaders.names) headers += `${name}:${toCanonicalValue(parts.headers.get(name))}\n`;
  return `${parts.method}\n${parts.canonicalPath}\n${parts.canonicalQuery}\n${headers}\n${parts.signedHeaders.text}\n${parts.payloadHash}`;
}

export function toStringToSign(date: string, scope: string, canonicalRequest: string): string {
  return `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256Hex(canonicalRequest)}`;
}

/** Hash of text that stands for bytes. */
export function sha256Hex(text: string): string {
  return hash("sha256", Buffer.from(text, "latin1"), "hex");
}

/** How a service makes the path canonical. S3 encodes once and keeps it as it is; the others encode what was sent again. */
export type PathStyle = "s3" | "normalized" | "asSent";

export function toCanonicalPath(sentPath: string, style: PathStyle): string {
  const path = sentPath === "" ? "/" : sentPath;
  if (plainPath.test(path)) return style === "normalized" ? removeDotSegments(path) : path;
  // An encoded slash of a key is not the slash between two parts.
  if (style === "s3")
    return path
      .split("/")
      .map((part) => encode(percentDecode(part), false))
      .join("/");
  return encode(style === "normalized" ? removeDotSegments(path) : path, true);
}

/** Whether normalizing changes anything. */
export function isNormalized(path: string): boolean {
  return !path.includes("//") && !path.includes("/.");
}

/** One `name=value` of a query, decoded. */
export type QueryPair = readonly [name: string, value: string];

/** As sent, without the question mark, to decoded pairs. A plus is a space, as everywhere behind this. */
export function parseQuery(query: string): QueryPair[] {
  const pairs: QueryPair[] = [];
  for (const part of query.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? "" : part.slice(equals + 1);
    pairs.push([percentDecode(name.replaceAll("+", " ")), percentDecode(value.replaceAll("+", " "))]);
  }
  return pairs;
}

export function toCanonicalQuery(pairs: readonly QueryPair[]): string {
  if (pairs.length === 0) return "";
  const encoded = pairs.map(([name, value]) => [encode(name, false), encode(value, false)] as const);
  encoded.sort(([a, av], [b, bv]) => compare(a, b) || compare(av, bv));
  return encoded.map(([name, value]) => `${name}=${value}`).join("&");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function toCanonicalValue(values: string | readonly string[] | undefined): string {
  if (typeof values === "string") return collapse(values);
  return values === undefined ? "" : values.map(collapse).join(",");
}

function collapse(value: string): string {
  const trimmed = value.trim();
  return /[\t\r\n]| {2}/.test(trimmed) ? trimmed.replaceAll(/[ \t\r\n]+/g, " ") : trimmed;
}

function removeDotSegments(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === "..") kept.pop();
    else kept.push(segment);
  }
  if (kept.length === 0) return "/";
  return `/${kept.join("/")}${path.endsWith("/") ? "/" : ""}`;
}

function percentDecode(text: string): string {
  if (!text.includes("%")) return toBytes(text);
  return toBytes(text).replaceAll(/%([0-9A-Fa-f]{2})/g, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

const plainPath = /^[A-Za-z0-9\-._~/]*$/;
const plainValue = /^[A-Za-z0-9\-._~]*$/;

function encode(text: string, keepSlash: boolean): string {
  if ((keepSlash ? plainPath : plainValue).test(text)) return text;
  return toBytes(text).replaceAll(keepSlash ? /[^A-Za-z0-9\-._~/]/g : /[^A-Za-z0-9\-._~]/g, percentEncode);
}

function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/** Text beyond one byte a character (never from Node's parser) becomes its UTF-8 bytes. */
function toBytes(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return /^[\u0000-\u00ff]*$/.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}
