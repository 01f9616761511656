import { functionFacts } from "../integrations/note-function.ts";
import { compileLambdaCall } from "../lambda-call.ts";
import { functionArnOf } from "../lambda-target.ts";
import { callerCredentials, invocationHeaders } from "../rest/function-integration.ts";
import { errorMessageOf } from "../rest/tell-function.ts";
import type { EndpointCall } from "./endpoint.ts";
import type { PublishedWebSocketEndpoint } from "./published.ts";
import type { WebSocketStage } from "./request.ts";

/**
 * `AWS` with a function: the mapped message is its event, and its error message selects the response. Undefined for an
 * integration with anything else, and for calls that are not answered with the function's result.
 */
export function compileFunctionCall(
  { needs, published }: WebSocketStage,
  { uri, timeoutMs, credentials, requestParameters }: PublishedWebSocketEndpoint,
): EndpointCall | undefined {
  const isAnsweredLater = Object.keys(requestParameters).some((name) => invocationHeaders.test(name));
  if (isAnsweredLater || functionArnOf(uri, published.variables) === undefined) return undefined;
  const asCaller = credentials !== undefined && callerCredentials.test(credentials);
  const as = asCaller ? { asCaller } : credentials === undefined ? {} : { credentials };
  const call = compileLambdaCall(needs, published, { type: "AWS_PROXY", uri, timeoutMs, ...as }, "");
  return (request, { body }, answered, failed) => {
    const event = body.length === 0 ? "{}" : body.toString("utf8");
    if (!isJson(event)) return failed("BAD_REQUEST_BODY", "Could not parse request body into json");
    const id = needs.identities.uuid();
    const sentAt = needs.clock.now();
    request.journal?.sent({ uri, headers: [], body: event });
    call(request.route.routeKey, event, id, request.trace, request.caller, (outcome) => {
      request.integration = functionFacts(outcome, id, needs.clock.now() - sentAt);
      if (outcome.outcome === "late") return failed("INTEGRATION_TIMEOUT");
      if (outcome.outcome === "refused") {
        return failed(outcome.status === 413 ? "REQUEST_TOO_LARGE" : "API_CONFIGURATION_ERROR");
      }
      const payload = Buffer.from(outcome.payload);
      const hasFailed = outcome.outcome === "failed";
      answered({
        status: 200,
        headers: ["Content-Type", "application/json"],
        body: payload,
        selectBy: hasFailed ? errorMessageOf(payload) : undefined,
        hasFailed,
      });
    });
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
