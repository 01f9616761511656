import type { Exchange } from "../../../proxy/exchange.ts";
import type { IntegrationFacts } from "../context/request-facts.ts";
import type { LambdaCallOutcome } from "../lambda-call.ts";

/**
 * What a function behind a proxy integration has done, for `$context` and metrics.
 *
 * AWS: `integration.integrationStatus` is what Lambda answered, `integration.status` what came of it.
 */
export function noteFunction(
  request: { readonly exchange: Exchange; integration: IntegrationFacts | undefined },
  outcome: LambdaCallOutcome,
  requestId: string,
  latencyMs: number,
): void {
  request.exchange.meter?.integrated?.(latencyMs);
  switch (outcome.outcome) {
    case "answered":
      request.integration = { status: 200, integrationStatus: 200, latencyMs, requestId };
      return;
    case "failed":
      request.integration = {
        status: 200,
        integrationStatus: 200,
        latencyMs,
        requestId,
        error: "The function failed: its log tells why",
      };
      return;
    case "refused":
      request.integration = {
        integrationStatus: outcome.status,
        latencyMs,
        requestId,
        error: `Lambda refused the invocation with status ${outcome.status}`,
      };
      return;
    case "late":
      request.integration = { latencyMs, requestId, error: "The integration's timeout has passed" };
  }
}
