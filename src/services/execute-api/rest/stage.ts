import { startExchange } from "../../../proxy/exchange.ts";
import { readBody } from "../../../proxy/request-body.ts";
import { createRestAuthorizers } from "../authorizers/rest-authorizers.ts";
import { executeApiLimits } from "../limits.ts";
import type { PublishedMethod, PublishedRestStage } from "../port.ts";
import { createRouter } from "../router.ts";
import type { CompiledStage, StageNeeds } from "../stage-needs.ts";
import { compileEndpoint } from "./endpoint-integration.ts";
import { compileGatewayResponses } from "./gateway-responses.ts";
import { compileLambdaProxy } from "./lambda-proxy.ts";
import { compileMockIntegration } from "./mock-integration.ts";
import { createRestRequest, refuseExchange, type RestIntegration, type RestStage } from "./request.ts";
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
  const stage: RestStage = {
    needs,
    published,
    gatewayResponses: compileGatewayResponses(published.gatewayResponses),
    binaryMediaTypes: published.binaryMediaTypes.map((type) => type.toLowerCase()),
    authorizers: createRestAuthorizers(needs, published),
  };
  const router = createRouter<CompiledMethod>(
    published.methods.map((method) => ({
      method: method.httpMethod,
      path: method.path,
      value: { method, run: inOrder(stepsOf(stage, method), compileIntegration(stage, method)) },
    })),
    "resource-first",
  );

  return {
    answer: (request, response, paths) => {
      const exchange = startExchange(needs, request, response, paths);
      const { path } = exchange;
      // AWS: a slash at the end leads to the same resource.
      const match = router.match(exchange.method, path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path);
      if (match === undefined) {
        refuseExchange(exchange, stage.gatewayResponses, "MISSING_AUTHENTICATION_TOKEN");
        return;
      }
      const { value, parameters } = match;
      readBody(request, exchange.headers.hasBody, executeApiLimits.bodyBytesMax, (body) => {
        if (body === undefined) refuseExchange(exchange, stage.gatewayResponses, "REQUEST_TOO_LARGE");
        else value.run(createRestRequest(stage, value.method, exchange, parameters, body));
      });
    },
  };
}

function compileIntegration(stage: RestStage, method: PublishedMethod): RestIntegration {
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
