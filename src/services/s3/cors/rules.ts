import type { CORSRule } from "@aws-sdk/client-s3";
import { invalidRequest, malformedXml } from "../errors.ts";
import { s3Limits } from "../limits.ts";
import type { CorsRule } from "../model.ts";

const methods = new Set(["GET", "PUT", "POST", "DELETE", "HEAD"]);

/** The rules of a bucket's CORS configuration, checked. Source: "CORS configuration", S3 User Guide. */
export function parseCorsRules(given: readonly CORSRule[] | undefined): CorsRule[] {
  const rules = given ?? [];
  if (rules.length === 0 || rules.length > s3Limits.corsRulesMax) throw malformedXml();
  return rules.map(parseRule);
}

function parseRule(rule: CORSRule): CorsRule {
  const { ID, AllowedMethods = [], AllowedOrigins = [], AllowedHeaders = [], ExposeHeaders = [], MaxAgeSeconds } = rule;
  if (AllowedMethods.length === 0 || AllowedOrigins.length === 0) throw malformedXml();
  if (ID !== undefined && ID.length > s3Limits.ruleIdCharactersMax) {
    throw invalidRequest("The ID of a CORS rule must not be longer than 255 characters.");
  }
  for (const method of AllowedMethods) {
    if (!methods.has(method)) {
      throw invalidRequest(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
    }
  }
  for (const [name, values] of Object.entries({ AllowedOrigin: AllowedOrigins, AllowedHeader: AllowedHeaders })) {
    for (const value of values) {
      if (value.split("*").length > 2) throw invalidRequest(`${name} "${value}" can not have more than one wildcard.`);
    }
  }
  for (const header of ExposeHeaders) {
    if (header.includes("*")) {
      throw invalidRequest(
        `ExposeHeader "${header}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
      );
    }
  }
  return {
    ...(ID !== undefined && { id: ID }),
    methods: [...AllowedMethods],
    origins: [...AllowedOrigins],
    headers: [...AllowedHeaders],
    exposed: [...ExposeHeaders],
    ...(MaxAgeSeconds !== undefined && { maxAgeSeconds: MaxAgeSeconds }),
  };
}

/** As GetBucketCors answers. */
export function formatCorsRule({ id, methods: allowed, origins, headers, exposed, maxAgeSeconds }: CorsRule): CORSRule {
  return {
    ID: id,
    AllowedMethods: [...allowed],
    AllowedOrigins: [...origins],
    AllowedHeaders: headers.length > 0 ? [...headers] : undefined,
    ExposeHeaders: exposed.length > 0 ? [...exposed] : undefined,
    MaxAgeSeconds: maxAgeSeconds,
  };
}

/** What a page of another origin asks for. */
export interface CrossOriginRequest {
  readonly origin: string;
  readonly method: string;
  /** Of a preflight request: the headers that the page wants to send, lower case. */
  readonly headers?: readonly string[];
}

/** The headers that let the page have the answer, by the first rule that allows what it asks for; undefined when none does. */
export function allowCrossOrigin(
  rules: readonly CorsRule[],
  { origin, method, headers = [] }: CrossOriginRequest,
): Record<string, string> | undefined {
  for (const rule of rules) {
    const allowedOrigin = rule.origins.find((pattern) => matches(pattern, origin));
    if (allowedOrigin === undefined || !rule.methods.includes(method)) continue;
    if (!headers.every((header) => rule.headers.some((pattern) => matches(pattern.toLowerCase(), header)))) continue;
    return {
      "access-control-allow-origin": allowedOrigin === "*" ? "*" : origin,
      "access-control-allow-methods": rule.methods.join(", "),
      ...(headers.length > 0 && { "access-control-allow-headers": headers.join(", ") }),
      ...(rule.exposed.length > 0 && { "access-control-expose-headers": rule.exposed.join(", ") }),
      ...(rule.maxAgeSeconds !== undefined && { "access-control-max-age": String(rule.maxAgeSeconds) }),
      // AWS: credentials go with an origin that is named.
      ...(allowedOrigin !== "*" && { "access-control-allow-credentials": "true" }),
    };
  }
  return undefined;
}

function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === text;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}
