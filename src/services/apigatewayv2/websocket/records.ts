/** What an API has that is a WebSocket API. */
export interface WebSocketSettings {
  readonly routeSelectionExpression: string;
  readonly apiKeySelectionExpression: string;
  readonly disableSchemaValidation?: boolean;
}

export interface WebSocketRouteRecord {
  readonly routeId: string;
  readonly routeKey: string;
  readonly authorizationType: "NONE" | "AWS_IAM";
  readonly operationName?: string;
  readonly integrationId?: string;
  readonly routeResponseSelectionExpression?: string;
  /** AWS: `$default` is the only key there is. */
  readonly responses: readonly RouteResponseRecord[];
}

export interface RouteResponseRecord {
  readonly routeResponseId: string;
  readonly routeResponseKey: string;
}

export interface WebSocketIntegrationRecord {
  readonly integrationId: string;
  readonly type: "AWS_PROXY" | "MOCK";
  readonly uri?: string;
  readonly timeoutMs: number;
  readonly description?: string;
  readonly requestTemplates: Readonly<Record<string, string>>;
  readonly templateSelectionExpression?: string;
  readonly passthroughBehavior: "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER";
}

export interface IntegrationResponseRecord {
  readonly integrationResponseId: string;
  readonly integrationId: string;
  /** `$default`, or a regular expression between slashes: `/400/`. */
  readonly integrationResponseKey: string;
  readonly responseTemplates: Readonly<Record<string, string>>;
  readonly templateSelectionExpression?: string;
}

/** A data model of a WebSocket API. */
export interface ModelRecord {
  readonly modelId: string;
  readonly name: string;
  readonly contentType: string;
  readonly description?: string;
  /** A JSON Schema of draft 4. */
  readonly schema: string;
}
