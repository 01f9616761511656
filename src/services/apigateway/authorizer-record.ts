import type { PublishedRestAuthorizer } from "../execute-api/port.ts";

/** An authorizer of a REST API. */
export interface AuthorizerRecord {
  readonly id: string;
  readonly name: string;
  readonly type: "TOKEN" | "REQUEST" | "COGNITO_USER_POOLS";
  /** Its owner's, for exports: without an effect. */
  readonly authType: string;
  readonly providerArns?: readonly string[];
  readonly authorizerUri?: string;
  readonly authorizerCredentials?: string;
  /** As written: expressions with commas between them. */
  readonly identitySource?: string;
  readonly identityValidationExpression?: string;
  readonly ttlSeconds: number;
}

export function publishedAuthorizer(record: AuthorizerRecord): PublishedRestAuthorizer {
  const { id, type, identitySource = "", identityValidationExpression } = record;
  const expression = identityValidationExpression ? { identityValidationExpression } : {};
  if (type === "COGNITO_USER_POOLS") {
    return { id, type, providerArns: record.providerArns ?? [], identitySource, ...expression };
  }
  return {
    id,
    type,
    uri: record.authorizerUri ?? "",
    ...(record.authorizerCredentials ? { credentials: record.authorizerCredentials } : {}),
    identitySources: splitSources(identitySource),
    ...expression,
    ttlSeconds: record.ttlSeconds,
  };
}

export function splitSources(identitySource: string): string[] {
  return identitySource
    .split(",")
    .map((source) => source.trim())
    .filter((source) => source !== "");
}

export function describeAuthorizer(record: AuthorizerRecord) {
  return {
    id: record.id,
    name: record.name,
    type: record.type,
    ...(record.providerArns === undefined ? {} : { providerARNs: [...record.providerArns] }),
    authType: record.authType,
    ...(record.authorizerUri ? { authorizerUri: record.authorizerUri } : {}),
    ...(record.authorizerCredentials ? { authorizerCredentials: record.authorizerCredentials } : {}),
    ...(record.identitySource ? { identitySource: record.identitySource } : {}),
    ...(record.identityValidationExpression
      ? { identityValidationExpression: record.identityValidationExpression }
      : {}),
    authorizerResultTtlInSeconds: record.ttlSeconds,
  };
}
