/** Why a REST API answers by itself: AWS's types, and two whose answers AWS lets nobody change but through the defaults. */
interface GatewayResponseDefault {
  readonly status: number;
  /** The header `x-amzn-ErrorType`. */
  readonly errorType: string;
  /** `$context.error.message`; AWS has none for a failed authorizer. */
  readonly message: string | null;
}

/** AWS's own answers. Source: "Gateway response types for API Gateway". */
export const gatewayResponseDefaults = {
  ACCESS_DENIED: { status: 403, errorType: "AccessDeniedException", message: "User is not authorized" },
  API_CONFIGURATION_ERROR: { status: 500, errorType: "InternalServerErrorException", message: "Internal server error" },
  AUTHORIZER_CONFIGURATION_ERROR: { status: 500, errorType: "AuthorizerConfigurationException", message: null },
  AUTHORIZER_FAILURE: { status: 500, errorType: "AuthorizerFailureException", message: null },
  BAD_REQUEST_BODY: { status: 400, errorType: "BadRequestException", message: "Invalid request body" },
  BAD_REQUEST_PARAMETERS: { status: 400, errorType: "BadRequestException", message: "Invalid request parameters" },
  EXPIRED_TOKEN: { status: 403, errorType: "ExpiredTokenException", message: "Expired token" },
  INTEGRATION_FAILURE: {
    status: 504,
    errorType: "InternalServerErrorException",
    message: "Network error communicating with endpoint",
  },
  INTEGRATION_TIMEOUT: {
    status: 504,
    errorType: "InternalServerErrorException",
    message: "Endpoint request timed out",
  },
  INVALID_API_KEY: { status: 403, errorType: "ForbiddenException", message: "Forbidden" },
  INVALID_SIGNATURE: { status: 403, errorType: "InvalidSignatureException", message: "Invalid signature" },
  MISSING_AUTHENTICATION_TOKEN: {
    status: 403,
    errorType: "MissingAuthenticationTokenException",
    message: "Missing Authentication Token",
  },
  QUOTA_EXCEEDED: { status: 429, errorType: "LimitExceededException", message: "Limit Exceeded" },
  REQUEST_TOO_LARGE: {
    status: 413,
    errorType: "RequestTooLargeException",
    message: "HTTP content length exceeded 10485760 bytes.",
  },
  RESOURCE_NOT_FOUND: { status: 404, errorType: "NotFoundException", message: "Not Found" },
  THROTTLED: { status: 429, errorType: "TooManyRequestsException", message: "Too Many Requests" },
  UNAUTHORIZED: { status: 401, errorType: "UnauthorizedException", message: "Unauthorized" },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    errorType: "UnsupportedMediaTypeException",
    message: "Unsupported Media Type",
  },
  WAF_FILTERED: { status: 403, errorType: "ForbiddenException", message: "Forbidden" },
  // AWS: these have no type of their own; `$context.error.responseType` is the default of their class.
  FORBIDDEN: { status: 403, errorType: "ForbiddenException", message: "Forbidden" },
  MALFORMED_RESPONSE: { status: 502, errorType: "InternalServerErrorException", message: "Internal server error" },
} as const satisfies Readonly<Record<string, GatewayResponseDefault>>;

export type GatewayResponseType = keyof typeof gatewayResponseDefaults;

/** `$context.error.responseType`. */
export function spokenType(type: GatewayResponseType): string {
  if (type === "FORBIDDEN") return "DEFAULT_4XX";
  return type === "MALFORMED_RESPONSE" ? "DEFAULT_5XX" : type;
}
