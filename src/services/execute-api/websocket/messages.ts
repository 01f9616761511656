import type { RawData } from "ws";
import { quote } from "../../../proxy/json-text.ts";
import type { WebSocketRoutes } from "./stage.ts";
import { webSocketLimits as limits } from "./limits.ts";
import { type OpenConnection, type OpenConnections, sendFrames } from "./open-connections.ts";
import { createWebSocketRequest, type RouteOutcome } from "./request.ts";

export interface MessageNeeds {
  readonly open: OpenConnections;
  /** The stage as it is on the air now; undefined when it is not any more. */
  readonly stageOf: (
    apiId: string,
    stageName: string,
  ) => WebSocketRoutes | undefined | Promise<WebSocketRoutes | undefined>;
  /** Whether what is in memory may be served. */
  readonly mayServe: () => boolean | Promise<boolean>;
}

/** Takes the messages of connections to the integrations of their routes, and what is to be answered back. */
export function createMessages({ open, stageOf, mayServe }: MessageNeeds) {
  return {
    async take(connection: OpenConnection, data: RawData, isBinary: boolean): Promise<void> {
      if (connection.closing !== undefined) return;
      if (isBinary) {
        // AWS: binary frames are not supported.
        open.close(connection, 1003, "Binary is not supported");
        return;
      }
      const { facts, socket } = connection;
      connection.underWay += 1;
      if (connection.underWay >= limits.messagesUnderWayMax) socket.pause();
      try {
        const serving = mayServe();
        const found = stageOf(facts.apiId, facts.stageName);
        const routes = found instanceof Promise ? await found : found;
        if (routes === undefined || !(serving === true || (await serving))) {
          open.close(connection, 1001, "Going away");
          return;
        }
        const outcome = await run(routes, connection, data.toString());
        if (outcome === undefined) return;
        sendFrames(socket, outcome);
        routes.stage.needs.webSocketMeter?.count("MessageCount");
      } finally {
        connection.underWay -= 1;
        if (socket.isPaused && connection.underWay < limits.messagesUnderWayMax / 2) socket.resume();
      }
    },
  };
}

/** @returns what is sent to the client */
async function run(
  routes: WebSocketRoutes,
  { facts, shownKey }: OpenConnection,
  body: string,
): Promise<string | Buffer | undefined> {
  const { needs } = routes.stage;
  const { route, run: runRoute } = routes.select(body);
  const now = needs.clock.now();
  const request = createWebSocketRequest({
    stage: routes.stage,
    route,
    connection: facts,
    event: { type: "MESSAGE", messageId: needs.identities.extendedId(), body },
    requestId: needs.identities.extendedId(),
    trace: needs.identities.traceRoot(now),
    now,
    shownKey,
  });
  const outcome = await new Promise<RouteOutcome>((resolve) => runRoute(request, resolve));
  if (outcome.outcome === "failed") return errorFrame(outcome.message, facts.connectionId, request.requestId);
  return route.responds && outcome.body.length > 0 ? outcome.body : undefined;
}

/** What AWS sends to the client that a message of it could not be served. */
export function errorFrame(message: string, connectionId: string, requestId: string): string {
  return `{"message": ${quote(message)}, "connectionId":"${connectionId}", "requestId":"${requestId}"}`;
}
