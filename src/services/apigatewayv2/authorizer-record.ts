import type { PublishedHttpAuthorizer, PublishedLambdaAuthorizer } from "../execute-api/port.ts";

/** An authorizer of an HTTP API, or of a WebSocket API. */
export type AuthorizerRecord = LambdaAuthorizerRecord | JwtAuthorizerRecord;

interface AuthorizerBase {
  readonly authorizerId: string;
  readonly name: string;
  readonly identitySource: readonly string[];
}

export interface LambdaAuthorizerRecord extends AuthorizerBase {
  readonly type: "REQUEST";
  readonly uri: string;
  readonly credentialsArn?: string;
  readonly payloadFormatVersion: "1.0" | "2.0";
  readonly simpleResponses: boolean;
  readonly ttlSeconds: number;
  /** Of a WebSocket API: it has no formats to choose from, and remembers nothing. */
  readonly isWebSocket?: boolean;
}

export interface JwtAuthorizerRecord extends AuthorizerBase {
  readonly type: "JWT";
  readonly issuer: string;
  readonly audience: readonly string[];
}

export function publishedAuthorizer(record: AuthorizerRecord): PublishedHttpAuthorizer {
  const { authorizerId: id, identitySource } = record;
  if (record.type === "JWT") {
    const { issuer, audience } = record;
    return { id, type: "JWT", identitySource: identitySource[0] ?? "", issuer, audience };
  }
  return publishedLambdaAuthorizer(record);
}

export function publishedLambdaAuthorizer(record: LambdaAuthorizerRecord): PublishedLambdaAuthorizer {
  return {
    id: record.authorizerId,
    type: "REQUEST",
    uri: record.uri,
    ...(record.credentialsArn === undefined ? {} : { credentials: record.credentialsArn }),
    identitySources: record.identitySource,
    ttlSeconds: record.ttlSeconds,
    payloadFormatVersion: record.payloadFormatVersion,
    simpleResponses: record.simpleResponses,
  };
}

export function describeAuthorizer(record: AuthorizerRecord) {
  const common = {
    AuthorizerId: record.authorizerId,
    AuthorizerType: record.type,
    IdentitySource: [...record.identitySource],
    Name: record.name,
  };
  if (record.type === "JWT") {
    return { ...common, JwtConfiguration: { Audience: [...record.audience], Issuer: record.issuer } };
  }
  return {
    ...common,
    ...(record.credentialsArn === undefined ? {} : { AuthorizerCredentialsArn: record.credentialsArn }),
    AuthorizerUri: record.uri,
    ...(record.isWebSocket === true
      ? {}
      : {
          AuthorizerPayloadFormatVersion: record.payloadFormatVersion,
          AuthorizerResultTtlInSeconds: record.ttlSeconds,
          EnableSimpleResponses: record.simpleResponses,
        }),
  };
}
