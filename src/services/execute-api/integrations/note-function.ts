import type { Exchange } from "../../../proxy/exchange.ts";
import type { IntegrationFacts } from "../context/request-facts.ts";
import type { LambdaCallOutcome } from "../lambda-call.ts";

/** What a function behind a proxy integration has done, for `$context` and metrics. */
export function noteFunction(
  request: { readonly exchange: Exchange; integration: IntegrationFacts | undefined },
  outcome: LambdaCallOutcome,
  requestId: string,
  latencyMs: number,
): void {
  request.exchange.meter?.integrated?.(latencyMs);
  request.integration = functionFacts(outcome, requestId, latencyMs);
}

/** The status that a function's answer has, once it was read. */
export function noteReturned(
  { integration }: { readonly integration: IntegrationFacts | undefined },
  status: number,
): void {
  if (integration !== undefined) integration.status = status;
}

/**
 * What a function has done, for `$context`.
 *
 * AWS: `integration.integrationStatus` is what Lambda answered, `integration.status` what the function's code returned:
 * `noteReturned` tells it.
 */
export function functionFacts(outcome: LambdaCallOutcome, requestId: string, latencyMs: number): IntegrationFacts {
  switch (outcome.outcome) {
    case "answered":
      return { status: 200, integrationStatus: 200, latencyMs, requestId };
    case "failed":
      return {
        status: 200,
        integrationStatus: 200,
        latencyMs,
        requestId,
        error: "The function failed: its log tells why",
      };
    case "refused":
      return {
        integrationStatus: outcome.status,
        latencyMs,
        requestId,
        error: `Lambda refused the invocation with status ${outcome.status}`,
      };
    case "late":
      return { latencyMs, requestId, error: "The integration's timeout has passed" };
  }
}
