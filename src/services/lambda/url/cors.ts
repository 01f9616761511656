import type { UrlCors } from "./records.ts";

/** CORS of a function URL, ready to answer. Headers are names and values in turn. */
export interface CompiledUrlCors {
  /** Of the answer to a preflight; none for an origin that is not allowed. */
  preflight(origin: string, method: string, headers: string): string[];
  /** Beside those of every other answer: what the function says itself stays. */
  headers(origin: string): string[];
}

/**
 * Make a configuration ready.
 *
 * A browser that sends credentials takes no `*` for an answer (Fetch, "CORS protocol and credentials"), so with
 * `AllowCredentials` wildcards are answered with what was asked for.
 */
export function compileUrlCors(cors: UrlCors): CompiledUrlCors {
  const credentials = cors.allowCredentials === true;
  const origins = new Set(cors.allowOrigins?.map((origin) => origin.toLowerCase()));
  const any = origins.has("*");
  const originHeaders = (origin: string): string[] | undefined => {
    if (origin === "" || !(any || origins.has(origin.toLowerCase()))) return undefined;
    if (any && !credentials) return ["Access-Control-Allow-Origin", "*"];
    return ["Access-Control-Allow-Origin", origin, "Vary", "Origin"];
  };
  const allowCredentials = credentials ? ["Access-Control-Allow-Credentials", "true"] : [];
  const expose = list("Access-Control-Expose-Headers", cors.exposeHeaders, undefined);
  const maxAge = cors.maxAgeSeconds === undefined ? [] : ["Access-Control-Max-Age", String(cors.maxAgeSeconds)];
  return {
    preflight(origin, method, headers) {
      const allowed = originHeaders(origin);
      if (allowed === undefined) return [];
      return [
        ...allowed,
        ...list("Access-Control-Allow-Methods", cors.allowMethods, credentials ? method : undefined),
        ...list("Access-Control-Allow-Headers", cors.allowHeaders, credentials ? headers : undefined),
        ...expose,
        ...maxAge,
        ...allowCredentials,
      ];
    },
    headers(origin) {
      const allowed = originHeaders(origin);
      return allowed === undefined ? [] : [...allowed, ...expose, ...allowCredentials];
    },
  };
}

/** @param asked what a wildcard is answered with */
function list(name: string, values: readonly string[] | undefined, asked: string | undefined): string[] {
  if (values === undefined || values.length === 0) return [];
  if (asked === undefined || !values.includes("*")) return [name, values.join(",")];
  return asked === "" ? [] : [name, asked];
}
