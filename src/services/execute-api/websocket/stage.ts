import type { RequestPaths } from "../../../proxy/exchange.ts";
import type { HttpRequest, HttpResponse } from "../../../proxy/http-exchange.ts";
import type { CompiledStage } from "../stage-needs.ts";
import { fail } from "./failures.ts";
import { compileLambdaProxy } from "./lambda-proxy.ts";
import { compileMapped } from "./mapped-integration.ts";
import { compileAccessLog, observed } from "./observe.ts";
import type { PublishedWebSocketRoute, PublishedWebSocketStage } from "./published.ts";
import type { WebSocketIntegration, WebSocketStage, WebSocketStageNeeds } from "./request.ts";
import { parseMessage, parseSelectionExpression } from "./selection.ts";
import { inOrder, stepsOf } from "./steps.ts";

/** A stage of a WebSocket API, made ready. */
export interface CompiledWebSocketStage extends CompiledStage {
  readonly webSocket: WebSocketRoutes;
}

export interface WebSocketRoutes {
  readonly stage: WebSocketStage;
  readonly connect: CompiledRoute | undefined;
  readonly disconnect: CompiledRoute | undefined;
  /** The route of a message: by the stage's expression, else `$default`; where there is neither, one that refuses it. */
  select(body: string): CompiledRoute;
}

export interface CompiledRoute {
  readonly route: PublishedWebSocketRoute;
  /** Its steps, and its integration. */
  readonly run: WebSocketIntegration;
}

/** Answers requests to a stage of a WebSocket API: handshakes, and what comes over plain HTTP. */
export type AnswerOn = (
  stage: CompiledWebSocketStage,
  request: HttpRequest,
  response: HttpResponse,
  paths: RequestPaths,
) => void;

export function compileWebSocketStage(
  needs: WebSocketStageNeeds,
  published: PublishedWebSocketStage,
  answerOn: AnswerOn,
): CompiledWebSocketStage {
  const stage: WebSocketStage = { needs, published };
  const accessLog = compileAccessLog(stage);
  const compile = (route: PublishedWebSocketRoute): CompiledRoute => {
    const run = inOrder(stepsOf(stage, route), compileIntegration(stage, route));
    return { route, run: observed(stage, route, accessLog, run) };
  };
  const routes = new Map(published.routes.map((route) => [route.routeKey, compile(route)]));
  const take = (key: string) => {
    const route = routes.get(key);
    routes.delete(key);
    return route;
  };
  // No message selects these, whatever it says.
  const connect = take("$connect");
  const disconnect = take("$disconnect");
  const fallback = routes.get("$default") ?? {
    route: unmatched,
    run: observed(stage, unmatched, accessLog, (request, done) => fail(request, done, "RESOURCE_NOT_FOUND")),
  };
  const expression = parseSelectionExpression(published.routeSelectionExpression);
  const compiled: CompiledWebSocketStage = {
    answer: (request, response, paths) => answerOn(compiled, request, response, paths),
    webSocket: {
      stage,
      connect,
      disconnect,
      select(body) {
        const key = expression?.evaluate(parseMessage(body));
        return (key === undefined ? undefined : routes.get(key)) ?? fallback;
      },
    },
  };
  return compiled;
}

/** Of messages that the API has no route for. */
const unmatched: PublishedWebSocketRoute = { routeKey: "", authorizationType: "NONE", responds: false };

function compileIntegration(stage: WebSocketStage, { integration }: PublishedWebSocketRoute): WebSocketIntegration {
  if (integration === undefined) return letIn;
  return integration.type === "AWS_PROXY" ? compileLambdaProxy(stage, integration) : compileMapped(stage, integration);
}

const letIn: WebSocketIntegration = (_request, done) =>
  done({ outcome: "answered", status: 200, headers: [], body: "" });
