import type { PublishedGatewayResponse } from "../port.ts";
import { isHeaderName, sentHeaderValue } from "../../../proxy/response-headers.ts";

/** What a REST API answers by itself when a request does not get through to its integration. */
export interface GatewayResponse {
  readonly status: number;
  readonly errorType: string;
  /** Names and values in turn, besides those of every answer. */
  readonly headers: readonly string[];
  body(message: string | undefined, requestId: string): string;
  readonly contentType: string;
}

/** AWS's own answers. Source: "Gateway response types for API Gateway". */
const defaults = {
  BAD_REQUEST_BODY: { status: 400, errorType: "BadRequestException", message: "Invalid request body" },
  BAD_REQUEST_PARAMETERS: { status: 400, errorType: "BadRequestException", message: "Invalid request parameters" },
  UNAUTHORIZED: { status: 401, errorType: "UnauthorizedException", message: "Unauthorized" },
  ACCESS_DENIED: { status: 403, errorType: "AccessDeniedException", message: "User is not authorized" },
  FORBIDDEN: { status: 403, errorType: "ForbiddenException", message: "Forbidden" },
  MISSING_AUTHENTICATION_TOKEN: {
    status: 403,
    errorType: "MissingAuthenticationTokenException",
    message: "Missing Authentication Token",
  },
  INVALID_API_KEY: { status: 403, errorType: "ForbiddenException", message: "Forbidden" },
  THROTTLED: { status: 429, errorType: "TooManyRequestsException", message: "Too Many Requests" },
  QUOTA_EXCEEDED: { status: 429, errorType: "LimitExceededException", message: "Limit Exceeded" },
  INVALID_SIGNATURE: { status: 403, errorType: "InvalidSignatureException", message: "Invalid signature" },
  EXPIRED_TOKEN: { status: 403, errorType: "ExpiredTokenException", message: "Expired token" },
  REQUEST_TOO_LARGE: {
    status: 413,
    errorType: "RequestTooLargeException",
    message: "HTTP content length exceeded 10485760 bytes.",
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    errorType: "UnsupportedMediaTypeException",
    message: "Unsupported Media Type",
  },
  // AWS: these have no message.
  AUTHORIZER_CONFIGURATION_ERROR: { status: 500, errorType: "AuthorizerConfigurationException", message: null },
  AUTHORIZER_FAILURE: { status: 500, errorType: "AuthorizerFailureException", message: null },
  API_CONFIGURATION_ERROR: { status: 500, errorType: "InternalServerErrorException", message: "Internal server error" },
  MALFORMED_RESPONSE: { status: 502, errorType: "InternalServerErrorException", message: "Internal server error" },
  INTEGRATION_FAILURE: { status: 500, errorType: "InternalServerErrorException", message: "Internal server error" },
  INTEGRATION_TIMEOUT: {
    status: 504,
    errorType: "InternalServerErrorException",
    message: "Endpoint request timed out",
  },
} as const;

export type GatewayResponseType = keyof typeof defaults;

export type GatewayResponses = Readonly<Record<GatewayResponseType, GatewayResponse>>;

/** Every answer of an API, with what it has configured applied: its own type first, then the class's default. */
export function compileGatewayResponses(configured: readonly PublishedGatewayResponse[]): GatewayResponses {
  const byType = new Map(configured.map((response) => [response.responseType, response]));
  const compile = (type: GatewayResponseType): GatewayResponse => {
    const { status, errorType, message } = defaults[type];
    const family = byType.get(status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX");
    const own = byType.get(type) ?? family;
    const [contentType, template] = Object.entries(own?.responseTemplates ?? {})[0] ?? [
      "application/json",
      // AWS: only denials write the member large.
      type === "ACCESS_DENIED"
        ? `{"Message":$context.error.messageString}`
        : `{"message":$context.error.messageString}`,
    ];
    return {
      status: own?.statusCode === undefined ? status : Number(own.statusCode),
      errorType,
      headers: literalHeaders(own?.responseParameters ?? {}, "gatewayresponse.header."),
      contentType,
      body: (said, requestId) => fillTemplate(template, said ?? message, type, requestId),
    };
  };
  return {
    BAD_REQUEST_BODY: compile("BAD_REQUEST_BODY"),
    BAD_REQUEST_PARAMETERS: compile("BAD_REQUEST_PARAMETERS"),
    UNAUTHORIZED: compile("UNAUTHORIZED"),
    ACCESS_DENIED: compile("ACCESS_DENIED"),
    AUTHORIZER_CONFIGURATION_ERROR: compile("AUTHORIZER_CONFIGURATION_ERROR"),
    AUTHORIZER_FAILURE: compile("AUTHORIZER_FAILURE"),
    FORBIDDEN: compile("FORBIDDEN"),
    MISSING_AUTHENTICATION_TOKEN: compile("MISSING_AUTHENTICATION_TOKEN"),
    INVALID_API_KEY: compile("INVALID_API_KEY"),
    THROTTLED: compile("THROTTLED"),
    QUOTA_EXCEEDED: compile("QUOTA_EXCEEDED"),
    INVALID_SIGNATURE: compile("INVALID_SIGNATURE"),
    EXPIRED_TOKEN: compile("EXPIRED_TOKEN"),
    REQUEST_TOO_LARGE: compile("REQUEST_TOO_LARGE"),
    UNSUPPORTED_MEDIA_TYPE: compile("UNSUPPORTED_MEDIA_TYPE"),
    API_CONFIGURATION_ERROR: compile("API_CONFIGURATION_ERROR"),
    MALFORMED_RESPONSE: compile("MALFORMED_RESPONSE"),
    INTEGRATION_FAILURE: compile("INTEGRATION_FAILURE"),
    INTEGRATION_TIMEOUT: compile("INTEGRATION_TIMEOUT"),
  };
}

/** Headers from a static mapping: `PREFIX.NAME` → `'value'`. What cannot be sent is left out. */
export function literalHeaders(mapping: Readonly<Record<string, string>>, prefix: string): string[] {
  const headers: string[] = [];
  for (const [key, literal] of Object.entries(mapping)) {
    const name = key.slice(prefix.length);
    const value = sentHeaderValue(literal.replace(/^'([\s\S]*)'$/, "$1"));
    if (key.startsWith(prefix) && isHeaderName(name) && value !== undefined) headers.push(name, value);
  }
  return headers;
}

function fillTemplate(template: string, message: string | null, type: GatewayResponseType, requestId: string): string {
  return template.replaceAll(
    /\$context\.(error\.messageString|error\.message|error\.responseType|requestId)/g,
    (_all, name) => {
      if (name === "error.messageString") return JSON.stringify(message);
      if (name === "error.message") return message ?? "null";
      return name === "requestId" ? requestId : type;
    },
  );
}
