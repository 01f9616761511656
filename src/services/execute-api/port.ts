import type { IncomingMessage, ServerResponse } from "node:http";
import type { Transaction } from "../../kernel/store/store.ts";

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
  handle(apiId: string, target: string, request: IncomingMessage, response: ServerResponse): void;
}

/** How the control planes put stages on the air: in the transaction that changes the stage. */
export interface StagePublisher {
  /** Put a stage on the air, or replace what it answers with. */
  publish(tx: Transaction, stage: PublishedStage): void;
  /** Take a stage off the air; without effect when it is not on it. */
  withdraw(tx: Transaction, apiId: string, stageName: string): void;
}

/** Everything that answering a stage's requests needs: immutable, complete, and free of names that must be looked up. */
export type PublishedStage = PublishedRestStage | PublishedHttpStage;

interface PublishedBase {
  readonly version: 1;
  readonly account: string;
  readonly region: string;
  readonly apiId: string;
  readonly stageName: string;
  readonly deploymentId: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly disableExecuteApiEndpoint: boolean;
}

export interface PublishedRestStage extends PublishedBase {
  readonly kind: "rest";
  /** The API's name when it was deployed: metrics have it. */
  readonly apiName?: string;
  readonly binaryMediaTypes: readonly string[];
  readonly gatewayResponses: readonly PublishedGatewayResponse[];
  readonly methods: readonly PublishedMethod[];
}

export interface PublishedMethod {
  readonly resourceId: string;
  /** The resource's path, as `/users/{id}`. */
  readonly path: string;
  /** `GET` … or `ANY`. */
  readonly httpMethod: string;
  readonly operationName?: string;
  readonly authorizationType: "NONE" | "AWS_IAM";
  readonly integration: PublishedLambdaIntegration | PublishedMockIntegration;
}

export interface PublishedLambdaIntegration {
  readonly type: "AWS_PROXY";
  /** As configured: an invocation URI or a function's ARN; stage variables not yet replaced. */
  readonly uri: string;
  readonly timeoutMs: number;
  /** The function is called as whoever called the API, not as the API: for methods authorized by IAM. */
  readonly asCaller?: boolean;
}

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
  /** Literal headers: `method.response.header.NAME` → `'value'`. */
  readonly responseParameters: Readonly<Record<string, string>>;
  /** Static templates by content type. */
  readonly responseTemplates: Readonly<Record<string, string>>;
}

export interface PublishedGatewayResponse {
  /** `DEFAULT_4XX`, `MISSING_AUTHENTICATION_TOKEN` … */
  readonly responseType: string;
  readonly statusCode?: string;
  /** `gatewayresponse.header.NAME` → `'value'`. */
  readonly responseParameters: Readonly<Record<string, string>>;
  readonly responseTemplates: Readonly<Record<string, string>>;
}

export interface PublishedHttpStage extends PublishedBase {
  readonly kind: "http";
  readonly cors?: PublishedCors;
  readonly routes: readonly PublishedRoute[];
}

export interface PublishedRoute {
  /** `GET /pets/{id}`, `ANY /{proxy+}` or `$default`. */
  readonly routeKey: string;
  readonly operationName?: string;
  readonly authorizationType: "NONE" | "AWS_IAM";
  readonly integration: PublishedLambdaIntegration & { readonly payloadFormatVersion: "1.0" | "2.0" };
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
