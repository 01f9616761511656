import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { HttpRequest, HttpResponse } from "../../proxy/http-exchange.ts";
import { Connection } from "./connection.ts";
import { createHeaderNames } from "./header-names.ts";
import { http1Limits } from "./limits.ts";
import { createOutbox } from "./outbox.ts";
import { createSentNames } from "./sent-names.ts";

export interface Http1Needs {
  /** A request line and its headers together. */
  readonly headerBytesMax: number;
  /** A head must have come after this long, also the first one of a connection. */
  readonly headersMsMax: number;
  /** A whole request must. */
  readonly requestMsMax: number;
  /** A connection on which nothing is asked is kept for this long, and told to clients. */
  readonly keepAliveMs: number;
  /** How often connections are looked at for what takes too long. */
  readonly lookMs: number;
  onRequest(request: HttpRequest, response: HttpResponse): void;
  /** The client waits for `100 Continue` before it sends the body. What is answered without it ends the connection. */
  onExpectContinue(request: HttpRequest, response: HttpResponse): void;
  /** Whether the connection goes on with what the client offers; what is declined is a request like any other. */
  shouldUpgrade(request: HttpRequest): boolean;
  /** @param head what has come of it */
  onUpgrade(message: IncomingMessage, socket: Socket, head: Buffer): void;
}

/** Speaks HTTP/1.1, and 1.0, on connections that somebody has accepted, encrypted or not. */
export interface Http1 {
  /** From now on the connection is this one's, until it ends or is handed over. It must allow to be half open. */
  serve(socket: Socket): void;
  /** Ends the connections on which no request is under way; those that were never used as well, where asked to. */
  closeIdle(which?: "unused"): void;
  closeAll(): void;
}

export function createHttp1(needs: Http1Needs): Http1 {
  const { lookMs } = needs;
  const connections = new Set<Connection>();
  const looks = { count: 0 };
  let timer: NodeJS.Timeout | undefined;
  let second = 0;
  let dateLine = "";

  // One timer for all: one for each request would cost more than the request's head.
  const look = () => {
    looks.count += 1;
    for (const connection of connections) connection.look();
  };
  const limitOf = (ms: number) => Math.ceil(ms / lookMs);

  const of = {
    headerNames: createHeaderNames(http1Limits.namesKept),
    sentNames: createSentNames(http1Limits.namesKept),
    headBytesMax: needs.headerBytesMax,
    keepAliveLines: `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(needs.keepAliveMs / 1000)}\r\n`,
    looks,
    limits: {
      head: limitOf(needs.headersMsMax),
      request: limitOf(needs.requestMsMax),
      // Longer than clients are told, so that none asks on a connection that is being closed. As Node.js does.
      idle: limitOf(needs.keepAliveMs + 1000),
      linger: limitOf(http1Limits.lingerMsMax),
    },
    outbox: createOutbox(http1Limits.answersTogetherMax),
    dateLine: () => {
      const now = Date.now();
      if (Math.floor(now / 1000) !== second) {
        second = Math.floor(now / 1000);
        dateLine = `Date: ${new Date(now).toUTCString()}\r\n`;
      }
      return dateLine;
    },
    onRequest: needs.onRequest,
    onExpectContinue: needs.onExpectContinue,
    shouldUpgrade: needs.shouldUpgrade,
    onUpgrade: needs.onUpgrade,
    closed: (connection: Connection) => {
      connections.delete(connection);
      if (connections.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    },
  };

  return {
    serve: (socket) => {
      if (socket.destroyed) return;
      connections.add(new Connection(socket, of));
      timer ??= setInterval(look, lookMs).unref();
    },
    closeIdle: (which) => {
      for (const connection of connections) {
        if (which === "unused" ? connection.isUnused : connection.isIdle) connection.cut();
      }
    },
    closeAll: () => {
      for (const connection of connections) connection.cut();
    },
  };
}
