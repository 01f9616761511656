import { guarded } from "../guard.ts";
import { AwsError } from "../../../aws/error.ts";
import { sourceIp } from "../../../proxy/client-address.ts";
import { callService } from "../integrations/service-call.ts";
import { serviceSubtypes, subtypeInput, subtypeTarget } from "../integrations/service-subtypes.ts";
import { sourceArn } from "../lambda-call.ts";
import type { PublishedRoute, PublishedServiceIntegration } from "../port.ts";
import { compileResponseParameters } from "./parameter-mapping.ts";
import { compileParameterValue } from "./parameter-values.ts";
import { answer, type HttpIntegration, type HttpRequest, type HttpStage, refuse } from "./request.ts";

/** `AWS_PROXY` with a subtype: an operation of a service, called with the role of the integration, answers. */
export function compileServiceIntegration(
  stage: HttpStage,
  route: PublishedRoute,
  path: string,
  integration: PublishedServiceIntegration,
): HttpIntegration {
  const { needs, published } = stage;
  const subtype = serviceSubtypes.get(integration.subtype);
  const parameters = Object.entries(integration.requestParameters ?? {}).map(
    ([name, text]) => [name, compileParameterValue(text, path)] as const,
  );
  const mapResponse = compileResponseParameters(integration.responseParameters, path);
  const arn = sourceArn(published, "*", route.routeKey === "$default" ? "/$default" : path);

  const call = async (request: HttpRequest) => {
    const { exchange } = request;
    const values = new Map<string, string>();
    for (const [name, read] of parameters) {
      const value = read(request);
      if (value !== undefined) values.set(name, value);
    }
    const input = subtype && subtypeInput(subtype, values);
    if (subtype === undefined || input === undefined)
      throw new AwsError("BadRequest", 400, "A parameter is not what the operation takes");
    const userAgent = { "user-agent": `AmazonAPIGateway_${published.apiId}` };
    const asPath = subtypeTarget(subtype, values);
    return callService(needs, {
      ...(asPath === undefined
        ? {
            target: subtype,
            path: "/",
            method: "POST",
            query: "",
            headers: { "content-type": "application/x-amz-json-1.0", ...userAgent },
            body: Buffer.from(input, "utf8"),
          }
        : {
            target: { service: subtype.service, action: undefined },
            ...asPath,
            method: "GET",
            headers: userAgent,
            body: Buffer.alloc(0),
          }),
      principal: await needs.integrations.roles.assume(integration.credentials, arn),
      account: published.account,
      region: values.get("Region") ?? published.region,
      endpoint: `http://localhost:${exchange.request.socket.localPort ?? 80}`,
      requestId: needs.identities.uuid(),
      sourceIp: sourceIp(exchange.request),
      timeoutMs: integration.timeoutMs,
    });
  };

  return (request) => {
    call(request).then(
      guarded(request, (answered) => {
        const latencyMs = needs.clock.now() - request.exchange.now;
        request.exchange.meter?.integrated?.(latencyMs);
        if (answered === "late") {
          request.integration = { latencyMs, error: "The service is late" };
          return refuse(request, 503, "Service Unavailable");
        }
        const { status, body } = answered;
        const requestId = answered.headers["x-amzn-requestid"];
        request.integration = { status, integrationStatus: status, latencyMs, ...(requestId && { requestId }) };
        const headers = ["content-type", "application/json"];
        const mapped = mapResponse?.(request, status, { headers, body }) ?? { status, headers };
        answer(request.exchange, stage, mapped.status, mapped.headers, body);
      }),
      (error: unknown) => {
        const { log } = needs;
        const { requestId } = request.exchange;
        if (error instanceof AwsError) log.debug("An integration was refused", { requestId, reason: error.message });
        else log.error("An integration broke", { requestId, error });
        request.integration = { error: error instanceof Error ? error.message : "" };
        const isInput = error instanceof AwsError && error.status === 400;
        refuse(request, isInput ? 400 : 500, isInput ? "Bad Request" : "Internal Server Error");
      },
    );
  };
}
