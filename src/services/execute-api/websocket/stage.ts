import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestPaths } from "../../../proxy/exchange.ts";
import type { CompiledStage, StageNeeds } from "../stage-needs.ts";
import { compileLambdaProxy } from "./lambda-proxy.ts";
import { compileMock } from "./mock.ts";
import type { PublishedWebSocketRoute, PublishedWebSocketStage } from "./published.ts";
import type { WebSocketIntegration, WebSocketStage } from "./request.ts";
import { parseMessage, parseSelectionExpression } from "./selection.ts";

/** A stage of a WebSocket API, made ready. */
export interface CompiledWebSocketStage extends CompiledStage {
  readonly webSocket: WebSocketRoutes;
}

export interface WebSocketRoutes {
  readonly stage: WebSocketStage;
  readonly connect: CompiledRoute | undefined;
  readonly disconnect: CompiledRoute | undefined;
  /** The route of a message: by the stage's expression, else `$default`; undefined where there is neither. */
  select(body: string): CompiledRoute | undefined;
}

export interface CompiledRoute {
  readonly route: PublishedWebSocketRoute;
  readonly run: WebSocketIntegration;
}

/** Answers requests to a stage of a WebSocket API: handshakes, and what comes over plain HTTP. */
export type AnswerOn = (
  stage: CompiledWebSocketStage,
  request: IncomingMessage,
  response: ServerResponse,
  paths: RequestPaths,
) => void;

export function compileWebSocketStage(
  needs: StageNeeds,
  published: PublishedWebSocketStage,
  answerOn: AnswerOn,
): CompiledWebSocketStage {
  const stage: WebSocketStage = { needs, published };
  const routes = new Map(published.routes.map((route) => [route.routeKey, compileRoute(stage, route)]));
  const take = (key: string) => {
    const route = routes.get(key);
    routes.delete(key);
    return route;
  };
  // No message selects these, whatever it says.
  const connect = take("$connect");
  const disconnect = take("$disconnect");
  const fallback = routes.get("$default");
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

function compileRoute(stage: WebSocketStage, route: PublishedWebSocketRoute): CompiledRoute {
  const { integration } = route;
  switch (integration.type) {
    case "AWS_PROXY":
      return { route, run: compileLambdaProxy(stage, integration) };
    case "MOCK":
      return { route, run: compileMock(stage, integration) };
    default:
      return integration satisfies never;
  }
}
