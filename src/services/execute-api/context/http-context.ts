import { decodePercent } from "../../../proxy/percent-decoding.ts";
import type { HttpRequest } from "../http/request.ts";
import { sharedVariables, variableReader, type Variables } from "./shared-variables.ts";

/**
 * A `$context` variable of an HTTP API: `name` as `identity.sourceIp`, `routeKey`, `authorizer.claims.sub`. What does not
 * exist, or not yet, is undefined: access logs print `-` for it.
 *
 * Source: "Customize HTTP API access logs".
 */
export function httpVariable(request: HttpRequest, name: string): unknown {
  return read(request, name);
}

const variables: Variables<HttpRequest> = {
  ...sharedVariables,
  awsEndpointRequestId2: ({ integration }) => integration?.requestId2,
  dataProcessed: ({ body, answered }) => (answered === undefined ? undefined : body.length + answered.bytes),
  path: ({ exchange }) => decodePercent(exchange.fullPath),
  // AWS: HTTP APIs have one identifier for a request.
  requestId: ({ exchange }) => exchange.extendedId,
  routeKey: ({ route }) => route.routeKey || undefined,
};

const read = variableReader(variables, (value) => value);
