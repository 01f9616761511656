import type { RouteOutcome, WebSocketRequest } from "./request.ts";

/**
 * Why the gateway ends an event by itself, and what it says of it: the statuses of handshakes, and the messages of error frames.
 *
 * AWS names these types for REST APIs; `$context.error.responseType` has them here, too.
 */
const failures = {
  UNAUTHORIZED: [401, "Unauthorized"],
  ACCESS_DENIED: [403, "User is not authorized to access this resource"],
  MISSING_AUTHENTICATION_TOKEN: [403, "Forbidden"],
  INVALID_API_KEY: [403, "Forbidden"],
  RESOURCE_NOT_FOUND: [403, "Forbidden"],
  BAD_REQUEST_PARAMETERS: [400, "Missing required request parameters"],
  BAD_REQUEST_BODY: [400, "Invalid request body"],
  UNSUPPORTED_MEDIA_TYPE: [415, "Unsupported Media Type"],
  REQUEST_TOO_LARGE: [413, "Request Too Long"],
  THROTTLED: [429, "Too Many Requests"],
  QUOTA_EXCEEDED: [429, "Limit Exceeded"],
  AUTHORIZER_CONFIGURATION_ERROR: [500, "Internal server error"],
  AUTHORIZER_FAILURE: [500, "Internal server error"],
  API_CONFIGURATION_ERROR: [500, "Internal server error"],
  MALFORMED_RESPONSE: [502, "Internal server error"],
  INTEGRATION_FAILURE: [504, "Network error communicating with endpoint"],
  INTEGRATION_TIMEOUT: [504, "Endpoint request timed out"],
} as const satisfies Readonly<Record<string, readonly [status: number, message: string]>>;

export type FailureType = keyof typeof failures;

/**
 * End an event.
 *
 * @param message where it is not the type's own
 * @param validationError `$context.error.validationErrorString`, where a message was not valid
 */
export function fail(
  request: WebSocketRequest,
  done: (outcome: RouteOutcome) => void,
  type: FailureType,
  message: string = failures[type][1],
  validationError?: string,
): void {
  request.failure = { type, message, ...(validationError === undefined ? {} : { validationError }) };
  done({ outcome: "failed", status: failures[type][0], message });
}
