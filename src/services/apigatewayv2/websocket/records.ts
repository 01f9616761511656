import type { ContentHandling } from "../../execute-api/port.ts";
import type { Made } from "../../../wire/made.ts";

/** What an API has that is a WebSocket API. */
export interface WebSocketSettings {
  readonly routeSelectionExpression: string;
  readonly apiKeySelectionExpression: string;
  readonly disableSchemaValidation?: boolean;
}

/** Whether parameters must be there, by name: `route.request.querystring.q`. */
export type ParameterConstraints = Readonly<Record<string, { readonly required: boolean }>>;

export interface WebSocketRouteRecord extends Made {
  readonly routeId: string;
  readonly routeKey: string;
  readonly authorizationType: "NONE" | "AWS_IAM" | "CUSTOM";
  readonly authorizerId?: string;
  readonly apiKeyRequired?: boolean;
  readonly operationName?: string;
  readonly integrationId?: string;
  readonly requestParameters?: ParameterConstraints;
  /** Names of models, by the key that the expression selects. */
  readonly requestModels?: Readonly<Record<string, string>>;
  readonly modelSelectionExpression?: string;
  readonly routeResponseSelectionExpression?: string;
  /** AWS: `$default` is the only key there is. */
  readonly responses: readonly RouteResponseRecord[];
}

/** AWS: models, their selection and parameters of answers to messages are kept, and have no effect. */
export interface RouteResponseRecord extends Made {
  readonly routeResponseId: string;
  readonly routeResponseKey: string;
  readonly modelSelectionExpression?: string;
  readonly responseModels?: Readonly<Record<string, string>>;
  readonly responseParameters?: ParameterConstraints;
}

export interface WebSocketIntegrationRecord extends Made {
  readonly integrationId: string;
  readonly type: "AWS" | "AWS_PROXY" | "HTTP" | "HTTP_PROXY" | "MOCK";
  /** Absent for a mock. */
  readonly uri?: string;
  readonly method?: string;
  readonly credentials?: string;
  readonly timeoutMs: number;
  readonly description?: string;
  readonly requestParameters?: Readonly<Record<string, string>>;
  readonly requestTemplates: Readonly<Record<string, string>>;
  readonly templateSelectionExpression?: string;
  readonly passthroughBehavior: "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER";
  readonly contentHandling?: ContentHandling;
}

export interface IntegrationResponseRecord extends Made {
  readonly integrationResponseId: string;
  readonly integrationId: string;
  /** `$default`, or a regular expression between slashes: `/400/`. */
  readonly integrationResponseKey: string;
  readonly responseTemplates: Readonly<Record<string, string>>;
  readonly templateSelectionExpression?: string;
  readonly responseParameters?: Readonly<Record<string, string>>;
  readonly contentHandling?: ContentHandling;
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
