import type { AccessFacts } from "../context/request-facts.ts";
import type { LambdaVerdict } from "./lambda-authorizer.ts";

/** What access logs tell of asking a function. */
export function accessFacts(verdict: LambdaVerdict, requestId: string): NonNullable<AccessFacts["authorizer"]> {
  if (verdict.verdict === "granted") {
    const { latencyMs } = verdict;
    return { status: 200, integrationStatus: 200, integrationLatencyMs: latencyMs, latencyMs, requestId };
  }
  const error = verdict.verdict === "misconfigured" ? verdict.reason : verdict.verdict;
  return { status: verdict.verdict === "unauthorized" ? 401 : 500, requestId, error };
}
