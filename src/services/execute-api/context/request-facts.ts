/**
 * What is found out about a request on its way, for `$context`: each is set by the step or integration that knows it, and
 * is undefined before. REST and HTTP APIs share them.
 */
export interface RequestFacts {
  authorizer: AuthorizerFacts | undefined;
  apiKey: ApiKeyFacts | undefined;
  access: AccessFacts | undefined;
  failure: FailureFacts | undefined;
  integration: IntegrationFacts | undefined;
  answered: AnswerFacts | undefined;
}

/** What an authorizer let a request through with. */
export interface AuthorizerFacts {
  readonly principalId?: string;
  /** The API key that a Lambda authorizer names for its caller, where the API's keys come from authorizers. */
  readonly usageIdentifierKey?: string;
  /** `$context.authorizer.KEY`: what a Lambda authorizer returned as its context. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** `requestContext.authorizer` of events, as JSON text. */
  readonly eventText?: string;
  /** `$context.authorizer.claims.KEY`: of a token, as text. */
  readonly claims?: Readonly<Record<string, string>>;
}

/** The key a request was counted for: `$context.identity.apiKey` and `apiKeyId`. */
export interface ApiKeyFacts {
  readonly id: string;
  readonly value: string;
}

/** How authentication and authorization went, for access logs. */
export interface AccessFacts {
  readonly authenticate?: PhaseFacts;
  readonly authorize?: PhaseFacts;
  readonly authorizer?: PhaseFacts & {
    readonly integrationLatencyMs?: number;
    readonly integrationStatus?: number;
    readonly requestId?: string;
  };
}

interface PhaseFacts {
  readonly status?: number;
  readonly latencyMs?: number;
  readonly error?: string;
}

/** Why the gateway answered by itself. */
export interface FailureFacts {
  /** As `MISSING_AUTHENTICATION_TOKEN`; absent for HTTP APIs, which have no types. */
  readonly type?: string;
  /** Null for a failed authorizer, of which AWS says nothing. */
  readonly message: string | null;
  /** `$context.error.validationErrorString`: `[object has missing required properties (["name"])]` */
  readonly validationError?: string;
}

/** How the integration went. */
export interface IntegrationFacts {
  /** What the endpoint answered; for a Lambda proxy, what the function's code returned, once that was read. */
  status?: number;
  /** For a Lambda proxy: what Lambda answered, not the function. */
  readonly integrationStatus?: number;
  readonly latencyMs?: number;
  /** The endpoint's id of the request, from its `x-amz(n)-request-id`. */
  readonly requestId?: string;
  /** The endpoint's `x-amz-id-2`. */
  readonly requestId2?: string;
  readonly error?: string;
}

/** What the client got, for access logs: set when it has been answered. */
export interface AnswerFacts {
  readonly status: number;
  readonly bytes: number;
  readonly latencyMs: number;
}
