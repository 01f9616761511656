import { guarded } from "../guard.ts";
import { pipeline } from "node:stream";
import type { IncomingMessage } from "node:http";
import { compileEndpointUrl, type EndpointUrl } from "../integrations/endpoint-url.ts";
import { answeredHeaders, clientHeaders, passedHeaders, valuesOf } from "../integrations/forwarded-headers.ts";
import type { UpstreamFailure, UpstreamOutcome, UpstreamRequest } from "../integrations/upstream.ts";
import type { PublishedEndpointIntegration, PublishedMethod } from "../port.ts";
import type { IntegrationCall, IntegrationRequest } from "./endpoint-integration.ts";
import { compileResponses } from "./integration-answer.ts";
import { answer, answerHeaders, refuse, type RestRequest, type RestStage } from "./request.ts";
import { queryWith } from "./request-mapping.ts";

/**
 * `HTTP` and `HTTP_PROXY`.
 *
 * AWS: an endpoint that cannot be reached or breaks off is a 504, one that is late too; one that does not exist, or answers
 * more than 10 MB, is a 500.
 */
export function compileHttpIntegration(
  stage: RestStage,
  method: PublishedMethod,
  integration: PublishedEndpointIntegration,
): IntegrationCall {
  const { needs, published } = stage;
  const { upstream } = needs.integrations;
  const url = compileEndpointUrl(integration.uri, published.variables);
  const isProxy = integration.type === "HTTP_PROXY";
  const answerSelected = compileResponses(integration.responses);
  const signed = method.authorizationType === "AWS_IAM";

  const headersOf = (request: RestRequest, mapped: IntegrationRequest, host: string): string[] => {
    const { headers } = mapped.parameters;
    const names = new Set([...headers.keys()].map((name) => name.toLowerCase()));
    const own = isProxy
      ? [
          // AWS: what was signed for the gateway is of no use behind it.
          ...passedHeaders(request.exchange, (lower) => names.has(lower) || (signed && lower === "authorization")),
          ...clientHeaders(request.exchange),
        ]
      : ["Accept", "application/json", "User-Agent", `AmazonAPIGateway_${published.apiId}`, ...traceOf(request)];
    const sent = names.has("host") ? [] : ["Host", host];
    for (let index = 0; index < own.length; index += 2) {
      if (!names.has((own[index] ?? "").toLowerCase())) sent.push(own[index] ?? "", own[index + 1] ?? "");
    }
    if (!isProxy && !names.has("content-type")) {
      const type = mapped.contentType ?? request.exchange.headers.contentType;
      sent.push("Content-Type", type === "" ? "application/json" : type);
    }
    for (const [name, values] of headers) for (const value of values) sent.push(name, value);
    sent.push("x-amzn-apigateway-api-id", published.apiId);
    return sent;
  };

  const toUpstream = (
    request: RestRequest,
    mapped: IntegrationRequest,
    url: EndpointUrl,
  ): UpstreamRequest | undefined => {
    const { exchange } = request;
    const { query, path } = mapped.parameters;
    const target = url.fill((name) => path.get(name));
    if (target === undefined) return undefined;
    const sent = queryWith(isProxy ? exchange.query : "", query);
    const verb = integration.httpMethod === "ANY" ? exchange.method : integration.httpMethod;
    return {
      protocol: url.protocol,
      hostname: url.hostname,
      port: url.port,
      path: sent === "" ? target : `${target}${target.includes("?") ? "&" : "?"}${sent}`,
      method: verb,
      headers: headersOf(request, mapped, url.host),
      body: !isProxy && (verb === "GET" || verb === "HEAD") ? nothing : mapped.body,
      timeoutMs: integration.timeoutMs,
      insecure: integration.insecure === true,
      ...(stage.clientCertificate === undefined ? {} : { clientCertificate: stage.clientCertificate }),
    };
  };

  return (request, mapped) => {
    if (url === undefined) return fail(request, "no-endpoint", "Invalid endpoint address");
    const sent = toUpstream(request, mapped, url);
    if (sent === undefined) return refuse(request, "BAD_REQUEST_PARAMETERS", "Invalid path parameter");
    tellSent(request, sent);
    if (isProxy && integration.streams === true) {
      const cut = upstream.stream(
        sent,
        guarded(request, (head) => stream(request, head, cut)),
        (failure, reason) => fail(request, failure, reason),
      );
      return;
    }
    const done = guarded(request, (outcome: UpstreamOutcome) => {
      note(request, outcome);
      if ("failure" in outcome) return fail(request, outcome.failure, outcome.reason);
      if (!isProxy) {
        return answerSelected(request, { ...outcome, selectBy: String(outcome.status) });
      }
      const headers = answeredHeaders(outcome.headers);
      if (valuesOf(outcome.headers, "content-type").length === 0) headers.push("Content-Type", "application/json");
      answer(request.exchange, outcome.status, headers, outcome.body);
    });
    upstream.send(sent, done);
  };
}

const nothing = Buffer.alloc(0);

function traceOf({ exchange }: RestRequest): string[] {
  return ["X-Amzn-Trace-Id", `Root=${exchange.trace}`];
}

/** The endpoint's answer goes on as it comes; whoever goes away takes the other with them. */
function stream(request: RestRequest, head: IncomingMessage, cut: () => void): void {
  const { exchange, stage } = request;
  const { response } = exchange;
  const status = head.statusCode ?? 502;
  const headers = [...answeredHeaders(head.rawHeaders), ...answerHeaders(exchange)];
  response.writeHead(status, headers);
  response.flushHeaders();
  pipeline(head, response, (error) => {
    if (error === null || error === undefined) return exchange.meter?.answered(status, exchange.now);
    stage.needs.log.debug("A streamed answer broke off", { requestId: exchange.requestId, reason: error.message });
    cut();
    response.destroy();
  });
}

const failures: Readonly<Record<UpstreamFailure, (reason: string) => string>> = {
  late: () => "Execution failed due to a timeout error",
  broken: () => "Execution failed due to a network error communicating with endpoint",
  "no-endpoint": (reason) => `Execution failed due to configuration error: Invalid endpoint address: ${reason}`,
  "too-large": (reason) => `Execution failed due to configuration error: ${reason}`,
};

function note(request: RestRequest, outcome: UpstreamOutcome): void {
  const { exchange, stage } = request;
  const latencyMs = stage.needs.clock.now() - exchange.now;
  exchange.meter?.integrated?.(latencyMs);
  if (!("failure" in outcome)) request.journal?.received({ ...outcome, latencyMs });
  if ("failure" in outcome) request.integration = { latencyMs, error: outcome.reason };
  else {
    const requestId =
      valuesOf(outcome.headers, "x-amzn-requestid")[0] ?? valuesOf(outcome.headers, "x-amz-request-id")[0];
    const { status } = outcome;
    request.integration = {
      status,
      integrationStatus: status,
      latencyMs,
      ...(requestId === undefined ? {} : { requestId }),
    };
  }
}

function tellSent({ journal }: RestRequest, { protocol, hostname, port, path, headers, body }: UpstreamRequest): void {
  if (journal?.traces !== true) return;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  journal.sent({ uri: `${protocol}//${host}${port === "" ? "" : `:${port}`}${path}`, headers, body });
}

function fail(request: RestRequest, failure: UpstreamFailure, reason: string): void {
  request.journal?.error(failures[failure](reason));
  request.stage.needs.log.debug("An integration failed", { requestId: request.exchange.requestId, failure, reason });
  switch (failure) {
    case "late":
      return refuse(request, "INTEGRATION_TIMEOUT");
    case "broken":
      return refuse(request, "INTEGRATION_FAILURE", "Network error communicating with endpoint");
    case "no-endpoint":
    case "too-large":
      return refuse(request, "API_CONFIGURATION_ERROR");
  }
}
