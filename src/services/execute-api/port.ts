import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { SecureContext } from "node:tls";
import type { Principal } from "../../aws/principal.ts";
import type { Reader, Transaction } from "../../kernel/store/store.ts";
import type { RequestDomain } from "../../proxy/exchange.ts";
import type { HttpRequest, HttpResponse } from "../../proxy/http-exchange.ts";
import type { PublishedRestAuthorizer } from "./authorizers/published.ts";
import type { PublishedHttpStage } from "./http/published.ts";
import type { PublishedRestStage } from "./rest/published.ts";
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
    request: HttpRequest,
    response: HttpResponse,
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
  begin(request: IncomingMessage, socket: Duplex, head: Buffer): HttpResponse;
  /** Say who answers requests to `@connections`. */
  serveConnections(answer: AnswerConnections): void;
}

/** Answers a request to `@connections`: the API of AWS for it, behind the address of a stage. */
export type AnswerConnections = (stage: ConnectionsStage, request: HttpRequest, response: HttpResponse) => void;

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
  route(request: HttpRequest, decided: (outcome: RoutedRequest | "forbidden" | "broken" | undefined) => void): void;
  readonly tls: TlsDomains;
}

/** Custom domain names, as a TLS listener knows them. */
export interface TlsDomains {
  /** Undefined: no custom domain. Never rejects for what a domain's owner has done wrong. */
  find(servername: string): Promise<TlsDomain | undefined>;
}

/** A host of another service that has a certificate of its own. */
export interface NamedHost {
  /** In lower case. */
  readonly name: string;
  readonly certificateArn: string;
  readonly account: string;
}

/** By a host in lower case, without port. Known at once. */
export type FindNamedHost = (host: string) => NamedHost | undefined;

/** For services whose hosts are served with certificates of the operator's folder, beside custom domain names of APIs. */
export interface HostCertificates {
  /**
   * @throws {AwsError} BadRequestException for a host that is the platform's own or a custom domain name of an API, and for a certificate
   *   that cannot serve it
   */
  check(
    call: { readonly account: string; readonly region: string; readonly endpoint: string; readonly now: number },
    host: string,
    certificateArn: string,
  ): Promise<void>;
  /** Whether a host is a custom domain name of an API, or lies within one: for the transaction that takes the host. */
  isTaken(reader: Reader, host: string): Promise<boolean>;
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

export type { PublishedAccessLog, PublishedLambdaIntegration, PublishedRate } from "./published.ts";
export type {
  PublishedHttpAuthorizer,
  PublishedJwtAuthorizer,
  PublishedLambdaAuthorizer,
  PublishedPoolAuthorizer,
  PublishedRestAuthorizer,
} from "./authorizers/published.ts";
export type {
  ContentHandling,
  PublishedCache,
  PublishedCaching,
  PublishedCanary,
  PublishedClientCertificate,
  PublishedEndpointIntegration,
  PublishedGatewayResponse,
  PublishedIntegrationResponse,
  PublishedMethod,
  PublishedMethodSettings,
  PublishedMockIntegration,
  PublishedRestStage,
  PublishedValidation,
} from "./rest/published.ts";
export type {
  PublishedCors,
  PublishedFunctionIntegration,
  PublishedHttpProxyIntegration,
  PublishedHttpStage,
  PublishedRoute,
  PublishedServiceIntegration,
} from "./http/published.ts";
export type {
  PublishedApiKey,
  PublishedQuota,
  PublishedUsagePlan,
  UsageAddress,
  UsagePort,
  UsagePublisher,
} from "./throttling/published.ts";
export type { Answer, Ask, ConnectionsPort } from "./websocket/ask.ts";
export type {
  PublishedRouteSetting,
  PublishedRouteSettings,
  PublishedWebSocketIntegration,
  PublishedWebSocketRoute,
  PublishedWebSocketStage,
} from "./websocket/published.ts";
