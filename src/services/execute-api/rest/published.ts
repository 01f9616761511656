import type { PublishedRestAuthorizer } from "../authorizers/published.ts";
import type { PublishedBase, PublishedLambdaIntegration, PublishedRate } from "../published.ts";

export interface PublishedRestStage extends PublishedBase {
  readonly kind: "rest";
  /** The API's name when it was deployed: metrics have it. */
  readonly apiName?: string;
  readonly endpointType?: "EDGE" | "REGIONAL";
  readonly binaryMediaTypes: readonly string[];
  readonly gatewayResponses: readonly PublishedGatewayResponse[];
  readonly methods: readonly PublishedMethod[];
  /** Where callers of methods that require an API key show theirs. Default: the header `x-api-key`. */
  readonly apiKeySource?: "HEADER" | "AUTHORIZER";
  /** By path without its first slash, `/` and method; `*` as path and method for all others. */
  readonly methodSettings?: Readonly<Record<string, PublishedMethodSettings>>;
  /** Absent without a cache. */
  readonly cache?: PublishedCache;
  /** Absent without a canary. */
  readonly canary?: PublishedCanary;
  /** Never published: how a stage with a canary, and the canary, are compiled. */
  readonly isCanary?: boolean;
  readonly cacheName?: string;
  readonly authorizers?: readonly PublishedRestAuthorizer[];
  /** The API's resource policy, a JSON document whose resources are ARNs in full. */
  readonly policy?: string;
  /** When what authorizers said was last flushed, epoch milliseconds. */
  readonly authorizersFlushedAt?: number;
  /** JSON Schemas by model name: those that methods validate bodies with, and what they refer to. */
  readonly models?: Readonly<Record<string, string>>;
  /** What HTTP endpoints are shown, in PEM. */
  readonly clientCertificate?: PublishedClientCertificate;
  /** Payloads of at least so many bytes are compressed and decompressed; absent: none is. */
  readonly minimumCompressionSize?: number;
}

/** The key is PEM sealed with the server's key for records. */
export interface PublishedClientCertificate {
  readonly cert: string;
  readonly sealedKey: Uint8Array;
}

export interface PublishedMethod {
  readonly resourceId: string;
  /** The resource's path, as `/users/{id}`. */
  readonly path: string;
  /** `GET` … or `ANY`. */
  readonly httpMethod: string;
  readonly apiKeyRequired?: boolean;
  /** `method.request.querystring.q` …: what an answer in the stage's cache depends on, besides the method. */
  readonly cacheKeyParameters?: readonly string[];
  /** Methods with the same one share what is cached. Default: the resource's id. */
  readonly cacheNamespace?: string;
  readonly operationName?: string;
  readonly authorizationType: "NONE" | "AWS_IAM" | "CUSTOM" | "COGNITO_USER_POOLS";
  /** One of the stage's authorizers: where the type is CUSTOM or COGNITO_USER_POOLS. */
  readonly authorizerId?: string;
  readonly authorizationScopes?: readonly string[];
  /** Absent where nothing is validated. */
  readonly validation?: PublishedValidation;
  readonly integration: PublishedLambdaIntegration | PublishedMockIntegration | PublishedEndpointIntegration;
}

/** What a request must have before its integration sees it. */
export interface PublishedValidation {
  /** `method.request.querystring.q`, `method.request.header.h` … that must be there and not blank. */
  readonly requiredParameters: readonly string[];
  /** Names of models by media type, or `$default`; empty where bodies are not validated. */
  readonly bodyModels: Readonly<Record<string, string>>;
}

/** An HTTP endpoint, or an operation of a service. */
export interface PublishedEndpointIntegration {
  readonly type: "HTTP" | "HTTP_PROXY" | "AWS";
  /**
   * As configured, stage and path variables not yet replaced: `https://example.com/{id}`, or
   * `arn:aws:apigateway:REGION:SERVICE:action/NAME` or `…:path/PATH`.
   */
  readonly uri: string;
  /** `GET` … or `ANY`: as the client's. */
  readonly httpMethod: string;
  readonly timeoutMs: number;
  /** A role, or `arn:aws:iam::*:user/*` for whoever called the API. */
  readonly credentials?: string;
  /** `integration.request.PLACE.NAME` → `method.request.…`, `context.…`, `stageVariables.…` or `'literal'`. */
  readonly requestParameters: Readonly<Record<string, string>>;
  /** By content type. */
  readonly requestTemplates: Readonly<Record<string, string>>;
  readonly passthroughBehavior: "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER";
  readonly contentHandling?: ContentHandling;
  readonly responses: readonly PublishedIntegrationResponse[];
  /** The endpoint's certificate is not verified. */
  readonly insecure?: boolean;
  readonly streams?: boolean;
}

export type ContentHandling = "CONVERT_TO_TEXT" | "CONVERT_TO_BINARY";

export interface PublishedMockIntegration {
  readonly type: "MOCK";
  /** Static templates by content type. */
  readonly requestTemplates: Readonly<Record<string, string>>;
  readonly passthroughBehavior: "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER";
  readonly responses: readonly PublishedIntegrationResponse[];
}

export interface PublishedIntegrationResponse {
  readonly statusCode: string;
  /** A regular expression the status must match as a whole; without one, the response is the default. */
  readonly selectionPattern?: string;
  /** `method.response.header.NAME` → `integration.response.…`, `context.…`, `stageVariables.…` or `'literal'`. */
  readonly responseParameters: Readonly<Record<string, string>>;
  /** By content type. */
  readonly responseTemplates: Readonly<Record<string, string>>;
  readonly contentHandling?: ContentHandling;
}

export interface PublishedGatewayResponse {
  /** `DEFAULT_4XX`, `MISSING_AUTHENTICATION_TOKEN` … */
  readonly responseType: string;
  readonly statusCode?: string;
  /** `gatewayresponse.header.NAME` → `'value'`. */
  readonly responseParameters: Readonly<Record<string, string>>;
  readonly responseTemplates: Readonly<Record<string, string>>;
}

/** How a stage treats a method; absent members are not set. */
export interface PublishedMethodSettings {
  readonly throttling?: PublishedRate;
  readonly caching?: PublishedCaching;
  /** Absent where there is no execution log. */
  readonly loggingLevel?: "ERROR" | "INFO";
  /** Requests are logged as they came. */
  readonly dataTrace?: boolean;
  /** The method has metrics of its own. */
  readonly metrics?: boolean;
}

export interface PublishedCaching {
  readonly ttlSeconds: number;
  /** Whether only callers who may `execute-api:InvalidateCache` have an entry renewed. */
  readonly requiresAuthorization: boolean;
  readonly unauthorizedStrategy: "FAIL_WITH_403" | "SUCCEED_WITH_RESPONSE_HEADER" | "SUCCEED_WITHOUT_RESPONSE_HEADER";
}

export interface PublishedCache {
  readonly sizeBytes: number;
  /** Another one: what was cached before is void. */
  readonly generation: string;
}

/** What a share of a stage's requests is answered by instead. */
export interface PublishedCanary {
  /** 0 to 100. */
  readonly percentTraffic: number;
  readonly deploymentId: string;
  /** Of the stage, with the canary's overrides. */
  readonly variables: Readonly<Record<string, string>>;
  readonly useStageCache: boolean;
  /** What the canary's deployment froze; absent where it is the stage's own. */
  readonly snapshot?: Omit<PublishedRestStage, keyof PublishedBase | "kind" | "methodSettings" | "cache" | "canary"> & {
    readonly disableExecuteApiEndpoint: boolean;
  };
}
