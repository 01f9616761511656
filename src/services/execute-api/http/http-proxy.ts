import { guarded } from "../guard.ts";
import { sourceIp } from "../../../proxy/client-address.ts";
import { type Exchange, forwardedProto } from "../../../proxy/exchange.ts";
import { compileEndpointUrl } from "../integrations/endpoint-url.ts";
import { clientHeaders, passedHeaders, proxiedHeaders } from "../integrations/forwarded-headers.ts";
import type { UpstreamFailure, UpstreamOutcome } from "../integrations/upstream.ts";
import type { PublishedHttpProxyIntegration } from "../port.ts";
import { pathVariables } from "../router.ts";
import { withoutCors } from "./cors.ts";
import { compileRequestParameters, compileResponseParameters } from "./parameter-mapping.ts";
import { answer, type HttpIntegration, type HttpRequest, type HttpStage, refuse } from "./request.ts";

/**
 * `HTTP_PROXY`: an HTTP endpoint answers, and the client gets its answer as it is, but for what the mappings change.
 *
 * AWS: `Service Unavailable` for an endpoint that is late or breaks off, `Internal Server Error` for one that is not there.
 */
export function compileHttpProxy(
  stage: HttpStage,
  path: string,
  integration: PublishedHttpProxyIntegration,
): HttpIntegration {
  const { needs, published } = stage;
  const uri = integration.uri.replaceAll(/\$\{request\.path\.([\w.-]+)\}/g, "{$1}");
  const url = compileEndpointUrl(uri, published.variables);
  const variables = pathVariables(path);
  const mapRequest = compileRequestParameters(integration.requestParameters, path);
  const mapResponse = compileResponseParameters(integration.responseParameters, path);

  return (request) => {
    const { exchange, path: mappedPath } = mapRequest?.(request) ?? { exchange: request.exchange, path: undefined };
    if (url === undefined) return fail(request, "no-endpoint", "Invalid endpoint address");
    const own = mappedPath ?? url.fill((name) => request.parameters[variables.indexOf(name)]);
    if (own === undefined) return refuse(request, 400, "Bad Request");
    const { query } = exchange;
    needs.integrations.upstream.send(
      {
        protocol: url.protocol,
        hostname: url.hostname,
        port: url.port,
        path: query === "" ? own : `${own}${own.includes("?") ? "&" : "?"}${query}`,
        method: integration.httpMethod === "ANY" ? exchange.method : integration.httpMethod,
        headers: [
          "Host",
          url.host,
          ...passedHeaders(exchange, (lower) => lower === "forwarded" || lower === "via"),
          ...clientHeaders(exchange),
          "Forwarded",
          forwarded(exchange),
          "Via",
          "HTTP/1.1 AmazonAPIGateway",
        ],
        body: request.body,
        timeoutMs: integration.timeoutMs,
        insecure: false,
        ...(integration.serverName === undefined ? {} : { serverName: integration.serverName }),
      },
      guarded(request, (outcome: UpstreamOutcome) => {
        const latencyMs = needs.clock.now() - exchange.now;
        exchange.meter?.integrated?.(latencyMs);
        if ("failure" in outcome) {
          request.integration = { latencyMs, error: outcome.reason };
          return fail(request, outcome.failure, outcome.reason);
        }
        request.integration = { status: outcome.status, integrationStatus: outcome.status, latencyMs };
        const headers = proxiedHeaders(outcome.headers);
        const answered = { headers, body: outcome.body };
        const mapped = mapResponse?.(request, outcome.status, answered) ?? { status: outcome.status, headers };
        const sent = stage.cors === undefined ? mapped.headers : withoutCors(mapped.headers);
        answer(request.exchange, stage, mapped.status, sent, outcome.body);
      }),
    );
  };
}

/** Whoever the request came from and through, as RFC 7239 writes it. */
function forwarded(exchange: Exchange): string {
  const ip = sourceIp(exchange.request);
  const address = ip.includes(":") ? `"[${ip}]"` : ip;
  const host = /^[\w.-]+$/.test(exchange.headers.host) ? exchange.headers.host : JSON.stringify(exchange.headers.host);
  return `by=${address};for=${address};host=${host};proto=${forwardedProto(exchange.request)}`;
}

function fail(request: HttpRequest, failure: UpstreamFailure, reason: string): void {
  request.stage.needs.log.debug("An integration failed", { requestId: request.exchange.requestId, failure, reason });
  const isGone = failure === "late" || failure === "broken";
  refuse(request, isGone ? 503 : 500, isGone ? "Service Unavailable" : "Internal Server Error");
}
