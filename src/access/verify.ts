import type { AccessKey, AccessKeySource } from "./credential-source.ts";
import { createDevCredentials, type DevOptions } from "./dev.ts";
import {
  accessDenied,
  expiredToken,
  invalidSignature,
  invalidToken,
  requestHasExpired,
  requestTimeTooSkewed,
  signatureDoesNotMatch,
  toDialect,
  unrecognizedClient,
  type Dialect,
} from "./errors.ts";
import { AwsError } from "../aws/error.ts";
import { accessLimits } from "./limits.ts";
import type { Sessions } from "./sessions.ts";
import {
  firstValue,
  isNormalized,
  parseQuery,
  sha256Hex,
  toCanonicalPath,
  toCanonicalQuery,
  toCanonicalRequest,
  toHeaderValues,
  toStringToSign,
  type HeaderValues,
  type PathStyle,
  type QueryPair,
} from "./sigv4/canonical-request.ts";
import { decodeChunkedBody, type ChunkedBodyRules } from "./sigv4/chunked-body.ts";
import {
  createRemembered,
  parsePresentedSignature,
  toBasicDate,
  type PresentedSignature,
} from "./sigv4/presented-signature.ts";
import { createSigningKeys, isHexHash, isSignature, toScopeText, type SigningKey } from "./sigv4/signing-key.ts";
import type { PayloadRule, ReadRequest, SignedRequest, Verified, Verifier } from "./verifier.ts";

export interface VerifierNeeds {
  readonly now: () => number;
  readonly accessKeys: AccessKeySource;
  readonly sessions: Sessions;
  /** `--dev`: take any credentials from loopback. Absent: every signature is checked. */
  readonly dev?: DevOptions;
}

/** Verifies signatures of AWS's Signature Version 4, of requests to any service. */
export function createVerifier(needs: VerifierNeeds): Verifier {
  const signingKeys = createSigningKeys();
  const remembered = createRemembered();
  const dev = needs.dev && createDevCredentials(needs.dev);

  const admit = (asked: Asked, credential: AccessKey): Promise<Verified> | Verified => {
    const { request, headers, presented, dialect } = asked;
    checkTime(presented, needs.now(), dialect);
    checkSignedHeaders(presented, headers, dialect);
    const key = signingKeys(credential.secretAccessKey, presented.scope);
    const check = (payloadHash: string): Verified => {
      const payload = checkSignature(asked, key, payloadHash);
      needs.accessKeys.noteUse?.(presented.accessKeyId, asked.scopeName, presented.scope.region);
      return { principal: credential.principal, region: presented.scope.region, payload };
    };
    const payloadHash = statedPayloadHash(asked) ?? request.bodySha256?.() ?? sha256Hex("");
    return typeof payloadHash === "string" ? check(payloadHash) : payloadHash.then(check);
  };

  const refuse = async ({ request, headers, presented, dialect }: Asked): Promise<Verified> => {
    const principal =
      dev && !(await needs.accessKeys.isKnown?.(presented.accessKeyId))
        ? dev.accept(request, headers, presented.accessKeyId)
        : undefined;
    // The body of a dev request is taken as it is: no key of ours could have signed its chunks.
    if (principal) return { principal, region: presented.scope.region, payload: unsignedPayload(headers) };
    throw presented.sessionToken === undefined
      ? unrecognizedClient(dialect, presented.accessKeyId)
      : invalidToken(dialect, presented.accessKeyId);
  };

  return {
    verify: (request, service) => {
      const scopeName = toSigningName(service);
      const headers = "get" in request.headers ? request.headers : toHeaderValues(request.headers);
      const queryStart = request.target.indexOf("?");
      const query = queryStart < 0 ? noPairs : parseQuery(request.target.slice(queryStart + 1));
      const dialect = dialectOfRequest(scopeName, headers);
      const presented = parsePresentedSignature(headers, query, dialect, remembered);
      if (!presented) {
        return { principal: { type: "anonymous" }, region: undefined, payload: unsignedPayload(headers) };
      }
      if (presented.scope.service !== scopeName) {
        throw invalidSignature(dialect, `Credential should be scoped to correct service: '${scopeName}'.`);
      }
      const asked: Asked = { request, headers, query, presented, dialect, scopeName };
      const credential = findCredential(needs, presented, dialect);
      if (credential instanceof Promise) {
        return credential.then((found) => (found ? admit(asked, found) : refuse(asked)));
      }
      return credential ? admit(asked, credential) : refuse(asked);
    },
  };
}

/** A request with a signature, and what was read of it. */
interface Asked {
  readonly request: SignedRequest | ReadRequest;
  readonly headers: HeaderValues;
  readonly query: readonly QueryPair[];
  readonly presented: PresentedSignature;
  readonly dialect: Dialect;
  /** The service, as a credential scope names it. */
  readonly scopeName: string;
}

const noPairs: readonly QueryPair[] = [];

/** Services whose name in a credential scope is another than the one they are known by. */
function toSigningName(service: string): string {
  if (service === "apigatewayv2") return "apigateway";
  if (service === "dynamodbstreams") return "dynamodb";
  if (service === "apigatewaymanagementapi") return "execute-api";
  return service === "cloudwatch" ? "monitoring" : service;
}

function dialectOfRequest(service: string, headers: HeaderValues): Dialect {
  const dialect = toDialect(service);
  if (dialect === "s3") return dialect;
  const form = firstValue(headers, "content-type")?.startsWith("application/x-www-form-urlencoded") ?? false;
  return form && service !== "execute-api" ? "query" : dialect;
}

function findCredential(
  needs: VerifierNeeds,
  presented: PresentedSignature,
  dialect: Dialect,
): Promise<AccessKey | undefined> | AccessKey | undefined {
  const { accessKeyId, sessionToken } = presented;
  if (sessionToken === undefined) return needs.accessKeys.findAccessKey(accessKeyId);
  const session = needs.sessions.open(accessKeyId, sessionToken);
  if (!session) return undefined;
  if (session.expiresAt <= needs.now()) throw expiredToken(dialect);
  return session;
}

function checkTime(presented: PresentedSignature, now: number, dialect: Dialect): void {
  const skewMs = dialect === "s3" ? accessLimits.s3SkewMs : accessLimits.skewMs;
  const { signedAt, expiresSeconds } = presented;
  if (presented.form === "query" && expiresSeconds !== undefined) {
    const expiresAt = signedAt + expiresSeconds * 1000;
    if (now > expiresAt) {
      if (dialect === "s3") throw requestHasExpired(expiresSeconds, expiresAt, now);
      throw invalidSignature(
        dialect,
        `Signature expired: ${presented.date} is now earlier than ${toBasicDate(now - expiresSeconds * 1000)} (${toBasicDate(now)} - ${expiresSeconds / 60} min.)`,
      );
    }
    if (signedAt > now + skewMs) {
      if (dialect === "s3") throw accessDenied("s3", "Request is not yet valid");
      throw notYetCurrent(presented, now, dialect);
    }
    return;
  }
  if (dialect === "s3") {
    if (Math.abs(now - signedAt) > skewMs) throw requestTimeTooSkewed(presented.date, now, skewMs);
  } else if (signedAt < now - skewMs) {
    throw invalidSignature(
      dialect,
      `Signature expired: ${presented.date} is now earlier than ${toBasicDate(now - skewMs)} (${toBasicDate(now)} - 5 min.)`,
    );
  } else if (signedAt > now + skewMs) throw notYetCurrent(presented, now, dialect);
}

function notYetCurrent(presented: PresentedSignature, now: number, dialect: Dialect): AwsError {
  return invalidSignature(
    dialect,
    `Signature not yet current: ${presented.date} is still later than ${toBasicDate(now + accessLimits.skewMs)} (${toBasicDate(now)} + 5 min.)`,
  );
}

/** The host and every `x-amz-` header must be signed: they say what the request means. */
function checkSignedHeaders(presented: PresentedSignature, headers: HeaderValues, dialect: Dialect): void {
  const signed = presented.signedHeaders;
  if (!signed.has("host") && !signed.has(":authority")) {
    throw dialect === "s3"
      ? headersNotSigned(["host"])
      : invalidSignature(dialect, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  let offending: string[] | undefined;
  for (const name of headers.keys()) {
    if (!name.startsWith("x-amz-") || signed.has(name)) continue;
    // A session token may be added after signing: the secret key that it stands for binds it to the signature. S3 wants it signed.
    if (dialect === "s3" || name !== "x-amz-security-token") (offending ??= []).push(name);
  }
  if (!offending) return;
  throw dialect === "s3"
    ? headersNotSigned(offending)
    : invalidSignature(dialect, `'${offending[0]}' must be a 'SignedHeader' in the AWS Authorization.`);
}

function headersNotSigned(names: readonly string[]): AwsError {
  return new AwsError("AccessDenied", 403, "There were headers present in the request which were not signed", {
    members: { HeadersNotSigned: names.join(", ") },
  });
}

function checkSignature(asked: Asked, key: SigningKey, payloadHash: string): PayloadRule {
  const { request, headers, query, presented, dialect } = asked;
  const queryStart = request.target.indexOf("?");
  const path = queryStart < 0 ? request.target : request.target.slice(0, queryStart);
  const scope = toScopeText(presented.scope);
  let facts: { readonly stringToSign: string; readonly canonicalRequest: string } | undefined;
  for (const signedQuery of candidateQueries(query, presented)) {
    for (const style of pathStyles(path, dialect)) {
      const canonicalRequest = toCanonicalRequest({
        method: request.method,
        canonicalPath: toCanonicalPath(path, style),
        canonicalQuery: toCanonicalQuery(signedQuery),
        headers,
        signedHeaders: presented.signedHeaders,
        payloadHash,
      });
      const stringToSign = toStringToSign(presented.date, scope, canonicalRequest);
      if (isSignature(key, stringToSign, presented.signature)) {
        // Of all that it may be, only a hash is as long.
        if (payloadHash.length === 64) return { kind: "sha256", hex: payloadHash };
        if (payloadHash === unsignedText) return unsigned;
        const signing = { key, date: presented.date, scope, seedSignature: presented.signature };
        return chunkedPayload(headers, payloadHash.startsWith("STREAMING-AWS4") ? signing : undefined);
      }
      facts ??= { stringToSign, canonicalRequest };
    }
  }
  throw signatureDoesNotMatch(
    dialect,
    facts && { ...facts, accessKeyId: presented.accessKeyId, signature: presented.signature },
  );
}

/** The signature itself is never signed; a session token may have been added after signing, except for S3. */
function candidateQueries(
  query: readonly QueryPair[],
  presented: PresentedSignature,
): readonly (readonly QueryPair[])[] {
  if (presented.form === "header") return query.length === 0 ? noQuery : [query];
  const signed = query.filter(([name]) => name !== "X-Amz-Signature");
  if (presented.sessionToken === undefined || presented.scope.service === "s3") return [signed];
  return [signed, signed.filter(([name]) => name !== "X-Amz-Security-Token")];
}

const noQuery: readonly (readonly QueryPair[])[] = [noPairs];

/** Every service but S3 normalizes the path; some clients sign it as they send it. Both can be right only where they differ. */
function pathStyles(path: string, dialect: Dialect): readonly PathStyle[] {
  if (dialect === "s3") return s3Style;
  return isNormalized(path) ? asSentStyle : bothStyles;
}

const s3Style: readonly PathStyle[] = ["s3"];
const asSentStyle: readonly PathStyle[] = ["asSent"];
const bothStyles: readonly PathStyle[] = ["normalized", "asSent"];

const unsignedText = "UNSIGNED-PAYLOAD";
const streaming = new Set([
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
]);

/** The hash that the client states for its body; undefined where that is for us to find out. */
function statedPayloadHash({ headers, query, presented, dialect }: Asked): string | undefined {
  const stated =
    firstValue(headers, "x-amz-content-sha256") ??
    query.find(([name]) => name.toLowerCase() === "x-amz-content-sha256")?.[1];
  if (dialect === "s3") {
    if (stated === undefined && presented.form === "query") return unsignedText;
    if (stated === undefined) {
      throw new AwsError("InvalidRequest", 400, "Missing required header for this request: x-amz-content-sha256");
    }
    if (stated === unsignedText || isHexHash(stated) || (streaming.has(stated) && presented.form === "header")) {
      return stated;
    }
    throw new AwsError(
      "InvalidArgument",
      400,
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or a valid sha256 value.",
    );
  }
  // Other services never take the client's word that a body need not be signed.
  return stated !== undefined && isHexHash(stated) ? stated : undefined;
}

const unsigned: PayloadRule = { kind: "unsigned" };

/** The rule for a body nobody's key has signed: chunks are still unwrapped. */
function unsignedPayload(headers: HeaderValues): PayloadRule {
  const stated = firstValue(headers, "x-amz-content-sha256") ?? "";
  return streaming.has(stated) ? chunkedPayload(headers, "unverified") : unsigned;
}

function chunkedPayload(headers: HeaderValues, signing: ChunkedBodyRules["signing"]): PayloadRule {
  const length = firstValue(headers, "x-amz-decoded-content-length") ?? "";
  if (!/^\d{1,15}$/.test(length)) {
    throw new AwsError("MissingContentLength", 411, "You must provide the Content-Length HTTP header.");
  }
  const trailerNames = [headers.get("x-amz-trailer") ?? []]
    .flat()
    .flatMap((value) => value.split(","))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const trailers: Record<string, string> = {};
  const rules = { signing, trailerNames, decodedBytes: Number(length) };
  return { kind: "chunked", decode: (body) => decodeChunkedBody(body, rules, trailers), trailers: () => trailers };
}
