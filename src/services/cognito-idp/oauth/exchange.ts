import { isEncrypted, sourceIp } from "../../../proxy/client-address.ts";
import type { HttpRequest } from "../../../proxy/http-exchange.ts";
import { endpointOf } from "../http.ts";
import type { Domain, Pool } from "../model.ts";
import { oauthLimits as limits } from "./limits.ts";

/** A request at a pool's domain. */
export interface DomainRequest {
  readonly pool: Pool;
  readonly domain: Domain;
  readonly method: string;
  /** Without the query, beginning with `/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly cookies: ReadonlyMap<string, string>;
  /** Scheme and host by which the client reached the domain. */
  readonly origin: string;
  /** The path at which the domain begins: empty, or that of the form for clients that cannot resolve its name. */
  readonly base: string;
  /** The platform's address as the client reached it: what issuers are named by. */
  readonly endpoint: string;
  readonly secure: boolean;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly now: number;
  /** The body's fields. @throws BadForm for anything that is no form, or is too large */
  form(): Promise<URLSearchParams>;
}

/** What is answered. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body?: string | Buffer;
}

/** The body is no form. */
export class BadForm extends Error {}

export function readDomainRequest(
  request: HttpRequest,
  target: string,
  place: { readonly pool: Pool; readonly domain: Domain; readonly now: number },
): DomainRequest {
  const mark = target.indexOf("?");
  const path = (mark < 0 ? target : target.slice(0, mark)) || "/";
  const secure = isEncrypted(request);
  const url = request.url ?? "/";
  const host = request.headers.host ?? "";
  const headers: Record<string, string | undefined> = {};
  for (const name of ["authorization", "content-type", "origin", "sec-fetch-site", "accept-language"]) {
    const value = request.headers[name];
    headers[name] = typeof value === "string" ? value : undefined;
  }
  let form: Promise<URLSearchParams> | undefined;
  return {
    ...place,
    method: request.method ?? "GET",
    path,
    query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)),
    headers,
    cookies: parseCookies(request.headers.cookie),
    origin: `${secure ? "https" : "http"}://${/^[\w.:[\]-]{1,260}$/.test(host) ? host : "invalid"}`,
    base: url.endsWith(target) ? url.slice(0, url.length - target.length) : "",
    endpoint: endpointOf(request),
    secure,
    sourceIp: sourceIp(request),
    userAgent: request.headers["user-agent"] ?? "",
    form: () => {
      form ??= readForm(request);
      return form;
    },
  };
}

async function readForm(request: HttpRequest): Promise<URLSearchParams> {
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") throw new BadForm("The body is no form");
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) continue;
    bytes += chunk.byteLength;
    if (bytes > limits.formBytesMax) throw new BadForm("The form is too large");
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}

/** RFC 6265. Of cookies of one name, the first: browsers send that of the longest path first. */
export function parseCookies(header: string | undefined): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of (header ?? "").split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0) continue;
    const name = pair.slice(0, equals).trim();
    if (name !== "" && !cookies.has(name)) cookies.set(name, pair.slice(equals + 1).trim());
  }
  return cookies;
}

/** A parameter that is given once: RFC 6749 forbids more. Undefined when it is absent, empty or there several times. */
export function only(parameters: URLSearchParams, name: string): string | undefined {
  const values = parameters.getAll(name);
  const [value] = values;
  if (values.length !== 1 || value === undefined || value === "") return undefined;
  return value.length > limits.parameterCharactersMax ? undefined : value;
}

/** Whether any of the parameters is there twice. */
export function hasRepeated(parameters: URLSearchParams): boolean {
  const names = [...parameters.keys()];
  return new Set(names).size < names.length;
}

/** An address with further parameters, those that it has kept. */
export function withParameters(address: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const hash = address.indexOf("#");
  const bare = hash < 0 ? address : address.slice(0, hash);
  const added = encode(parameters);
  if (added === "") return bare;
  return `${bare}${bare.includes("?") ? "&" : "?"}${added}`;
}

/** The same in the fragment, as the implicit grant answers. */
export function withFragment(address: string, parameters: Readonly<Record<string, string | undefined>>): string {
  return `${withParameters(address, {})}#${encode(parameters)}`;
}

function encode(parameters: Readonly<Record<string, string | undefined>>): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) text.append(name, value);
  return text.toString();
}

export function redirect(location: string, cookies: readonly string[] = []): Answer {
  return { status: 302, headers: { location, "cache-control": "no-store" }, cookies };
}

/** For clients that are scripts on any page, as AWS lets them. */
export function json(status: number, value: object, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: {
      "content-type": "application/json;charset=UTF-8",
      "cache-control": "no-cache, no-store, max-age=0, must-revalidate",
      pragma: "no-cache",
      "access-control-allow-origin": "*",
      ...headers,
    },
    body: JSON.stringify(value),
  };
}
