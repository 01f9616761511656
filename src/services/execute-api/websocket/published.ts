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
  readonly routes: readonly PublishedWebSocketRoute[];
}

export interface PublishedWebSocketRoute {
  /** `$connect`, `$disconnect`, `$default` or a key of the API's own. */
  readonly routeKey: string;
  readonly operationName?: string;
  readonly authorizationType: "NONE" | "AWS_IAM";
  /** What the integration answers goes back to the client. */
  readonly responds: boolean;
  readonly integration: PublishedWebSocketIntegration;
}

export type PublishedWebSocketIntegration = PublishedWebSocketProxy | PublishedWebSocketMock;

export interface PublishedWebSocketProxy {
  readonly type: "AWS_PROXY";
  readonly uri: string;
  readonly timeoutMs: number;
}

/** An integration whose requests and answers are mapped by templates. */
export interface PublishedWebSocketMock {
  readonly type: "MOCK";
  readonly timeoutMs: number;
  readonly requestTemplates: Readonly<Record<string, string>>;
  /** The key of the template: as it is, or an expression over the message. Default: `$default`. */
  readonly templateSelectionExpression?: string;
  readonly passthroughBehavior: "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER";
  readonly responses: readonly PublishedWebSocketResponse[];
}

export interface PublishedWebSocketResponse {
  /** `$default`, or a regular expression between slashes, which the status matches as a whole. */
  readonly key: string;
  readonly templates: Readonly<Record<string, string>>;
  readonly templateSelectionExpression?: string;
}
