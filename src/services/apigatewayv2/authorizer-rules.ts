import { parseArn } from "../../aws/arn.ts";
import type { Reader } from "../../kernel/store/store.ts";
import type { AuthorizerRecord, JwtAuthorizerRecord, LambdaAuthorizerRecord } from "./authorizer-record.ts";
import { badRequest } from "./errors.ts";
import { findChild, type Place, type RouteRecord } from "./model.ts";
import { parsePayloadFormatVersion } from "./rules.ts";

/** An authorizer as requests and definitions write it. */
export interface AuthorizerInput {
  readonly AuthorizerCredentialsArn?: string | undefined;
  readonly AuthorizerPayloadFormatVersion?: string | undefined;
  readonly AuthorizerResultTtlInSeconds?: number | undefined;
  readonly AuthorizerType?: string | undefined;
  readonly AuthorizerUri?: string | undefined;
  readonly EnableSimpleResponses?: boolean | undefined;
  readonly IdentitySource?: readonly string[] | undefined;
  readonly IdentityValidationExpression?: string | undefined;
  readonly JwtConfiguration?:
    { readonly Audience?: readonly string[] | undefined; readonly Issuer?: string | undefined } | undefined;
  readonly Name?: string | undefined;
}

const ttlSecondsMax = 3600;

/** Throws BadRequestException for what AWS does not take. */
export function parseAuthorizer(authorizerId: string, input: AuthorizerInput): AuthorizerRecord {
  if (!input.Name) throw badRequest("The authorizer name must not be empty");
  if (input.IdentityValidationExpression) {
    throw badRequest("IdentityValidationExpression is not supported for authorizers of HTTP APIs");
  }
  const common = { authorizerId, name: input.Name, identitySource: input.IdentitySource ?? [] };
  if (input.AuthorizerType === "JWT") return parseJwt(common, input);
  if (input.AuthorizerType === "REQUEST") return parseLambda(common, input);
  throw badRequest("Invalid authorizer type specified. Valid options are REQUEST and JWT");
}

type Common = Pick<AuthorizerRecord, "authorizerId" | "name" | "identitySource">;

function parseJwt(common: Common, input: AuthorizerInput): JwtAuthorizerRecord {
  for (const name of [
    "AuthorizerUri",
    "AuthorizerCredentialsArn",
    "AuthorizerPayloadFormatVersion",
    "AuthorizerResultTtlInSeconds",
    "EnableSimpleResponses",
  ] as const) {
    if (input[name] !== undefined) throw badRequest(`${name} is not supported for JWT authorizers`);
  }
  const [source, ...more] = common.identitySource;
  if (source === undefined || more.length > 0 || !/^\$request\.(?:header|querystring)\.[\w$.-]+$/.test(source)) {
    throw badRequest(
      "A JWT authorizer must have one identity source, like $request.header.Authorization or $request.querystring.token",
    );
  }
  const { Issuer: issuer, Audience: audience = [] } = input.JwtConfiguration ?? {};
  if (!issuer) throw badRequest("Issuer is required for JWT authorizers");
  if (!isIssuer(issuer)) throw badRequest(`Invalid issuer: ${issuer}. Issuer must be a URL of https`);
  if (audience.length === 0) throw badRequest("Audience is required for JWT authorizers");
  return { ...common, type: "JWT", issuer, audience };
}

/** Over TLS; on this host, for development, without. */
function isIssuer(issuer: string): boolean {
  return (
    URL.canParse(issuer) &&
    /^(?:https:\/\/|http:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?(?:\/|$))/.test(issuer)
  );
}

/** What authorizers of both protocols say of their function. Throws BadRequestException. */
export function parseFunction(input: AuthorizerInput): Pick<LambdaAuthorizerRecord, "uri" | "credentialsArn"> {
  if (input.JwtConfiguration !== undefined)
    throw badRequest("JwtConfiguration is not supported for REQUEST authorizers");
  const uri = input.AuthorizerUri;
  if (!uri || !/^arn:[\w-]+:apigateway:[\w-]+:lambda:path\/2015-03-31\/functions\/.+\/invocations$/.test(uri)) {
    throw badRequest(
      `Invalid Authorizer URI: ${uri ?? ""}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.`,
    );
  }
  const credentialsArn = input.AuthorizerCredentialsArn;
  if (credentialsArn && parseArn(credentialsArn)?.service !== "iam") {
    throw badRequest(`Invalid ARN specified in the request: ${credentialsArn}`);
  }
  return { uri, ...(credentialsArn ? { credentialsArn } : {}) };
}

function parseLambda(common: Common, input: AuthorizerInput): LambdaAuthorizerRecord {
  const called = parseFunction(input);
  if (input.AuthorizerPayloadFormatVersion === undefined) {
    throw badRequest("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer");
  }
  const payloadFormatVersion = parsePayloadFormatVersion(input.AuthorizerPayloadFormatVersion);
  const simpleResponses = input.EnableSimpleResponses ?? false;
  if (simpleResponses && payloadFormatVersion === "1.0") {
    throw badRequest("EnableSimpleResponses flag is only supported for AuthorizerPayloadFormatVersion 2.0");
  }
  const ttlSeconds = input.AuthorizerResultTtlInSeconds ?? 0;
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 0 || ttlSeconds > ttlSecondsMax) {
    throw badRequest(`AuthorizerResultTtlInSeconds must be between 0 and ${ttlSecondsMax}`);
  }
  if (common.identitySource.length === 0 && ttlSeconds > 0) {
    throw badRequest("Identity source must be set if authorizer caching is enabled (TTL is greater than 0)");
  }
  for (const source of common.identitySource) {
    if (!/^\$(?:request\.(?:header|querystring)\.[\w$.-]+|context\.[\w.]+|stageVariables\.\w+)$/.test(source)) {
      throw badRequest(`Invalid identity source expression: ${source}`);
    }
  }
  return {
    ...common,
    type: "REQUEST",
    ...called,
    payloadFormatVersion,
    simpleResponses,
    ttlSeconds,
  };
}

/** A record as a request would write it: what an update is laid over. */
export function toInput(record: AuthorizerRecord): AuthorizerInput {
  const common = { Name: record.name, AuthorizerType: record.type, IdentitySource: record.identitySource };
  if (record.type === "JWT") {
    return { ...common, JwtConfiguration: { Audience: record.audience, Issuer: record.issuer } };
  }
  if (record.isWebSocket === true) {
    return { ...common, AuthorizerCredentialsArn: record.credentialsArn, AuthorizerUri: record.uri };
  }
  return {
    ...common,
    AuthorizerCredentialsArn: record.credentialsArn,
    AuthorizerPayloadFormatVersion: record.payloadFormatVersion,
    AuthorizerResultTtlInSeconds: record.ttlSeconds,
    AuthorizerUri: record.uri,
    EnableSimpleResponses: record.simpleResponses,
  };
}

/** A route's authorizer must be there, and of the kind that its authorization type names. Throws BadRequestException. */
export async function checkRouteAuthorizer(
  reader: Reader,
  place: Place,
  apiId: string,
  route: RouteRecord,
): Promise<void> {
  const { authorizationType, authorizerId, authorizationScopes = [] } = route;
  if (authorizationScopes.length > 0 && authorizationType !== "JWT") {
    throw badRequest("AuthorizationScopes can only be set for routes with the authorization type JWT");
  }
  if (authorizationType !== "CUSTOM" && authorizationType !== "JWT") return;
  const authorizer = await findChild(reader, place, apiId, "authorizer", authorizerId ?? "");
  if (authorizer?.type === (authorizationType === "JWT" ? "JWT" : "REQUEST")) return;
  throw badRequest(
    `Invalid authorizer ID specified. Setting the authorization type to ${authorizationType} requires a valid ${authorizationType} authorizer.`,
  );
}
