import { parseResponseV1 } from "../../../proxy/lambda-response.ts";
import { compileLambdaCall, type LambdaCallOutcome } from "../lambda-call.ts";
import { writeEvent } from "./events.ts";
import type { PublishedWebSocketProxy } from "./published.ts";
import type { IntegrationOutcome, WebSocketIntegration, WebSocketStage } from "./request.ts";

/** `AWS_PROXY` with a function: it is told the event, and its answer decides the handshake or is sent to the client. */
export function compileLambdaProxy(stage: WebSocketStage, integration: PublishedWebSocketProxy): WebSocketIntegration {
  const { needs, published } = stage;
  const call = compileLambdaCall(needs, published, integration, "");
  return (request, done) =>
    call(request.route.routeKey, writeEvent(request), needs.identities.uuid(), request.trace, undefined, (outcome) =>
      done(toOutcome(outcome)),
    );
}

function toOutcome(outcome: LambdaCallOutcome): IntegrationOutcome {
  switch (outcome.outcome) {
    case "late":
      return { outcome: "failed", status: 504 };
    case "failed":
      return { outcome: "failed", status: 502 };
    case "refused":
      // AWS: a function that the API may not call is an internal error.
      return { outcome: "failed", status: outcome.status === 413 ? 413 : 500 };
    case "answered": {
      const parsed = parseResponseV1(outcome.payload);
      if (parsed === undefined) return { outcome: "failed", status: 502 };
      const body = parsed.isBase64Encoded ? Buffer.from(parsed.body, "base64") : parsed.body;
      return { outcome: "answered", status: parsed.statusCode, headers: parsed.headers, body };
    }
    default:
      return outcome satisfies never;
  }
}
