import type { PublishedHttpAuthorizer } from "../authorizers/published.ts";
import type { PublishedBase, PublishedLambdaIntegration, PublishedRate } from "../published.ts";

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

/** How an HTTP API changes requests and answers on their way. */
export interface PublishedParameters {
  /** `append:header.x`, `overwrite:path` … → a value with references; of services: the operation's parameters by name. */
  readonly requestParameters?: Readonly<Record<string, string>>;
  /** By status code: `overwrite:statuscode`, `remove:header.x` … */
  readonly responseParameters?: Readonly<Record<string, Readonly<Record<string, string>>>>;
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
