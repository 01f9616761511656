import { TLSSocket } from "node:tls";
import type { Exchange } from "../../../proxy/exchange.ts";
import type { RestRequest } from "../rest/request.ts";
import { contextPathOf } from "../stage-needs.ts";
import { accessVariables, sharedVariables, variableReader, type Variables } from "./shared-variables.ts";

/**
 * A `$context` variable of a REST API: `name` as `identity.sourceIp`, `error.message`, `authorizer.claims.sub`. What does not
 * exist, or not yet, is undefined: templates print nothing for it, access logs `-`.
 *
 * Source: "Variables for data transformations for API Gateway" and "Variables for access logging for API Gateway".
 */
export function restVariable(request: RestRequest, name: string): unknown {
  return read(request, name);
}

const variables: Variables<RestRequest> = {
  ...sharedVariables,
  ...accessVariables,
  cipherSuite: ({ exchange }) => encryption(exchange)?.getCipher().name,
  "customDomain.routingRuleIdMatched": ({ exchange }) => exchange.domain?.routingRuleIdMatched,
  deploymentId: ({ stage }) => stage.published.deploymentId,
  endpointType: ({ stage }) => stage.published.endpointType,
  "identity.apiKey": ({ apiKey }) => apiKey?.value,
  "identity.apiKeyId": ({ apiKey }) => apiKey?.id,
  isCanaryRequest: ({ stage }) => stage.published.isCanary === true,
  path: ({ exchange, stage }) => contextPathOf(stage.published, exchange),
  requestId: ({ exchange }) => exchange.requestId,
  resourceId: ({ method }) => method.resourceId || undefined,
  resourcePath: ({ method }) => method.path || undefined,
  tlsVersion: ({ exchange }) => encryption(exchange)?.getProtocol() ?? undefined,
  xrayTraceId: ({ exchange }) => exchange.trace,
};

/** Every name with a value of its own; an authorizer's context and claims come on top. */
export const restVariableNames: readonly string[] = Object.keys(variables);

/** Undefined where the client speaks plain HTTP, and where a proxy has taken the encryption off. */
function encryption({ request }: Exchange): TLSSocket | undefined {
  return request.socket instanceof TLSSocket ? request.socket : undefined;
}

// AWS: a REST API gives what its authorizer returned as text.
const read = variableReader(variables, String);
