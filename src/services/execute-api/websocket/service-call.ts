import { AwsError } from "../../../aws/error.ts";
import type { Principal } from "../../../aws/principal.ts";
import { callService } from "../integrations/service-call.ts";
import { compileServiceUri } from "../integrations/service-uri.ts";
import { sourceArn } from "../lambda-call.ts";
import { callerCredentials } from "../rest/function-integration.ts";
import { queryWith } from "../rest/request-mapping.ts";
import type { EndpointCall, MappedEvent } from "./endpoint.ts";
import type { PublishedWebSocketEndpoint } from "./published.ts";
import type { WebSocketRequest, WebSocketStage } from "./request.ts";

/**
 * `AWS` with an operation of a service: it is asked in process as the role of the integration's credentials, or as whoever
 * signed the handshake that is decided, and its status selects the response.
 */
export function compileServiceCall(
  { needs, published }: WebSocketStage,
  integration: PublishedWebSocketEndpoint,
): EndpointCall {
  const target = compileServiceUri(integration.uri, published.variables);
  const { credentials, httpMethod, timeoutMs } = integration;

  const principalOf = async ({ caller, route }: WebSocketRequest): Promise<Principal | undefined> => {
    const arn = sourceArn(published, route.routeKey, "");
    if (credentials === undefined) {
      return {
        type: "service",
        service: "apigateway.amazonaws.com",
        sourceArn: arn,
        sourceAccount: published.account,
      };
    }
    return callerCredentials.test(credentials) ? caller : needs.integrations.roles.assume(credentials, arn);
  };

  const call = async (request: WebSocketRequest, { parameters, body }: MappedEvent, path: string) => {
    const principal = await principalOf(request);
    if (target === undefined || principal === undefined) throw new AwsError("AccessDenied", 403, "There is no caller");
    const headers: Record<string, string> = {
      accept: "application/json",
      "content-type": "application/json",
      "user-agent": `AmazonAPIGateway_${published.apiId}`,
      "x-amzn-apigateway-api-id": published.apiId,
      "x-amzn-trace-id": `Root=${request.trace}`,
    };
    for (const [name, values] of parameters.headers) headers[name.toLowerCase()] = values.join(",");
    request.journal?.sent({
      uri: `https://${target.service}.${target.region}.amazonaws.com${path}`,
      headers: Object.entries(headers).flat(),
      body,
    });
    return callService(needs, {
      target,
      path,
      method: httpMethod === "ANY" ? "POST" : httpMethod,
      query: queryWith("", parameters.query),
      headers,
      body,
      principal,
      account: published.account,
      region: target.region,
      endpoint: "http://localhost",
      requestId: needs.identities.uuid(),
      sourceIp: request.connection.sourceIp,
      timeoutMs,
    });
  };

  return (request, mapped, answered, failed) => {
    if (target === undefined) return failed("API_CONFIGURATION_ERROR");
    const path = target.fill((name) => mapped.parameters.path.get(name));
    if (path === undefined) return failed("BAD_REQUEST_PARAMETERS", "Invalid path parameter");
    const sentAt = needs.clock.now();
    call(request, mapped, path).then(
      (answer) => {
        const latencyMs = needs.clock.now() - sentAt;
        if (answer === "late") {
          request.integration = { latencyMs, error: "The service is late" };
          return failed("INTEGRATION_TIMEOUT");
        }
        const { status, body } = answer;
        const headers = Object.entries(answer.headers).flat();
        const requestId = answer.headers["x-amzn-requestid"];
        request.integration = { status, integrationStatus: status, latencyMs, ...(requestId && { requestId }) };
        request.journal?.received({ status, latencyMs, headers, body });
        answered({ status, headers, body, selectBy: String(status) });
      },
      (error: unknown) => {
        const { log } = needs;
        const { requestId } = request;
        if (error instanceof AwsError) log.debug("An integration was refused", { requestId, reason: error.message });
        else log.error("An integration broke", { requestId, error });
        const reason = error instanceof AwsError ? error.message : "Internal error";
        request.integration = { error: reason };
        request.journal?.error(`Execution failed due to configuration error: ${reason}`);
        failed("API_CONFIGURATION_ERROR");
      },
    );
  };
}
