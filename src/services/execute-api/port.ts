import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { SecureContext } from "node:tls";
import type { Principal } from "../../aws/principal.ts";
import type { Reader, Transaction } from "../../kernel/store/store.ts";
import type { RequestDomain } from "../../proxy/exchange.ts";
import type { PublishedWebSocketStage } from "./websocket/published.ts";

/**
 * The gateway's data plane: answers requests to deployed APIs. A published stage is an immutable value that is compiled
 * once into routes and integrations; requests touch neither the store nor a parser of templates.
 */
export interface ExecuteApiPort {
  /**
   * Answer a request to an API's address.
   *
   * @param apiId from the host (`{apiId}.execute-api.…`) or the path form
   * @param target path and query after what addressed the API, as sent: for REST APIs it starts with the stage, for HTTP
   *   APIs with the stage unless the stage is `$default`
   */
  handle(
    apiId: string,
    target: string,
    request: IncomingMessage,
    response: ServerResponse,
    /** Where the request came by a custom domain name: `target` then begins below the base path. */
    entry?: DomainEntry,
  ): void;
}

/** What the listener must know of WebSocket APIs. */
export interface WebSocketPort {
  /**
   * Begin with a request whose client asks for WebSocket, and whose connection the server has let go of. The response is for
   * `handle`: a stage of a WebSocket API takes the connection over instead, and any other answer ends it.
   *
   * @param head what the client has sent already
   */
  begin(request: IncomingMessage, socket: Duplex, head: Buffer): ServerResponse;
  /** Say who answers requests to `@connections`. */
  serveConnections(answer: AnswerConnections): void;
}

/** Answers a request to `@connections`: the API of AWS for it, behind the address of a stage. */
export type AnswerConnections = (stage: ConnectionsStage, request: IncomingMessage, response: ServerResponse) => void;

/** The stage whose connections are asked for. */
export interface ConnectionsStage {
  readonly account: string;
  readonly region: string;
  readonly apiId: string;
  readonly stageName: string;
  /** Below the stage: `/@connections/{id}`. */
  readonly path: string;
}

/** How a request came by a custom domain name. */
export interface DomainEntry {
  /** Absent: the target begins with it. */
  readonly stageName: string | undefined;
  /** The path that the client sent, without its query. */
  readonly fullPath: string;
  readonly domain: RequestDomain;
}

/** A request to a custom domain name, and the API that answers it. */
export interface RoutedRequest {
  readonly apiId: string;
  readonly target: string;
  readonly entry: DomainEntry;
}

/** Custom domain names, as the listener needs them. */
export interface CustomDomains {
  /**
   * Decides by the Host header. `decided` is called once, at once where the host is remembered: with undefined where it is no
   * custom domain; `forbidden` where the domain sends the request nowhere, or demands a certificate that its client has not
   * shown; `broken` where it cannot be known now.
   */
  route(request: IncomingMessage, decided: (outcome: RoutedRequest | "forbidden" | "broken" | undefined) => void): void;
  readonly tls: TlsDomains;
}

/** Custom domain names, as a TLS listener knows them. */
export interface TlsDomains {
  /** Undefined: no custom domain. Never rejects for what a domain's owner has done wrong. */
  find(servername: string): Promise<TlsDomain | undefined>;
}

export interface TlsDomain {
  /** With the domain's certificate and its truststore; undefined where it cannot be used now. */
  readonly context: SecureContext | undefined;
  /** Mutual TLS: who has no certificate that the context trusts is refused. */
  readonly demandsCertificate: boolean;
}

export type {
  DomainMapping,
  DomainRecord,
  DomainSettings,
  DomainsPort,
  DomainTarget,
  NewDomain,
  RoutingRule,
  RuleCondition,
} from "./domains/domain.ts";

/** How the control planes put stages on the air: in the transaction that changes the stage. */
export interface StagePublisher {
  /** Put a stage on the air, or replace what it answers with. */
  publish(tx: Transaction, stage: PublishedStage): void;
  /** Take a stage off the air; without effect when it is not on it. */
  withdraw(tx: Transaction, apiId: string, stageName: string): void;
}

/** Asks an authorizer of a REST API without a request, as TestInvokeAuthorizer does. */
export type TestAuthorizer = (test: AuthorizerTest) => Promise<AuthorizerTestResult>;

export interface AuthorizerTest {
  readonly place: { readonly account: string; readonly region: string; readonly apiId: string };
  readonly authorizer: PublishedRestAuthorizer;
  readonly headers: Readonly<Record<string, string>>;
  readonly pathWithQueryString: string;
  readonly stageVariables: Readonly<Record<string, string>>;
  readonly additionalContext: Readonly<Record<string, string>>;
}

export interface AuthorizerTestResult {
  /** What a client would have got; 0 where the authorizer decided. */
  readonly clientStatus: number;
  readonly log: string;
  readonly latencyMs: number;
  readonly principalId?: string;
  readonly policy?: string;
  readonly claims?: Readonly<Record<string, string>>;
}

/** Answers a request to a method of a REST API that need not be deployed, as TestInvokeMethod does. */
export type TestMethod = (test: MethodTest) => Promise<MethodTestResult | undefined>;

export interface MethodTest {
  /** As it would be published, with the tested method alone. */
  readonly stage: PublishedRestStage;
  /** As a client would send it: never ANY. */
  readonly httpMethod: string;
  /** Undefined: the resource's own path, without values of its variables. */
  readonly pathWithQueryString: string | undefined;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
  /** Who tests: integrations with the caller's credentials use theirs. */
  readonly caller: Principal;
  readonly signal: AbortSignal;
}

/** Undefined where the path is not one of the method's resource. */
export interface MethodTestResult {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly log: string;
  readonly latencyMs: number;
}

/** What a control plane asks before it keeps a model. */
export interface ModelChecker {
  /**
   * Why a JSON Schema cannot be validated with, or undefined.
   *
   * @param models schemas by name: those it may refer to
   */
  problemOf(schema: string, models: Readonly<Record<string, string>>): string | undefined;
  /** Names of the models that a schema refers to by URL; none for what is not JSON. */
  modelsReferredTo(schema: string): readonly string[];
}

/** Everything that answering a stage's requests needs: immutable, complete, and free of names that must be looked up. */
export type PublishedStage = PublishedRestStage | PublishedHttpStage | PublishedWebSocketStage;

interface PublishedBase {
  readonly version: 1;
  readonly account: string;
  readonly region: string;
  readonly apiId: string;
  readonly stageName: string;
  readonly deploymentId: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly disableExecuteApiEndpoint: boolean;
  readonly accessLog?: PublishedAccessLog;
}

/** A line for each request. */
export interface PublishedAccessLog {
  readonly logGroup: string;
  /** Text with `$context.…`. */
  readonly format: string;
}

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

export interface PublishedLambdaIntegration {
  readonly type: "AWS_PROXY";
  /** As configured: an invocation URI or a function's ARN; stage variables not yet replaced. */
  readonly uri: string;
  readonly timeoutMs: number;
  /** The function is called as whoever called the API, not as the API: for methods authorized by IAM. */
  readonly asCaller?: boolean;
  /** The role that the function is called with; absent where its policy is to allow the API. */
  readonly credentials?: string;
  /** The client gets the answer as the function gives it. */
  readonly streams?: boolean;
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

/** A rate of requests a second, and how many may come at once. */
export interface PublishedRate {
  readonly rateLimit: number;
  readonly burstLimit: number;
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

/**
 * API keys and usage plans, as the data plane follows them: written by the control plane in the transaction that changes
 * a key or a plan.
 */
export interface UsagePublisher {
  publishKey(tx: Transaction, key: PublishedApiKey): void;
  withdrawKey(tx: Transaction, key: Pick<PublishedApiKey, "account" | "region" | "value">): void;
  publishPlan(tx: Transaction, plan: PublishedUsagePlan): void;
  withdrawPlan(tx: Transaction, plan: Pick<PublishedUsagePlan, "account" | "region" | "planId">): void;
}

/** Usage plans, for the control plane: what it publishes, and what clients have used. */
export interface UsagePort extends UsagePublisher {
  /** How often all APIs of an account and region may be called together; absent: as often as the host can. */
  readonly accountRate: PublishedRate | undefined;
  /** What this node has counted so far is in the store. */
  flush(): Promise<void>;
  /** @param days `2026-11-22` … in UTC; what comes back is undefined for days without requests */
  readDays(
    reader: Reader,
    address: UsageAddress,
    days: readonly string[],
  ): Promise<({ readonly used: number; readonly remaining: number } | undefined)[]>;
  /** What is left of a quota in its current period. */
  readRemaining(reader: Reader, address: UsageAddress, quota: PublishedQuota, now: number): Promise<number>;
  /** Allow so many more requests in the current period. */
  setRemaining(
    tx: Transaction,
    address: UsageAddress,
    quota: PublishedQuota,
    remaining: number,
    now: number,
  ): Promise<void>;
}

/** Whose requests are counted. */
export interface UsageAddress {
  readonly account: string;
  readonly region: string;
  readonly planId: string;
  readonly keyId: string;
}

export interface PublishedApiKey {
  readonly account: string;
  readonly region: string;
  readonly keyId: string;
  /** Secret: never to be logged. */
  readonly value: string;
  readonly enabled: boolean;
  readonly planIds: readonly string[];
}

export interface PublishedUsagePlan {
  readonly account: string;
  readonly region: string;
  readonly planId: string;
  readonly stages: readonly {
    readonly apiId: string;
    readonly stageName: string;
    /** By `/path/METHOD`. */
    readonly throttling: Readonly<Record<string, PublishedRate>>;
  }[];
  readonly throttling?: PublishedRate;
  readonly quota?: PublishedQuota;
}

export interface PublishedQuota {
  readonly limit: number;
  /** Taken from the limit in the first period. */
  readonly offset: number;
  readonly period: "DAY" | "WEEK" | "MONTH";
  /** When the plan was given this quota, epoch milliseconds: the first period is the one it falls in. */
  readonly since: number;
}

export interface PublishedHttpStage extends PublishedBase {
  readonly kind: "http";
  /** Whether a route has metrics of its own, by its key; `$default` is for those without a setting. */
  readonly detailedMetrics?: Readonly<Record<string, boolean>>;
  /** By route key; `$default`'s own is under its key, `default` is for all others. */
  readonly throttling?: {
    readonly default?: PublishedRate;
    readonly routes: Readonly<Record<string, PublishedRate>>;
  };
  readonly cors?: PublishedCors;
  readonly routes: readonly PublishedRoute[];
  readonly authorizers?: readonly PublishedHttpAuthorizer[];
  /** When what authorizers said was last flushed, epoch milliseconds. */
  readonly authorizersFlushedAt?: number;
}

export interface PublishedRoute {
  /** `GET /pets/{id}`, `ANY /{proxy+}` or `$default`. */
  readonly routeKey: string;
  readonly operationName?: string;
  readonly authorizationType: "NONE" | "AWS_IAM" | "CUSTOM" | "JWT";
  /** One of the stage's authorizers: where the type is CUSTOM or JWT. */
  readonly authorizerId?: string;
  readonly authorizationScopes?: readonly string[];
  readonly integration: PublishedFunctionIntegration | PublishedHttpProxyIntegration | PublishedServiceIntegration;
}

export interface PublishedFunctionIntegration extends PublishedLambdaIntegration, PublishedParameters {
  readonly payloadFormatVersion: "1.0" | "2.0";
}

/** An HTTP endpoint behind a route. */
export interface PublishedHttpProxyIntegration extends PublishedParameters {
  readonly type: "HTTP_PROXY";
  /** As configured: path and stage variables not yet replaced. */
  readonly uri: string;
  /** `GET` … or `ANY`: as the client's. */
  readonly httpMethod: string;
  readonly timeoutMs: number;
  /** The name that the endpoint's certificate must have, instead of the host's. */
  readonly serverName?: string;
}

/** An operation of a service behind a route, as `SQS-SendMessage`. */
export interface PublishedServiceIntegration extends PublishedParameters {
  readonly type: "AWS_PROXY";
  readonly subtype: string;
  readonly credentials: string;
  readonly timeoutMs: number;
}

/** An operation that routes of HTTP APIs can be integrated with, as `SQS-SendMessage`. */
export interface ServiceSubtype {
  /** As in a credential scope. */
  readonly service: string;
  readonly action: string;
  /** How each parameter is written in the service's JSON. */
  readonly parameters: Readonly<Record<string, "text" | "number" | "json" | "base64" | "time">>;
  readonly required: readonly string[];
  /** The parameters are the one entry of this list. */
  readonly entryOf?: string;
  /** The operation is a GET of a path with `{Parameter}`; its query by name is of parameters. */
  readonly get?: { readonly path: string; readonly query: Readonly<Record<string, string>> };
}

/** How an HTTP API changes requests and answers on their way. */
export interface PublishedParameters {
  /** `append:header.x`, `overwrite:path` … → a value with references; of services: the operation's parameters by name. */
  readonly requestParameters?: Readonly<Record<string, string>>;
  /** By status code: `overwrite:statuscode`, `remove:header.x` … */
  readonly responseParameters?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

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

/** The CORS configuration of an HTTP API; absent members were not configured. */
export interface PublishedCors {
  readonly allowCredentials?: boolean;
  readonly allowHeaders?: readonly string[];
  readonly allowMethods?: readonly string[];
  readonly allowOrigins?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly maxAgeSeconds?: number;
}

export type { Answer, Ask, ConnectionsPort } from "./websocket/ask.ts";
export type {
  PublishedRouteSetting,
  PublishedRouteSettings,
  PublishedWebSocketIntegration,
  PublishedWebSocketRoute,
  PublishedWebSocketStage,
} from "./websocket/published.ts";
