import { guarded } from "../guard.ts";
import { AwsError } from "../../../aws/error.ts";
import { sourceIp } from "../../../proxy/client-address.ts";
import { callService } from "../integrations/service-call.ts";
import { compileServiceUri } from "../integrations/service-uri.ts";
import { sourceArn } from "../lambda-call.ts";
import type { PublishedEndpointIntegration, PublishedMethod } from "../port.ts";
import type { IntegrationCall, IntegrationRequest } from "./endpoint-integration.ts";
import { callerCredentials } from "./function-integration.ts";
import { compileResponses } from "./integration-answer.ts";
import { refuse, type RestRequest, type RestStage } from "./request.ts";
import { queryWith } from "./request-mapping.ts";

/**
 * `AWS` with an operation of a service: the service is asked in process as the role of the integration's credentials, or as the
 * caller, and its status selects the response.
 */
export function compileServiceIntegration(
  stage: RestStage,
  method: PublishedMethod,
  integration: PublishedEndpointIntegration,
): IntegrationCall {
  const { needs, published } = stage;
  const target = compileServiceUri(integration.uri, published.variables);
  const answerSelected = compileResponses(integration.responses);
  const { credentials } = integration;
  const asCaller = credentials !== undefined && callerCredentials.test(credentials);

  const principalOf = async (request: RestRequest) => {
    if (asCaller) return request.caller;
    const arn = sourceArn(published, method.httpMethod === "ANY" ? "*" : method.httpMethod, method.path);
    if (credentials !== undefined) return needs.integrations.roles.assume(credentials, arn);
    return {
      type: "service",
      service: "apigateway.amazonaws.com",
      sourceArn: sourceArn(published, request.exchange.method, method.path),
      sourceAccount: published.account,
    } as const;
  };

  const call = async (request: RestRequest, mapped: IntegrationRequest, path: string) => {
    const { exchange } = request;
    const principal = await principalOf(request);
    if (target === undefined || principal === undefined) throw new AwsError("AccessDenied", 403, "There is no caller");
    const headers: Record<string, string> = {
      accept: "application/json",
      "content-type": mapped.contentType ?? (exchange.headers.contentType || "application/json"),
      "user-agent": `AmazonAPIGateway_${published.apiId}`,
      "x-amzn-apigateway-api-id": published.apiId,
      "x-amzn-trace-id": `Root=${exchange.trace}`,
    };
    for (const [name, values] of mapped.parameters.headers) headers[name.toLowerCase()] = values.join(",");
    request.journal?.sent({
      uri: `https://${target.service}.${target.region}.amazonaws.com${path}`,
      headers: Object.entries(headers).flat(),
      body: mapped.body,
    });
    return callService(needs, {
      target,
      path,
      method: integration.httpMethod === "ANY" ? exchange.method : integration.httpMethod,
      query: queryWith("", mapped.parameters.query),
      headers,
      body: mapped.body,
      principal,
      account: published.account,
      region: target.region,
      endpoint: `http://localhost:${exchange.request.socket.localPort ?? 80}`,
      requestId: needs.identities.uuid(),
      sourceIp: sourceIp(exchange.request),
      timeoutMs: integration.timeoutMs,
    });
  };

  return (request, mapped) => {
    const path = target?.fill((name) => mapped.parameters.path.get(name));
    if (target === undefined) return refuse(request, "API_CONFIGURATION_ERROR");
    if (path === undefined) return refuse(request, "BAD_REQUEST_PARAMETERS", "Invalid path parameter");
    call(request, mapped, path).then(
      guarded(request, (answered) => {
        const latencyMs = needs.clock.now() - request.exchange.now;
        request.exchange.meter?.integrated?.(latencyMs);
        if (answered === "late") {
          request.integration = { latencyMs, error: "The service is late" };
          request.journal?.error("Execution failed due to a timeout error");
          return refuse(request, "INTEGRATION_TIMEOUT");
        }
        const { status, headers, body } = answered;
        const requestId = headers["x-amzn-requestid"];
        request.journal?.received({ status, latencyMs, headers: Object.entries(headers).flat(), body });
        request.integration = { status, integrationStatus: status, latencyMs, ...(requestId && { requestId }) };
        answerSelected(request, { headers: Object.entries(headers).flat(), body, selectBy: String(status) });
      }),
      (error: unknown) => {
        const { log } = needs;
        const { requestId } = request.exchange;
        if (error instanceof AwsError) log.debug("An integration was refused", { requestId, reason: error.message });
        else log.error("An integration broke", { requestId, error });
        request.integration = { error: error instanceof Error ? error.message : "" };
        const reason = error instanceof AwsError ? error.message : "Internal error";
        request.journal?.error(`Execution failed due to configuration error: ${reason}`);
        refuse(request, "API_CONFIGURATION_ERROR");
      },
    );
  };
}
