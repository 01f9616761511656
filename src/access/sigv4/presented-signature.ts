import {
  authorizationQueryParameters,
  incompleteSignature,
  invalidSignature,
  missingAuthentication,
  type Dialect,
} from "../errors.ts";
import { AwsError } from "../../aws/error.ts";
import { accessLimits } from "../limits.ts";
import { createLru, type Lru } from "../lru.ts";
import type { HeaderValues, QueryPair } from "./canonical-request.ts";
import type { CredentialScope } from "./signing-key.ts";

/** A signature as the client presents it, parsed and nothing more. */
export interface PresentedSignature {
  readonly form: "header" | "query";
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** Lower case, sorted; each once. */
  readonly signedHeaders: ReadonlySet<string>;
  readonly signature: string;
  /** `20150830T123600Z` */
  readonly date: string;
  /** Epoch milliseconds. */
  readonly signedAt: number;
  /** Of the query form. */
  readonly expiresSeconds: number | undefined;
  readonly sessionToken: string | undefined;
}

const algorithm = "AWS4-HMAC-SHA256";

/** What a client says in the same words in each of its requests, parsed and found well formed. */
export interface Remembered {
  readonly credentials: Lru<Credential>;
  readonly signedHeaders: Lru<ReadonlySet<string>>;
}

export function createRemembered(): Remembered {
  return {
    credentials: createLru(accessLimits.signingKeysMax),
    signedHeaders: createLru(accessLimits.signedHeaderListsMax),
  };
}

interface Credential {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
}

/** The signature of a request; undefined when it has none. Throws AWS's errors for one that is not well formed. */
export function parsePresentedSignature(
  headers: HeaderValues,
  query: readonly QueryPair[],
  dialect: Dialect,
  remembered: Remembered,
): PresentedSignature | undefined {
  const authorization = headers.get("authorization");
  const inQuery = query.some(([name]) => marksOfQueryForm.has(name));
  if (authorization !== undefined && inQuery) throw twoMechanisms(dialect);
  if (authorization !== undefined) return parseHeaderForm(headers, authorization, dialect, remembered);
  if (inQuery) return parseQueryForm(query, dialect);
  // Signature Version 2 in the query, as clients of S3 from before 2014 sign: no request of nobody's.
  if (dialect === "s3" && query.some(([name]) => name === "AWSAccessKeyId" || name === "Signature")) {
    throw unsupportedMechanism();
  }
  return undefined;
}

const marksOfQueryForm: ReadonlySet<string> = new Set(["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"]);

function parseHeaderForm(
  headers: HeaderValues,
  values: readonly string[],
  dialect: Dialect,
  remembered: Remembered,
): PresentedSignature {
  const authorization = values[0] ?? "";
  if (values.length > 1 || authorization.length > accessLimits.authorizationCharactersMax) {
    throw incompleteSignature(dialect, "The authorization header is malformed.");
  }
  const [scheme = ""] = authorization.split(" ", 1);
  if (scheme !== algorithm) throw unsupportedScheme(dialect, scheme);
  let credential: string | undefined;
  let signature: string | undefined;
  let signedHeaders: string | undefined;
  for (const part of authorization.slice(scheme.length).split(",")) {
    const text = part.trim();
    if (text.startsWith("Credential=")) credential = text.slice(11);
    else if (text.startsWith("Signature=")) signature = text.slice(10);
    else if (text.startsWith("SignedHeaders=")) signedHeaders = text.slice(14);
  }
  const { text: date, signed: dateHeader } = headerDate(headers);
  if (!credential || !signature || !signedHeaders || date === undefined) {
    throw incompleteHeader(dialect, { credential, signature, signedHeaders, date });
  }
  const parsedDate = parseDate(date);
  if (parsedDate === undefined) {
    throw invalidDate(dialect, date);
  }
  let names = remembered.signedHeaders.get(signedHeaders);
  if (!names) {
    names = parseSignedHeaders(signedHeaders, dialect);
    remembered.signedHeaders.set(signedHeaders, names);
  }
  if (dateHeader === "date" && !names.has("date")) {
    throw invalidSignature(dialect, "'Date' must be a 'SignedHeader' in the AWS Authorization.");
  }
  let known = remembered.credentials.get(credential);
  if (!known) {
    known = parseCredential(credential, dialect, "header");
    remembered.credentials.set(credential, known);
  }
  const { accessKeyId, scope } = known;
  checkScopeDate(scope, parsedDate, dialect);
  return {
    form: "header",
    accessKeyId,
    scope,
    signedHeaders: names,
    signature,
    date: parsedDate.basic,
    signedAt: parsedDate.at,
    expiresSeconds: undefined,
    sessionToken: headers.get("x-amz-security-token")?.[0],
  };
}

function parseQueryForm(query: readonly QueryPair[], dialect: Dialect): PresentedSignature {
  const parameters = new Map<string, string>();
  for (const [name, value] of query) {
    if (!name.startsWith("X-Amz-")) continue;
    if (parameters.has(name)) throw incompleteQuery(dialect, [`'${name}' only once`]);
    parameters.set(name, value);
  }
  const names = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];
  if (dialect === "s3") names.push("X-Amz-Expires");
  const missing = names.filter((name) => !parameters.get(name));
  if (missing.length > 0) throw incompleteQuery(dialect, missing);
  const given = (name: string): string => parameters.get(name) ?? "";
  if (given("X-Amz-Algorithm") !== algorithm) throw unsupportedQueryAlgorithm(dialect, given("X-Amz-Algorithm"));
  const parsedDate = parseBasicDate(given("X-Amz-Date"));
  if (parsedDate === undefined) {
    throw invalidDate(dialect, given("X-Amz-Date"), "query");
  }
  const { accessKeyId, scope } = parseCredential(given("X-Amz-Credential"), dialect, "query");
  checkScopeDate(scope, parsedDate, dialect);
  return {
    form: "query",
    accessKeyId,
    scope,
    signedHeaders: parseSignedHeaders(given("X-Amz-SignedHeaders"), dialect),
    signature: given("X-Amz-Signature"),
    date: parsedDate.basic,
    signedAt: parsedDate.at,
    expiresSeconds: parseExpires(parameters.get("X-Amz-Expires"), dialect),
    sessionToken: parameters.get("X-Amz-Security-Token"),
  };
}

function parseExpires(text: string | undefined, dialect: Dialect): number | undefined {
  if (text === undefined) return undefined;
  const refuse = dialect === "s3" ? authorizationQueryParameters : (why: string) => invalidSignature(dialect, why);
  if (/^-\d+$/.test(text)) throw refuse("X-Amz-Expires must be non-negative");
  if (!/^\d{1,12}$/.test(text)) throw refuse("X-Amz-Expires should be a number");
  const seconds = Number(text);
  if (seconds > accessLimits.presignedSecondsMax) {
    throw refuse(
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    );
  }
  return seconds;
}

export function parseCredential(text: string, dialect: Dialect, form: "header" | "query"): Credential {
  const parts = text.split("/");
  const [accessKeyId, date, region, service, terminator] = parts;
  if (parts.length !== 5 || !accessKeyId || !date || !region || !service || !/^\w{1,128}$/.test(accessKeyId)) {
    throw malformedCredential(dialect, form, text);
  }
  if (terminator !== "aws4_request") {
    throw invalidSignature(
      dialect,
      `Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'.`,
    );
  }
  if (!/^\d{8}$/.test(date) || !/^[\w-]{1,64}$/.test(service)) throw malformedCredential(dialect, form, text);
  // A region in other letters would be another region to whoever compares it, as policies with `aws:RequestedRegion` do.
  if (!/^[a-z0-9-]{1,64}$/.test(region)) {
    throw invalidSignature(dialect, "Credential should be scoped to a valid region.");
  }
  return { accessKeyId, scope: { date, region, service } };
}

function parseSignedHeaders(text: string, dialect: Dialect): ReadonlySet<string> {
  const names = text.toLowerCase().split(";");
  if (names.length > accessLimits.signedHeadersMax || names.some((name) => !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))) {
    throw incompleteSignature(dialect, "The SignedHeaders list is malformed.");
  }
  return new Set(names.toSorted());
}

interface SigningDate {
  readonly basic: string;
  readonly at: number;
}

function headerDate(headers: HeaderValues): { readonly text: string | undefined; readonly signed: string } {
  const own = headers.get("x-amz-date");
  return own ? { text: own[0], signed: "x-amz-date" } : { text: headers.get("date")?.[0], signed: "date" };
}

function parseDate(text: string): SigningDate | undefined {
  const basic = parseBasicDate(text.trim());
  if (basic) return basic;
  // RFC 9110: the Date header, as `Sun, 30 Aug 2015 12:36:00 GMT`.
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : { basic: toBasicDate(at), at };
}

function parseBasicDate(text: string): SigningDate | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? undefined : { basic: text, at };
}

export function toBasicDate(at: number): string {
  return new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

function checkScopeDate(scope: CredentialScope, date: SigningDate, dialect: Dialect): void {
  const day = date.basic.slice(0, 8);
  if (scope.date === day) return;
  if (dialect === "s3") {
    throw new AwsError(
      "AuthorizationHeaderMalformed",
      400,
      `The authorization header is malformed; Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${day}".`,
    );
  }
  throw invalidSignature(
    dialect,
    `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.date}' != '${day}', from '${date.basic}'.`,
  );
}

function twoMechanisms(dialect: Dialect): AwsError {
  if (dialect !== "s3") {
    return invalidSignature(
      dialect,
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    );
  }
  return new AwsError(
    "InvalidArgument",
    400,
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
  );
}

function unsupportedScheme(dialect: Dialect, scheme: string): AwsError {
  if (dialect !== "s3") {
    if (!scheme.startsWith("AWS")) return missingAuthentication(dialect);
    return incompleteSignature(dialect, `Unsupported AWS 'algorithm': '${scheme.slice(0, 64)}'.`);
  }
  if (!scheme.startsWith("AWS")) return new AwsError("InvalidArgument", 400, "Unsupported Authorization Type");
  return unsupportedMechanism();
}

/** AWS: buckets made after June 2020 take no Signature Version 2. */
function unsupportedMechanism(): AwsError {
  return new AwsError(
    "InvalidRequest",
    400,
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
  );
}

function unsupportedQueryAlgorithm(dialect: Dialect, given: string): AwsError {
  if (dialect === "s3") {
    return authorizationQueryParameters('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"');
  }
  return incompleteSignature(dialect, `Unsupported AWS 'algorithm': '${given.slice(0, 64)}'.`);
}

function incompleteHeader(dialect: Dialect, given: Readonly<Record<string, string | undefined>>): AwsError {
  if (dialect === "s3" && given["date"] === undefined) {
    return new AwsError("AccessDenied", 403, "AWS authentication requires a valid Date or x-amz-date header");
  }
  const reasons = [
    ...(given["credential"] ? [] : ["Authorization header requires 'Credential' parameter."]),
    ...(given["signature"] ? [] : ["Authorization header requires 'Signature' parameter."]),
    ...(given["signedHeaders"] ? [] : ["Authorization header requires 'SignedHeaders' parameter."]),
    ...(given["date"] ? [] : ["Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."]),
  ];
  return incompleteSignature(dialect, `${reasons.join(" ")} Authorization=${algorithm}`);
}

function incompleteQuery(dialect: Dialect, missing: readonly string[]): AwsError {
  if (dialect === "s3") {
    return authorizationQueryParameters(
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }
  const reasons = missing.map((name) => `AWS query-string parameters must include ${quote(name)}.`);
  return incompleteSignature(dialect, `${reasons.join(" ")} Re-examine the query-string parameters.`);
}

function quote(name: string): string {
  return name.startsWith("'") ? name : `'${name}'`;
}

function invalidDate(dialect: Dialect, text: string, form: "header" | "query" = "header"): AwsError {
  if (dialect === "s3") {
    if (form === "query") {
      return authorizationQueryParameters(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
    }
    return new AwsError("AccessDenied", 403, "AWS authentication requires a valid Date or x-amz-date header");
  }
  return incompleteSignature(
    dialect,
    `Date must be in ISO-8601 'basic format'. Got '${text.slice(0, 64)}'. See http://en.wikipedia.org/wiki/ISO_8601`,
  );
}

function malformedCredential(dialect: Dialect, form: "header" | "query", text: string): AwsError {
  if (dialect !== "s3") {
    return incompleteSignature(
      dialect,
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${text.slice(0, 256)}'`,
    );
  }
  const expecting = `expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`;
  if (form === "query") {
    return authorizationQueryParameters(
      `Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; ${expecting}`,
    );
  }
  return new AwsError(
    "AuthorizationHeaderMalformed",
    400,
    `The authorization header is malformed; the Credential is mal-formed; ${expecting}`,
  );
}
