import { isHeaderName } from "../../../proxy/response-headers.ts";
import type { PublishedCors } from "../port.ts";

/** CORS of an HTTP API, ready to answer. */
export interface Cors {
  /** The headers of a preflight's answer, names and values in turn. */
  preflight(origin: string): string[];
  /** The headers added to every other answer. */
  headers(origin: string): string[];
}

/**
 * Make a CORS configuration ready.
 *
 * AWS: an origin that is not allowed gets the answer without CORS headers; the CORS headers of functions are ignored
 * once CORS is configured.
 */
export function compileCors(cors: PublishedCors): Cors {
  const allowAll = cors.allowOrigins?.includes("*") === true;
  const origins = new Set(cors.allowOrigins?.map((origin) => origin.toLowerCase()));
  const wildcards = (cors.allowOrigins ?? []).filter((origin) => /^https?:\/\/\*$/.test(origin));
  const allowedOrigin = (origin: string) => {
    if (origin === "") return undefined;
    const lower = origin.toLowerCase();
    if (origins.has(lower) || wildcards.some((entry) => lower.startsWith(entry.slice(0, -1)))) return origin;
    return allowAll ? "*" : undefined;
  };
  const credentials = cors.allowCredentials === true ? ["access-control-allow-credentials", "true"] : [];
  const preflight = [
    ...list("access-control-allow-headers", cors.allowHeaders),
    ...list("access-control-allow-methods", cors.allowMethods),
    ...list("access-control-expose-headers", cors.exposeHeaders),
    ...(cors.maxAgeSeconds === undefined ? [] : ["access-control-max-age", String(cors.maxAgeSeconds)]),
    ...credentials,
  ];
  const actual = [...list("access-control-expose-headers", cors.exposeHeaders), ...credentials];
  const answer = (origin: string, rest: readonly string[]) => {
    const allowed = allowedOrigin(origin);
    if (allowed === undefined) return [];
    const vary = allowed === "*" ? [] : ["vary", "Origin"];
    return ["access-control-allow-origin", allowed, ...vary, ...rest];
  };
  return {
    preflight: (origin) => answer(origin, preflight),
    headers: (origin) => answer(origin, actual),
  };
}

/** AWS: once CORS is configured, what functions and endpoints say of it is ignored. */
export function withoutCors(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (!isCorsHeader(name)) kept.push(name, headers[index + 1] ?? "");
  }
  return kept;
}

function isCorsHeader(name: string): boolean {
  return name.toLowerCase().startsWith("access-control-");
}

/** What cannot be sent is left out: APIs from before it was refused may have it. */
function list(name: string, values: readonly string[] | undefined): string[] {
  const sendable = values?.filter(isHeaderName) ?? [];
  return sendable.length === 0 ? [] : [name, sendable.join(",")];
}
