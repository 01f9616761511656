import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Nodes } from "../../../kernel/nodes/nodes.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { RequestPaths } from "../../../proxy/exchange.ts";
import type { HttpRequest, HttpResponse } from "../../../proxy/http-exchange.ts";
import type { AnswerConnections, WebSocketPort } from "../port.ts";
import type { ConnectionsPort } from "./ask.ts";
import { isHeld, writeConnection, writeHolder } from "./connection-record.ts";
import { createConnections } from "./connections.ts";
import { createDisconnects, reasonOf, runDisconnect } from "./disconnects.ts";
import { watchFrames } from "./frame-watch.ts";
import { type Accepted, decideHandshake, type Place, responseOn } from "./handshake.ts";
import { webSocketLimits as limits } from "./limits.ts";
import { createLostNodes } from "./lost-nodes.ts";
import { createMessages } from "./messages.ts";
import { createOpenConnections, goingAway, type OpenConnection } from "./open-connections.ts";
import { createRelay } from "./relay.ts";
import type { ConnectionFacts } from "./request.ts";
import type { Throttles } from "../throttling/throttles.ts";
import type { CompiledWebSocketStage, WebSocketRoutes } from "./stage.ts";

/** The connections of WebSocket APIs that this process holds, and those of others by questions to them. */
export interface WebSockets {
  readonly connections: ConnectionsPort;
  /** How many this process holds. */
  readonly size: number;
  readonly port: WebSocketPort;
  /** Answer a request to a stage: a handshake, `@connections`, or plain HTTP, which a WebSocket API does not serve. */
  answer(stage: CompiledWebSocketStage, request: HttpRequest, response: HttpResponse, paths: RequestPaths): void;
  /** Look after what lost nodes have left. Once this node is registered. */
  start(): Promise<void>;
  /**
   * Close all connections, and run their `$disconnect` routes. What is not done after `graceMs` is left on record, for another
   * node or the next start.
   */
  stop(graceMs: number): Promise<void>;
}

export interface WebSocketsNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly nodes: Pick<Nodes, "id" | "isLive" | "renewed" | "underLease" | "watch">;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** What new connections are limited by: over all nodes together. */
  readonly throttles: Pick<Throttles, "of">;
  readonly stageOf: (
    apiId: string,
    stageName: string,
  ) => WebSocketRoutes | undefined | Promise<WebSocketRoutes | undefined>;
}

interface Upgrade {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export function createWebSockets(needs: WebSocketsNeeds): WebSockets {
  const { store, nodes, clock, log } = needs;
  const stageOf = async (apiId: string, stageName: string) => needs.stageOf(apiId, stageName);
  const upgrades = new WeakMap<HttpRequest, Upgrade>();
  /** Connections that are let in or refused just now, and refused ones that have not ended. */
  const undecided = new Set<Duplex>();
  const subprotocols = new WeakMap<HttpRequest, string>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.messageBytesMax,
    handleProtocols: (_offered, request) => subprotocols.get(request) ?? false,
  });
  const countPosted = async ({ apiId, stageName }: ConnectionFacts) => {
    (await stageOf(apiId, stageName))?.stage.needs.webSocketMeter?.count("MessageCount");
  };
  const open = createOpenConnections(
    clock,
    () => void checkHeld(),
    // A stage that cannot be read now counts nothing.
    (facts) => void countPosted(facts).catch(() => undefined),
  );
  const relay = createRelay({
    ...needs,
    answer: ({ place, connectionId, ask }) => open.answer(place, connectionId, ask),
  });
  const disconnects = createDisconnects({ store, nodes, log, stageOf });
  const lostNodes = createLostNodes({
    ...needs,
    now: () => clock.now(),
    disconnected: (facts) => runDisconnect(stageOf, { facts, code: 1006, reason: reasonOf(1006) }),
  });
  const messages = createMessages({
    open,
    stageOf: needs.stageOf,
    mayServe: () => nodes.isLive() || nodes.renewed(),
  });
  let answerConnections: AnswerConnections | undefined;
  let wasLive = true;
  let announced = false;
  let closing = false;
  let allClosed: (() => void) | undefined;

  const register = (facts: ConnectionFacts): Promise<void> =>
    store.transact(async (tx) => {
      await nodes.underLease(tx);
      if (!announced) {
        writeHolder(tx, nodes.id);
        tx.afterCommit(() => (announced = true));
      }
      writeConnection(tx, nodes.id, facts);
    });

  const hold = ({ facts, shownKey }: Accepted, socket: WebSocket, raw: Duplex) => {
    const connection = open.add(facts, socket, shownKey);
    undecided.delete(raw);
    const frames = watchFrames(limits.frameBytesMax);
    raw.prependListener("data", (bytes: Buffer) => {
      connection.lastActiveAt = clock.now();
      if (connection.closing === undefined && !frames.take(bytes)) open.close(connection, 1009, "Frame is too large");
    });
    socket.on("message", (data, isBinary) => {
      messages.take(connection, data, isBinary).catch((error: unknown) => {
        log.error("A message broke", { connectionId: facts.connectionId, error });
        open.close(connection, 1011, "Internal server error");
      });
    });
    // What is wrong with a frame closes the connection; `close` tells of it.
    socket.on("error", () => {});
    socket.on("close", (code, reason) => ended(connection, code, reason.toString("utf8")));
    if (closing) open.close(connection, 1001, goingAway);
  };

  const ended = (connection: OpenConnection, code: number, reason: string) => {
    open.remove(connection);
    const told = connection.closing ?? { code, reason: reason === "" ? reasonOf(code) : reason };
    if (!connection.disowned) disconnects.add({ facts: connection.facts, ...told });
    if (closing && open.size === 0) allClosed?.();
  };

  const { connectionsPerSecond } = limits;
  const rate = { rateLimit: connectionsPerSecond, burstLimit: connectionsPerSecond };
  const mayConnect = ({ account, region }: Place) =>
    !closing && needs.throttles.of(`${account}/${region}/websocket-connections`, rate).take(clock.now());
  const connect = async (
    stage: CompiledWebSocketStage,
    request: HttpRequest,
    response: HttpResponse,
    upgrade: Upgrade,
    paths: RequestPaths,
  ) => {
    const { socket, message } = upgrade;
    const accepted = await decideHandshake(stage.webSocket, request, response, paths, mayConnect);
    if (accepted === undefined) return;
    const { facts, subprotocol } = accepted;
    await register(facts);
    if (socket.destroyed) {
      disconnects.add({ facts, code: 1006, reason: reasonOf(1006) });
      return;
    }
    upgrade.response.detachSocket(message.socket);
    if (subprotocol !== undefined) subprotocols.set(message, subprotocol);
    server.handleUpgrade(message, socket, upgrade.head, (webSocket) => hold(accepted, webSocket, socket));
  };

  /** After a time without a lease others may have taken over what this node held: it lets go of that. */
  const checkHeld = async () => {
    const isLive = nodes.isLive();
    if (isLive && wasLive) return;
    wasLive = isLive;
    if (!isLive) return;
    for (const connection of open.all()) {
      const held = await store.read((reader) => isHeld(reader, nodes.id, connection.facts.connectionId));
      if (held !== undefined) continue;
      connection.disowned = true;
      open.close(connection, 1001, goingAway);
    }
  };

  return {
    connections: createConnections({ store, nodes, open, relay }),
    get size() {
      return open.size;
    },
    port: {
      begin(request, socket, head) {
        // Its end is seen by whoever writes to it next.
        socket.on("error", () => {});
        undecided.add(socket);
        socket.once("close", () => undecided.delete(socket));
        const response = responseOn(clock, request, socket);
        upgrades.set(request, { message: request, response, socket, head });
        return response;
      },
      serveConnections: (answer) => {
        answerConnections = answer;
      },
    },
    answer(stage, request, response, paths) {
      const upgrade = upgrades.get(request);
      const { account, apiId, region, stageName } = stage.webSocket.stage.published;
      if (upgrade !== undefined) {
        connect(stage, request, response, upgrade, paths).catch((error: unknown) => {
          log.error("A handshake broke", { error });
          upgrade.socket.destroy();
        });
      } else if (answerConnections !== undefined && paths.path.startsWith("/@connections/")) {
        answerConnections({ account, region, apiId, stageName, path: paths.path }, request, response);
      } else {
        const body = `{"message":"Upgrade Required"}`;
        response.writeHead(426, {
          "content-type": "application/json",
          "content-length": body.length,
          upgrade: "websocket",
          connection: "Upgrade",
        });
        response.end(body);
      }
    },
    start: () => lostNodes.start(),
    async stop(graceMs) {
      closing = true;
      relay.stop();
      lostNodes.stop();
      if (graceMs <= 0) {
        for (const socket of undecided) socket.destroy();
        for (const connection of open.all()) {
          connection.disowned = true;
          connection.socket.terminate();
        }
        return;
      }
      for (const connection of open.all()) open.close(connection, 1001, goingAway);
      const cancelClose = clock.after(limits.closeMsMax, () => {
        for (const connection of open.all()) connection.socket.terminate();
      });
      const late = Promise.withResolvers<void>();
      const cancel = clock.after(graceMs, late.resolve);
      const closed = new Promise<void>((resolve) => {
        allClosed = resolve;
        if (open.size === 0) resolve();
      });
      await Promise.race([late.promise, closed.then(() => disconnects.settled())]);
      cancel();
      cancelClose();
      for (const socket of undecided) socket.destroy();
      for (const connection of open.all()) connection.socket.terminate();
    },
  };
}
