import type { Reader } from "../../kernel/store/store.ts";
import { parseArn } from "../../aws/arn.ts";
import { type AuthorizerRecord, splitSources } from "./authorizer-record.ts";
import { badRequest } from "./errors.ts";
import { findChild, type MethodRecord, type Place } from "./model.ts";

const ttlSecondsMax = 3600;
export const ttlSecondsDefault = 300;

const tokenSource = /^method\.request\.header\.[a-zA-Z0-9._-]+$/;
const requestSource =
  /^(?:method\.request\.(?:header|querystring)\.[a-zA-Z0-9._$-]+|stageVariables\.\w+|context\.[\w.]+)$/;

/** Throws BadRequestException for what AWS does not take. */
export function checkAuthorizer(record: AuthorizerRecord): AuthorizerRecord {
  if (!/^[\w .@+=,:/-]{1,128}$/.test(record.name)) throw badRequest("Invalid authorizer name specified");
  if (!Number.isInteger(record.ttlSeconds) || record.ttlSeconds < 0 || record.ttlSeconds > ttlSecondsMax) {
    throw badRequest(`Invalid authorizer result TTL: it must be between 0 and ${ttlSecondsMax} seconds`);
  }
  if (record.type === "COGNITO_USER_POOLS") return checkPools(record);
  checkUri(record.authorizerUri);
  if (record.authorizerCredentials && parseArn(record.authorizerCredentials)?.service !== "iam") {
    throw badRequest(`Invalid ARN specified in the request: ${record.authorizerCredentials}`);
  }
  if (record.type === "TOKEN") checkTokenSource(record.identitySource);
  else checkRequestSources(record);
  checkExpression(record.identityValidationExpression);
  return record;
}

function checkPools(record: AuthorizerRecord): AuthorizerRecord {
  const { providerArns = [] } = record;
  if (providerArns.length === 0) throw badRequest("A Cognito user pool authorizer must have at least one provider ARN");
  for (const text of providerArns) {
    const arn = parseArn(text);
    if (arn?.service !== "cognito-idp" || !/^userpool\/[\w-]+$/.test(arn.resource)) {
      throw badRequest(`Invalid Cognito User Pool ARN: ${text}`);
    }
  }
  checkTokenSource(record.identitySource);
  checkExpression(record.identityValidationExpression);
  return record;
}

function checkUri(uri: string | undefined): void {
  if (uri && /^arn:[\w-]+:apigateway:[\w-]+:lambda:path\/2015-03-31\/functions\/.+\/invocations$/.test(uri)) return;
  throw badRequest(
    `Invalid Authorizer URI: ${uri ?? ""}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.`,
  );
}

function checkTokenSource(source: string | undefined): void {
  if (source !== undefined && tokenSource.test(source)) return;
  throw badRequest(
    `Invalid token source expression: ${source ?? ""}. The source must be a method request header, matching 'method.request.header.[a-zA-Z0-9._-]+'.`,
  );
}

function checkRequestSources(record: AuthorizerRecord): void {
  const sources = splitSources(record.identitySource ?? "");
  if (sources.length === 0 && record.ttlSeconds > 0) {
    throw badRequest("Identity source must be set if authorizer caching is enabled (TTL is greater than 0)");
  }
  const wrong = sources.find((source) => !requestSource.test(source));
  if (wrong !== undefined) throw badRequest(`Invalid identity source expression: ${wrong}`);
}

function checkExpression(expression: string | undefined): void {
  if (expression === undefined) return;
  if (!isExpression(expression)) throw badRequest(`Invalid identity validation expression: ${expression}`);
}

function isExpression(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

/** A method's authorizer must be there, and of the kind that its authorization type names. Throws BadRequestException. */
export async function checkMethodAuthorizer(
  reader: Reader,
  place: Place,
  apiId: string,
  method: MethodRecord,
): Promise<void> {
  const { authorizationType, authorizerId, authorizationScopes = [] } = method;
  const isCustom = authorizationType === "CUSTOM";
  const isPool = authorizationType === "COGNITO_USER_POOLS";
  if (authorizationScopes.length > 0 && !isPool) {
    throw badRequest("Authorization scopes can only be set for methods with the authorization type COGNITO_USER_POOLS");
  }
  if (!isCustom && !isPool) return;
  const authorizer = await findChild(reader, place, apiId, "authorizer", authorizerId);
  if (authorizer !== undefined && (authorizer.type === "COGNITO_USER_POOLS") === isPool) return;
  throw badRequest(
    "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
  );
}
