import { parseResponseV1 } from "../../../proxy/lambda-response.ts";
import { functionFacts } from "../integrations/note-function.ts";
import { compileLambdaCall, type LambdaCallOutcome } from "../lambda-call.ts";
import { writeEvent } from "./events.ts";
import { fail } from "./failures.ts";
import type { PublishedWebSocketProxy } from "./published.ts";
import type { RouteOutcome, WebSocketIntegration, WebSocketRequest, WebSocketStage } from "./request.ts";

/** `AWS_PROXY` with a function: it is told the event, and its answer decides the handshake or is sent to the client. */
export function compileLambdaProxy(stage: WebSocketStage, integration: PublishedWebSocketProxy): WebSocketIntegration {
  const { needs, published } = stage;
  const call = compileLambdaCall(needs, published, integration, "");
  return (request, done) => {
    const id = needs.identities.uuid();
    const sentAt = needs.clock.now();
    const event = writeEvent(request);
    request.journal?.sent({ uri: integration.uri, headers: [], body: event });
    call(request.route.routeKey, event, id, request.trace, request.caller, (outcome) => {
      request.integration = functionFacts(outcome, id, needs.clock.now() - sentAt);
      finish(request, outcome, done);
    });
  };
}

function finish(request: WebSocketRequest, outcome: LambdaCallOutcome, done: (outcome: RouteOutcome) => void): void {
  switch (outcome.outcome) {
    case "late":
      return fail(request, done, "INTEGRATION_TIMEOUT");
    case "failed":
      return fail(request, done, "MALFORMED_RESPONSE");
    case "refused":
      // AWS: a function that the API may not call is an internal error.
      return fail(request, done, outcome.status === 413 ? "REQUEST_TOO_LARGE" : "API_CONFIGURATION_ERROR");
    case "answered": {
      const parsed = parseResponseV1(outcome.payload);
      if (parsed === undefined) return fail(request, done, "MALFORMED_RESPONSE");
      const body = parsed.isBase64Encoded ? Buffer.from(parsed.body, "base64") : parsed.body;
      if (request.integration !== undefined)
        request.integration = { ...request.integration, status: parsed.statusCode };
      return done({ outcome: "answered", status: parsed.statusCode, headers: parsed.headers, body });
    }
  }
}
