import { type Exchange, startExchange } from "../../../proxy/exchange.ts";
import { guard } from "../guard.ts";
import { readBody } from "../../../proxy/request-body.ts";
import { createHttpAuthorizers } from "../authorizers/http-authorizers.ts";
import { executeApiLimits } from "../limits.ts";
import { compileHttpAccessLog, compileHttpObserver, type HttpObserver } from "../logging/http-observer.ts";
import type { PublishedHttpStage, PublishedRoute } from "../port.ts";
import { createRouter } from "../router.ts";
import type { CompiledStage, StageNeeds } from "../stage-needs.ts";
import { compileCors } from "./cors.ts";
import { compileHttpProxy } from "./http-proxy.ts";
import { compileLambdaProxy } from "./lambda-proxy.ts";
import { createHttpRequest, type HttpIntegration, type HttpStage, refuse } from "./request.ts";
import { compileServiceIntegration } from "./service-integration.ts";
import { inOrder, stepsOf } from "./steps.ts";

interface CompiledRoute {
  readonly route: PublishedRoute;
  /** Empty for `$default`. */
  readonly path: string;
  /** Its steps, and its integration. */
  readonly run: HttpIntegration;
  readonly observe: HttpObserver | undefined;
}

/**
 * Make a stage of an HTTP API ready to answer: each route is compiled into the steps it needs and its integration.
 *
 * AWS: errors are a `message` alone, with `Not Found` for a path without a route.
 */
export function compileHttpStage(needs: StageNeeds, published: PublishedHttpStage): CompiledStage {
  const cors = published.cors === undefined ? undefined : compileCors(published.cors);
  const stage: HttpStage = { needs, published, cors, authorizers: createHttpAuthorizers(needs, published) };
  const accessLog = compileHttpAccessLog(needs, published);
  const compiled = published.routes.map((route) => {
    const observe = compileHttpObserver(needs, published, route, accessLog);
    return compileRoute(stage, route, observe);
  });
  const observeUnmatched = compileHttpObserver(needs, published, undefined, accessLog);
  /** Before a route was found, or a request read. */
  const refuseEarly = (
    exchange: Exchange,
    status: number,
    message: string,
    route: PublishedRoute,
    observe: HttpObserver | undefined,
  ) => {
    const request = createHttpRequest(stage, route, exchange, [], noBody);
    observe?.(request);
    refuse(request, status, message);
  };
  const fallback = compiled.find(({ route }) => route.routeKey === "$default");
  const router = createRouter(
    compiled
      .filter((route) => route !== fallback)
      .map((value) => ({ method: value.route.routeKey.split(" ")[0] ?? "", path: value.path, value })),
    "route-first",
  );

  return {
    answer: (request, response, paths) => {
      const exchange = startExchange(needs, request, response, paths);
      const { headers } = exchange;
      if (
        cors !== undefined &&
        exchange.method === "OPTIONS" &&
        headers.origin !== "" &&
        headers.requestedMethod !== ""
      ) {
        observeUnmatched?.(createHttpRequest(stage, noRoute, exchange, [], noBody));
        response.writeHead(204, ["apigw-requestid", exchange.extendedId, ...cors.preflight(headers.origin)]);
        response.end();
        return;
      }
      const match = router.match(exchange.method, exchange.path);
      const found = match?.value ?? fallback;
      if (found === undefined) {
        refuseEarly(exchange, 404, "Not Found", noRoute, observeUnmatched);
        return;
      }
      const parameters = match?.parameters ?? [];
      readBody(request, headers.hasBody, executeApiLimits.bodyBytesMax, (body) => {
        guard(needs.log, response, () => {
          if (body === undefined) refuseEarly(exchange, 413, "Request Entity Too Large", found.route, found.observe);
          else found.run(createHttpRequest(stage, found.route, exchange, parameters, body));
        });
      });
    },
  };
}

const noBody = Buffer.alloc(0);

/** What a request to no route is told by. */
const noRoute: PublishedRoute = {
  routeKey: "",
  authorizationType: "NONE",
  integration: { type: "HTTP_PROXY", uri: "", httpMethod: "", timeoutMs: 0 },
};

function compileRoute(stage: HttpStage, route: PublishedRoute, observe: HttpObserver | undefined): CompiledRoute {
  const path = route.routeKey === "$default" ? "" : route.routeKey.slice(route.routeKey.indexOf(" ") + 1);
  const run = inOrder(stepsOf(stage, route), compileIntegration(stage, route, path));
  return { route, path, observe, run: observe === undefined ? run : (request) => (observe(request), run(request)) };
}

function compileIntegration(stage: HttpStage, route: PublishedRoute, path: string): HttpIntegration {
  const { integration } = route;
  if (integration.type === "HTTP_PROXY") return compileHttpProxy(stage, path, integration);
  return "subtype" in integration
    ? compileServiceIntegration(stage, route, path, integration)
    : compileLambdaProxy(stage, route, path, integration);
}
