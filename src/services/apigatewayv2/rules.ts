import { notImplemented } from "../../aws/error.ts";
import { isHeaderName } from "../../proxy/response-headers.ts";
import type { PublishedCors } from "../execute-api/port.ts";
import { badRequest } from "./errors.ts";
import { apiGatewayV2Limits as limits } from "./limits.ts";
import type { RouteRecord } from "./model.ts";

const methods = new Set(["ANY", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Refuse, by name, the members of a request that nothing here acts on. Empty and false ones ask for nothing. */
export function refuseMembers(operation: string, input: object, names: readonly string[]): void {
  for (const [name, value] of Object.entries(input)) {
    if (names.includes(name) && asksForSomething(value)) throw notImplemented(`${operation} with ${name}`);
  }
}

function asksForSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

/** Check a route key of an HTTP API and give its one spelling: `get /pets` is `GET /pets`. */
export function parseRouteKey(routeKey: string): string {
  if (routeKey === "$default") return routeKey;
  const match = /^([A-Za-z]+) (\/\S*)$/.exec(routeKey);
  const method = match?.[1]?.toUpperCase() ?? "";
  const path = match?.[2] ?? "";
  if (!methods.has(method)) {
    throw badRequest(
      'The provided route key is not formatted properly for HTTP protocol. Format should be "<HTTP METHOD> /<RESOURCE PATH>" or "$default"',
    );
  }
  checkPath(path);
  return `${method} ${path}`;
}

function checkPath(path: string): void {
  const segments = path.split("/").slice(1);
  const names = new Set<string>();
  for (const [index, segment] of segments.entries()) {
    if (!/[{}]/.test(segment)) continue;
    const match = /^\{([\w.:-]+)(\+?)\}$/.exec(segment);
    const name = match?.[1];
    if (name === undefined) throw badRequest(`The path variable ${segment} of the route key is not valid`);
    if (match?.[2] === "+" && index !== segments.length - 1) {
      throw badRequest("A greedy path variable must be at the end of the resource path");
    }
    if (names.has(name)) throw badRequest(`The path variable ${name} occurs more than once in the route key`);
    names.add(name);
  }
}

/** The integration a route's target names: `integrations/abc123`. */
export function parseTarget(target: string | undefined): string | undefined {
  if (target === undefined || target === "") return undefined;
  const match = /^integrations\/([a-z0-9]+)$/.exec(target);
  if (match?.[1] === undefined)
    throw badRequest("Invalid target specified. Format should be integrations/{integrationId}");
  return match[1];
}

export function parseAuthorizationType(type: string | undefined): RouteRecord["authorizationType"] {
  if (type === undefined || type === "NONE") return "NONE";
  if (type === "AWS_IAM" || type === "CUSTOM" || type === "JWT") return type;
  throw badRequest("Invalid authorization type specified. Valid options are NONE, AWS_IAM, CUSTOM, and JWT");
}

export function parsePayloadFormatVersion(version: string | undefined): "1.0" | "2.0" {
  if (version === undefined || version === "1.0") return "1.0";
  if (version === "2.0") return version;
  throw badRequest(`PayloadFormatVersion ${version} is not supported. Supported values are 1.0 and 2.0`);
}

export function parseTimeout(timeoutMs: number | undefined): number {
  if (timeoutMs === undefined) return limits.integrationTimeoutMsMax;
  if (timeoutMs < limits.integrationTimeoutMsMin || timeoutMs > limits.integrationTimeoutMsMax) {
    throw badRequest(
      `Timeout should be between ${limits.integrationTimeoutMsMin} ms and ${limits.integrationTimeoutMsMax} ms`,
    );
  }
  return timeoutMs;
}

export function parseStageName(stageName: string): string {
  if (stageName === "$default" || /^[\w-]{1,128}$/.test(stageName)) return stageName;
  throw badRequest("Stage name only allows a-zA-Z0-9_- and $default");
}

/** A CORS configuration as requests and definitions write it. */
export interface CorsInput {
  readonly AllowCredentials?: boolean | undefined;
  readonly AllowHeaders?: string[] | undefined;
  readonly AllowMethods?: string[] | undefined;
  readonly AllowOrigins?: string[] | undefined;
  readonly ExposeHeaders?: string[] | undefined;
  readonly MaxAge?: number | undefined;
}

export function parseCors(cors: CorsInput | undefined): PublishedCors | undefined {
  if (cors === undefined) return undefined;
  const origins = cors.AllowOrigins ?? [];
  for (const origin of origins) {
    if (origin !== "*" && !/^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(origin)) {
      throw badRequest(`Invalid format for origin ${origin}. Allowed format is '*' or <scheme>://<host>[:port]`);
    }
  }
  // What is sent as a header to every browser must be one; the words are ours.
  const named = { allowMethods: cors.AllowMethods, allowHeaders: cors.AllowHeaders, exposeHeaders: cors.ExposeHeaders };
  for (const [member, names] of Object.entries(named)) {
    const wrong = names?.find((name) => !isHeaderName(name));
    if (wrong !== undefined) throw badRequest(`Invalid value ${JSON.stringify(wrong)} in ${member}`);
  }
  if (cors.MaxAge !== undefined && !Number.isInteger(cors.MaxAge)) throw badRequest("maxAge should be an integer");
  if (cors.AllowCredentials === true && origins.includes("*")) {
    throw badRequest("allowCredentials is not supported for origin *");
  }
  if (cors.MaxAge !== undefined && (cors.MaxAge < -1 || cors.MaxAge > 86_400)) {
    throw badRequest("maxAge should be between -1 and 86400");
  }
  return {
    ...(cors.AllowCredentials === undefined ? {} : { allowCredentials: cors.AllowCredentials }),
    ...(cors.AllowHeaders === undefined ? {} : { allowHeaders: cors.AllowHeaders.map((name) => name.toLowerCase()) }),
    ...(cors.AllowMethods === undefined ? {} : { allowMethods: cors.AllowMethods }),
    ...(cors.AllowOrigins === undefined ? {} : { allowOrigins: cors.AllowOrigins }),
    ...(cors.ExposeHeaders === undefined
      ? {}
      : { exposeHeaders: cors.ExposeHeaders.map((name) => name.toLowerCase()) }),
    ...(cors.MaxAge === undefined ? {} : { maxAgeSeconds: cors.MaxAge }),
  };
}

/** The one route selection expression that HTTP APIs know; it may be written with braces. */
export const routeSelectionExpression = "$request.method $request.path";

export function checkRouteSelectionExpression(expression: string | undefined): void {
  if (
    expression !== undefined &&
    expression !== routeSelectionExpression &&
    expression !== "${request.method} ${request.path}"
  ) {
    throw badRequest(`RouteSelectionExpression for HTTP protocol type must be ${routeSelectionExpression}`);
  }
}

/** The address of an API on this platform, as the client that asks can reach it. */
export function apiEndpoint(endpoint: string, apiId: string, region: string): string {
  const { protocol, hostname, port } = new URL(endpoint);
  const suffix = /^[\d.]+$|^\[/.test(hostname) ? "localhost" : hostname;
  return `${protocol}//${apiId}.execute-api.${region}.${suffix}${port === "" ? "" : `:${port}`}`;
}

/** One page of a list whose items are told apart by `idOf`. */
export function pageOf<T>(
  items: readonly T[],
  idOf: (item: T) => string,
  maxResults: string | undefined,
  nextToken: string | undefined,
): { Items: T[]; NextToken?: string } {
  const limit = maxResults === undefined ? limits.pageDefault : Number(maxResults);
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.pageMax) {
    throw badRequest(`Invalid maxResults parameter. Should be between 1 and ${limits.pageMax}`);
  }
  let start = 0;
  if (nextToken !== undefined) {
    const after = Buffer.from(nextToken, "base64url").toString("utf8");
    start = items.findIndex((item) => idOf(item) === after) + 1;
    if (start === 0) throw badRequest("Invalid nextToken parameter");
  }
  const page = items.slice(start, start + limit);
  const last = page.at(-1);
  return start + limit >= items.length || last === undefined
    ? { Items: page }
    : { Items: page, NextToken: Buffer.from(idOf(last), "utf8").toString("base64url") };
}

/** A moment as AWS tells it of this service: without fractions of a second. */
export function wholeSecond(epochMs: number): Date {
  return new Date(Math.floor(epochMs / 1000) * 1000);
}
