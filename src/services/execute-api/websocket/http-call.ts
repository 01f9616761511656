import { compileEndpointUrl, type EndpointUrl } from "../integrations/endpoint-url.ts";
import { clientHeaders, passedHeaders, valuesOf } from "../integrations/forwarded-headers.ts";
import { openCertificate } from "../integrations/open-certificate.ts";
import type { UpstreamOutcome, UpstreamRequest } from "../integrations/upstream.ts";
import { queryWith } from "../rest/request-mapping.ts";
import type { EndpointCall, MappedEvent } from "./endpoint.ts";
import type { FailureType } from "./failures.ts";
import type { PublishedWebSocketEndpoint } from "./published.ts";
import type { WebSocketRequest, WebSocketStage } from "./request.ts";

/**
 * `HTTP` and `HTTP_PROXY`: the message is the body of a request. A handshake's headers and query go on to a proxied endpoint.
 *
 * AWS: an endpoint that cannot be reached or breaks off is a 504, one that is late too; one that does not exist, a 500.
 */
export function compileHttpCall(
  { needs, published }: WebSocketStage,
  integration: PublishedWebSocketEndpoint,
): EndpointCall {
  const { upstream } = needs.integrations;
  const url = compileEndpointUrl(integration.uri, published.variables);
  const clientCertificate = openCertificate(needs, published);
  const isProxy = integration.type === "HTTP_PROXY";
  const method = integration.httpMethod === "ANY" ? "POST" : integration.httpMethod;

  const headersOf = (request: WebSocketRequest, { parameters }: MappedEvent, host: string): string[] => {
    const names = new Set([...parameters.headers.keys()].map((name) => name.toLowerCase()));
    const sent: string[] = [];
    const add = (pairs: readonly string[]) => {
      for (let index = 0; index + 1 < pairs.length; index += 2) {
        const [name = "", value = ""] = [pairs[index], pairs[index + 1]];
        if (!names.has(name.toLowerCase())) sent.push(name, value);
      }
    };
    add(["Host", host]);
    const { event, route } = request;
    if (isProxy && event.type === "CONNECT") {
      // AWS: what was signed for the gateway is of no use behind it.
      const isSigned = route.authorizationType === "AWS_IAM";
      add(passedHeaders(event.exchange, (lower) => isOfHandshake(lower) || (isSigned && lower === "authorization")));
      add(clientHeaders(event.exchange));
    } else {
      add(["Accept", "application/json", "User-Agent", `AmazonAPIGateway_${published.apiId}`]);
      add(["X-Amzn-Trace-Id", `Root=${request.trace}`, "Content-Type", "application/json"]);
    }
    for (const [name, values] of parameters.headers) for (const value of values) sent.push(name, value);
    sent.push("x-amzn-apigateway-api-id", published.apiId);
    return sent;
  };

  const toUpstream = (request: WebSocketRequest, mapped: MappedEvent, to: EndpointUrl): UpstreamRequest | undefined => {
    const { path, query } = mapped.parameters;
    const target = to.fill((name) => path.get(name));
    if (target === undefined) return undefined;
    const { event } = request;
    const sent = queryWith(isProxy && event.type === "CONNECT" ? event.exchange.query : "", query);
    return {
      protocol: to.protocol,
      hostname: to.hostname,
      port: to.port,
      path: sent === "" ? target : `${target}${target.includes("?") ? "&" : "?"}${sent}`,
      method,
      headers: headersOf(request, mapped, to.host),
      body: method === "GET" || method === "HEAD" ? Buffer.alloc(0) : mapped.body,
      timeoutMs: integration.timeoutMs,
      insecure: false,
      ...(clientCertificate === undefined ? {} : { clientCertificate }),
    };
  };

  return (request, mapped, answered, failed) => {
    const sent = url && toUpstream(request, mapped, url);
    if (url === undefined || sent === undefined) {
      request.integration = { error: "Invalid endpoint address" };
      return failed("API_CONFIGURATION_ERROR");
    }
    request.journal?.sent({ uri: `${sent.protocol}//${url.host}${sent.path}`, headers: sent.headers, body: sent.body });
    const sentAt = needs.clock.now();
    upstream.send(sent, (outcome) => {
      note(request, outcome, needs.clock.now() - sentAt);
      if ("failure" in outcome) return failed(failures[outcome.failure]);
      const { status, headers, body } = outcome;
      answered({ status, headers, body, selectBy: String(status) });
    });
  };
}

const failures = {
  late: "INTEGRATION_TIMEOUT",
  broken: "INTEGRATION_FAILURE",
  "no-endpoint": "API_CONFIGURATION_ERROR",
  "too-large": "API_CONFIGURATION_ERROR",
} as const satisfies Record<string, FailureType>;

/** The protocol that the client asked the gateway for is not the endpoint's. */
function isOfHandshake(lower: string): boolean {
  return lower.startsWith("sec-websocket-") && lower !== "sec-websocket-protocol";
}

function note(request: WebSocketRequest, outcome: UpstreamOutcome, latencyMs: number): void {
  if ("failure" in outcome) {
    request.integration = { latencyMs, error: outcome.reason };
    request.journal?.error(`Execution failed: ${outcome.reason}`);
    return;
  }
  const { status, headers, body } = outcome;
  const requestId = valuesOf(headers, "x-amzn-requestid")[0] ?? valuesOf(headers, "x-amz-request-id")[0];
  request.integration = { status, integrationStatus: status, latencyMs, ...(requestId && { requestId }) };
  request.journal?.received({ status, latencyMs, headers, body });
}
