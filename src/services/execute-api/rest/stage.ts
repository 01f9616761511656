import { openCertificate } from "../integrations/open-certificate.ts";
import { startExchange } from "../../../proxy/exchange.ts";
import { guard } from "../guard.ts";
import { readBody } from "../../../proxy/request-body.ts";
import { createRestAuthorizers } from "../authorizers/rest-authorizers.ts";
import { executeApiLimits } from "../limits.ts";
import { compileRestAccessLog, compileRestObserver } from "../logging/rest-observer.ts";
import type { PublishedMethod, PublishedRestStage } from "../port.ts";
import { createRouter } from "../router.ts";
import type { CompiledStage, StageNeeds } from "../stage-needs.ts";
import { compileEndpoint } from "./endpoint-integration.ts";
import { compileGatewayResponses } from "./gateway-responses.ts";
import { compileLambdaProxy } from "./lambda-proxy.ts";
import { compileMockIntegration } from "./mock-integration.ts";
import { createRestRequest, createUnmatchedRequest, refuse, type RestIntegration, type RestStage } from "./request.ts";
import { inOrder, stepsOf } from "./steps.ts";

interface CompiledMethod {
  readonly method: PublishedMethod;
  /** Its steps, and its integration. */
  readonly run: RestIntegration;
}

/**
 * Make a stage of a REST API ready to answer: each method is compiled into the steps it needs and its integration.
 *
 * AWS: a path or method that the API lacks is answered 403 `Missing Authentication Token`.
 */
export function compileRestStage(needs: StageNeeds, published: PublishedRestStage): CompiledStage {
  const stage = createRestStage(needs, published);
  const accessLog = compileRestAccessLog(needs, published);
  const compile = (method: PublishedMethod): CompiledMethod => {
    const observe = compileRestObserver(needs, published, method, accessLog);
    const run = inOrder(stepsOf(stage, method), compileIntegration(stage, method));
    return { method, run: observe === undefined ? run : (request) => (observe(request), run(request)) };
  };
  const router = createRouter<CompiledMethod>(
    published.methods.map((method) => ({ method: method.httpMethod, path: method.path, value: compile(method) })),
    "resource-first",
  );
  const observeUnmatched = compileRestObserver(needs, published, undefined, accessLog);

  return {
    answer: (request, response, paths) => {
      const exchange = startExchange(needs, request, response, paths);
      const { path } = exchange;
      // AWS: a slash at the end leads to the same resource.
      const match = router.match(exchange.method, path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path);
      if (match === undefined) {
        const unmatched = createUnmatchedRequest(stage, exchange);
        observeUnmatched?.(unmatched);
        refuse(unmatched, "MISSING_AUTHENTICATION_TOKEN");
        return;
      }
      const { value, parameters } = match;
      readBody(request, exchange.headers.hasBody, executeApiLimits.bodyBytesMax, (body) => {
        guard(needs.log, response, () => {
          if (body !== undefined) {
            value.run(createRestRequest(stage, value.method, exchange, parameters, body));
            return;
          }
          const unread = createUnmatchedRequest(stage, exchange);
          observeUnmatched?.(unread);
          refuse(unread, "REQUEST_TOO_LARGE");
        });
      });
    },
  };
}

export function createRestStage(needs: StageNeeds, published: PublishedRestStage): RestStage {
  return {
    needs,
    published,
    gatewayResponses: compileGatewayResponses(published.gatewayResponses),
    binaryMediaTypes: published.binaryMediaTypes.map((type) => type.toLowerCase()),
    authorizers: createRestAuthorizers(needs, published),
    clientCertificate: openCertificate(needs, published),
  };
}

export function compileIntegration(stage: RestStage, method: PublishedMethod): RestIntegration {
  const { integration } = method;
  switch (integration.type) {
    case "MOCK":
      return compileMockIntegration(integration);
    case "AWS_PROXY":
      return compileLambdaProxy(stage, method, integration);
    case "HTTP":
    case "HTTP_PROXY":
    case "AWS":
      return compileEndpoint(stage, method, integration);
  }
}
