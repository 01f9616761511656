export type PublishedRestAuthorizer = PublishedLambdaAuthorizer | PublishedPoolAuthorizer;
export type PublishedHttpAuthorizer = PublishedLambdaAuthorizer | PublishedJwtAuthorizer;

/** A function that decides. */
export interface PublishedLambdaAuthorizer {
  readonly id: string;
  /** `TOKEN` is of REST APIs alone. */
  readonly type: "TOKEN" | "REQUEST";
  /** As configured: an invocation URI; stage variables not yet replaced. */
  readonly uri: string;
  /** The role it is called with; absent where the function's policy is to allow the authorizer. */
  readonly credentials?: string;
  /** As configured: `method.request.header.Auth`, or `$request.header.Auth` of HTTP APIs. A TOKEN authorizer has one. */
  readonly identitySources: readonly string[];
  /** What the token of a TOKEN authorizer must match as a whole. */
  readonly identityValidationExpression?: string;
  /** 0: every request asks. */
  readonly ttlSeconds: number;
  /** Of HTTP APIs. */
  readonly payloadFormatVersion?: "1.0" | "2.0";
  readonly simpleResponses?: boolean;
}

/** Tokens of Cognito user pools. */
export interface PublishedPoolAuthorizer {
  readonly id: string;
  readonly type: "COGNITO_USER_POOLS";
  readonly providerArns: readonly string[];
  /** `method.request.header.Authorization` */
  readonly identitySource: string;
  /** What the token's audience must match as a whole. */
  readonly identityValidationExpression?: string;
}

/** Tokens of an OpenID Connect issuer. */
export interface PublishedJwtAuthorizer {
  readonly id: string;
  readonly type: "JWT";
  /** `$request.header.Authorization` or `$request.querystring.token` */
  readonly identitySource: string;
  readonly issuer: string;
  readonly audience: readonly string[];
}
