import type {
  ContentHandling,
  PublishedAccessLog,
  PublishedClientCertificate,
  PublishedLambdaAuthorizer,
  PublishedMethodSettings,
} from "../port.ts";

/** A stage of a WebSocket API, as the control plane publishes it. */
export interface PublishedWebSocketStage {
  readonly kind: "websocket";
  readonly version: 1;
  readonly account: string;
  readonly region: string;
  readonly apiId: string;
  readonly stageName: string;
  readonly deploymentId: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly disableExecuteApiEndpoint: boolean;
  /** `$request.body.action` */
  readonly routeSelectionExpression: string;
  /** Where callers of `$connect` show their API key, where it requires one. Default: the header `x-api-key`. */
  readonly apiKeySource?: "HEADER" | "AUTHORIZER";
  readonly routes: readonly PublishedWebSocketRoute[];
  readonly authorizers?: readonly PublishedLambdaAuthorizer[];
  /** JSON Schemas by model name: those that routes validate messages with, and what they refer to. */
  readonly models?: Readonly<Record<string, string>>;
  readonly settings?: PublishedRouteSettings;
  readonly accessLog?: PublishedAccessLog;
  /** What HTTPS endpoints are shown that ask for a certificate. */
  readonly clientCertificate?: PublishedClientCertificate;
}

/** How a stage treats its routes. */
export interface PublishedRouteSettings {
  /** What a route has no setting of its own for. */
  readonly default?: PublishedRouteSetting;
  /** By route key. */
  readonly routes: Readonly<Record<string, PublishedRouteSetting>>;
}

export interface PublishedRouteSetting extends Omit<PublishedMethodSettings, "caching" | "loggingLevel"> {
  /** A route may be without a log where the stage's default has one. */
  readonly loggingLevel?: "ERROR" | "INFO" | "OFF";
}

export interface PublishedWebSocketRoute {
  /** `$connect`, `$disconnect`, `$default` or a key of the API's own. */
  readonly routeKey: string;
  readonly operationName?: string;
  readonly authorizationType: "NONE" | "AWS_IAM" | "CUSTOM";
  /** One of the stage's authorizers: where the type is CUSTOM. */
  readonly authorizerId?: string;
  readonly apiKeyRequired?: boolean;
  /** `route.request.querystring.q`, `route.request.header.h` … that a handshake must have. */
  readonly requiredParameters?: readonly string[];
  /** Names of models by the key that the expression selects, or `$default`; absent where messages are not validated. */
  readonly requestModels?: Readonly<Record<string, string>>;
  readonly modelSelectionExpression?: string;
  /** What the integration answers goes back to the client. */
  readonly responds: boolean;
  /** Only `$connect` may be without one: then who is let in is connected. */
  readonly integration?: PublishedWebSocketIntegration;
}

export type PublishedWebSocketIntegration =
  PublishedWebSocketProxy | PublishedWebSocketEndpoint | PublishedWebSocketMock;

export interface PublishedWebSocketProxy {
  readonly type: "AWS_PROXY";
  readonly uri: string;
  readonly timeoutMs: number;
  /** The role that the function is called with; absent where its policy is to allow the API. */
  readonly credentials?: string;
  /** The function is called as whoever signed the handshake: of `$connect` alone. */
  readonly asCaller?: boolean;
}

/** What requests and answers of an integration are mapped by. */
interface PublishedMapping {
  readonly timeoutMs: number;
  /** By key: the template selection expression chooses one. */
  readonly requestTemplates: Readonly<Record<string, string>>;
  /** The key of the template: as it is, or an expression over the message. Default: `$default`. */
  readonly templateSelectionExpression?: string;
  readonly passthroughBehavior: "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER";
  readonly responses: readonly PublishedWebSocketResponse[];
}

/** An HTTP endpoint, a function's own event, or an operation of a service. */
export interface PublishedWebSocketEndpoint extends PublishedMapping {
  readonly type: "AWS" | "HTTP" | "HTTP_PROXY";
  /** As configured, stage and path variables not yet replaced. */
  readonly uri: string;
  /** `GET` … or `ANY`, which is a POST: messages have no method. */
  readonly httpMethod: string;
  /** A role, or `arn:aws:iam::*:user/*` for whoever signed the handshake. */
  readonly credentials?: string;
  /** `integration.request.PLACE.NAME` → `route.request.…`, `context.…`, `stageVariables.…` or `'literal'`. */
  readonly requestParameters: Readonly<Record<string, string>>;
  readonly contentHandling?: ContentHandling;
}

/** An integration whose requests and answers are mapped by templates. */
export interface PublishedWebSocketMock extends PublishedMapping {
  readonly type: "MOCK";
}

export interface PublishedWebSocketResponse {
  /** `$default`, or a regular expression between slashes, which the status or error message matches as a whole. */
  readonly key: string;
  readonly templates: Readonly<Record<string, string>>;
  readonly templateSelectionExpression?: string;
  /** `route.response.header.NAME` → `integration.response.…`, `context.…`, `stageVariables.…` or `'literal'`. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly contentHandling?: ContentHandling;
}
