import type { AuthorizerFacts } from "../context/request-facts.ts";
import type { LambdaGrant } from "./lambda-grant.ts";

/** AWS: integrations get what the function returned as its context as text, and how long it took. */
export function grantFacts(
  { principalId, usageIdentifierKey, context = {} }: LambdaGrant,
  latencyMs: number,
): AuthorizerFacts & { readonly eventText: string } {
  const texts = Object.entries(context).map(([name, value]) => [name, value === null ? null : String(value)]);
  return {
    ...(principalId === undefined ? {} : { principalId }),
    ...(usageIdentifierKey === undefined ? {} : { usageIdentifierKey }),
    context,
    eventText: JSON.stringify({
      ...Object.fromEntries(texts),
      ...(principalId === undefined ? {} : { principalId }),
      integrationLatency: latencyMs,
    }),
  };
}
