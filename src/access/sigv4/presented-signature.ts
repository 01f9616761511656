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
import {
  createSignedHeaders,
  firstValue,
  type HeaderValues,
  type QueryPair,
  type SignedHeaders,
} from "./canonical-request.ts";
import { isHexHash, type CredentialScope } from "./signing-key.ts";

/** A signature as the client presents it, parsed and nothing more. */
export interface PresentedSignature {
  readonly form: "header" | "query";
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly signedHeaders: SignedHeaders;
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
  /** By what an authorization header has before the signature at its end. */
  readonly authorizations: Lru<Authorization>;
  /** By the text: of a second, clients have signed as many requests as they could. */
  readonly dates: Lru<SigningDate>;
}

export function createRemembered(): Remembered {
  return {
    authorizations: createLru(accessLimits.authorizationsMax),
    dates: createLru(accessLimits.signingDatesMax),
  };
}

interface Credential {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
}

/** What an authorization header says, each part as it is written. */
interface Authorization {
  readonly credential: string | undefined;
  readonly signedHeaders: string | undefined;
  readonly signature: string | undefined;
  /** The first two of them, parsed, where they are remembered. */
  readonly known?: { readonly credential: Credential; readonly signedHeaders: SignedHeaders };
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
  text: string | readonly string[],
  dialect: Dialect,
  remembered: Remembered,
): PresentedSignature {
  if (typeof text !== "string" || text.length > accessLimits.authorizationCharactersMax) {
    throw incompleteSignature(dialect, "The authorization header is malformed.");
  }
  const authorization = findRemembered(text, remembered) ?? splitAuthorization(text, dialect);
  const { credential, signature, signedHeaders, known } = authorization;
  const { text: date, signed: dateHeader } = headerDate(headers);
  if (!credential || !signature || !signedHeaders || date === undefined) {
    throw incompleteHeader(dialect, { credential, signature, signedHeaders, date });
  }
  const parsedDate = toSigningDate(date, remembered);
  if (parsedDate === undefined) {
    throw invalidDate(dialect, date);
  }
  const names = known?.signedHeaders ?? parseSignedHeaders(signedHeaders, dialect);
  if (dateHeader === "date" && !names.has("date")) {
    throw invalidSignature(dialect, "'Date' must be a 'SignedHeader' in the AWS Authorization.");
  }
  const parsedCredential = known?.credential ?? parseCredential(credential, dialect, "header");
  if (!known) remember(text, { credential: parsedCredential, signedHeaders: names }, authorization, remembered);
  const { accessKeyId, scope } = parsedCredential;
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
    sessionToken: firstValue(headers, "x-amz-security-token"),
  };
}

function splitAuthorization(text: string, dialect: Dialect): Authorization {
  const [scheme = ""] = text.split(" ", 1);
  if (scheme !== algorithm) throw unsupportedScheme(dialect, scheme);
  let credential: string | undefined;
  let signature: string | undefined;
  let signedHeaders: string | undefined;
  for (const part of text.slice(scheme.length).split(",")) {
    const trimmed = part.trim();
    if (trimmed.startsWith("Credential=")) credential = trimmed.slice(11);
    else if (trimmed.startsWith("Signature=")) signature = trimmed.slice(10);
    else if (trimmed.startsWith("SignedHeaders=")) signedHeaders = trimmed.slice(14);
  }
  return { credential, signature, signedHeaders };
}

const signatureLength = 64;

function findRemembered(text: string, { authorizations }: Remembered): Authorization | undefined {
  const signature = text.slice(-signatureLength);
  if (!isHexHash(signature)) return undefined;
  const known = authorizations.get(text.slice(0, -signatureLength));
  return known && { ...known, signature };
}

/** Only where the signature is all that is left at the end does another header that begins the same say the same. */
function remember(
  text: string,
  known: NonNullable<Authorization["known"]>,
  { credential, signedHeaders, signature }: Authorization,
  { authorizations }: Remembered,
): void {
  const before = text.slice(0, -signatureLength);
  if (before.length > accessLimits.authorizationCharactersKept || !/,[ \t]*Signature=$/.test(before)) return;
  if (signature !== undefined && isHexHash(signature)) {
    authorizations.set(before, { credential, signedHeaders, signature: undefined, known });
  }
}

function toSigningDate(text: string, { dates }: Remembered): SigningDate | undefined {
  const known = dates.get(text);
  if (known) return known;
  const date = parseDate(text);
  if (date) dates.set(text, date);
  return date;
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

function parseSignedHeaders(text: string, dialect: Dialect): SignedHeaders {
  const names = text.toLowerCase().split(";");
  if (names.length > accessLimits.signedHeadersMax || names.some((name) => !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))) {
    throw incompleteSignature(dialect, "The SignedHeaders list is malformed.");
  }
  return createSignedHeaders(names);
}

interface SigningDate {
  readonly basic: string;
  /** `20150830` */
  readonly day: string;
  readonly at: number;
}

function headerDate(headers: HeaderValues): { readonly text: string | undefined; readonly signed: string } {
  const own = firstValue(headers, "x-amz-date");
  return own === undefined
    ? { text: firstValue(headers, "date"), signed: "date" }
    : { text: own, signed: "x-amz-date" };
}

function parseDate(text: string): SigningDate | undefined {
  const basic = parseBasicDate(text.trim());
  if (basic) return basic;
  // RFC 9110: the Date header, as `Sun, 30 Aug 2015 12:36:00 GMT`.
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : toParsed(toBasicDate(at), at);
}

function toParsed(basic: string, at: number): SigningDate {
  return { basic, day: basic.slice(0, 8), at };
}

function parseBasicDate(text: string): SigningDate | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? undefined : toParsed(text, at);
}

export function toBasicDate(at: number): string {
  return new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

function checkScopeDate(scope: CredentialScope, date: SigningDate, dialect: Dialect): void {
  const { day } = date;
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
