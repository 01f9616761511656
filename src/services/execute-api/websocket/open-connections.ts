import { isUtf8 } from "node:buffer";
import type { WebSocket } from "ws";
import type { Clock } from "../../../kernel/clock.ts";
import { type Answer, type Ask, type ConnectionPlace, done, gone } from "./ask.ts";
import { webSocketLimits as limits } from "./limits.ts";
import type { ConnectionFacts } from "./request.ts";

/** A connection that this process holds. */
export interface OpenConnection {
  readonly facts: ConnectionFacts;
  readonly socket: WebSocket;
  /** The API key that its handshake showed; empty for none. In memory alone: it is a secret. */
  readonly shownKey: string;
  /** Epoch milliseconds. */
  lastActiveAt: number;
  /** Messages whose integrations have not answered. */
  underWay: number;
  /** It is being closed from here: with this code and reason. */
  closing: { readonly code: number; readonly reason: string } | undefined;
  /** Somebody else has taken over what is left of it: its `$disconnect` is not this node's. */
  disowned: boolean;
}

/** The connections that this process holds. */
export interface OpenConnections {
  readonly size: number;
  add(facts: ConnectionFacts, socket: WebSocket, shownKey: string): OpenConnection;
  find(connectionId: string): OpenConnection | undefined;
  remove(connection: OpenConnection): void;
  all(): Iterable<OpenConnection>;
  /** Answer for a connection of this process. */
  answer(place: ConnectionPlace, connectionId: string, ask: Ask): Answer;
  close(connection: OpenConnection, code: number, reason: string): void;
}

/**
 * @param look called as long as there are connections, every `lookMs`
 * @param posted called when something was posted to a connection
 */
export function createOpenConnections(
  clock: Clock,
  look: () => void,
  posted: (facts: ConnectionFacts) => void,
): OpenConnections {
  const connections = new Map<string, OpenConnection>();
  let looking = false;

  const close = (connection: OpenConnection, code: number, reason: string) => {
    connection.closing ??= { code, reason };
    connection.socket.close(code, reason);
  };
  const lookLater = () => {
    looking = true;
    clock.after(limits.lookMs, () => {
      looking = false;
      const now = clock.now();
      for (const connection of connections.values()) {
        const idle = now - connection.lastActiveAt >= limits.idleMsMax;
        if (idle || now - connection.facts.connectedAt >= limits.connectionMsMax) close(connection, 1001, goingAway);
      }
      look();
      if (connections.size > 0) lookLater();
    });
  };

  return {
    get size() {
      return connections.size;
    },
    add(facts, socket, shownKey) {
      const connection: OpenConnection = {
        facts,
        socket,
        shownKey,
        lastActiveAt: facts.connectedAt,
        underWay: 0,
        closing: undefined,
        disowned: false,
      };
      connections.set(facts.connectionId, connection);
      if (!looking) lookLater();
      return connection;
    },
    find: (connectionId) => connections.get(connectionId),
    remove: ({ facts }) => void connections.delete(facts.connectionId),
    all: () => connections.values(),
    answer(place, connectionId, ask) {
      const connection = connections.get(connectionId);
      if (connection === undefined || connection.closing !== undefined || !isAt(connection.facts, place)) return gone;
      if (connection.socket.readyState !== connection.socket.OPEN) return gone;
      switch (ask.do) {
        case "close":
          close(connection, 1000, "Connection Closed Normally");
          return done;
        case "describe": {
          const { connectedAt, sourceIp, userAgent } = connection.facts;
          const { lastActiveAt } = connection;
          return { answer: "described", connectedAt, lastActiveAt, sourceIp, userAgent };
        }
        case "post":
          if (connection.socket.bufferedAmount + ask.data.length > limits.waitingBytesMax) return { answer: "full" };
          connection.lastActiveAt = clock.now();
          sendFrames(connection.socket, ask.data);
          posted(connection.facts);
          return done;
        default:
          return ask satisfies never;
      }
    },
    close,
  };
}

/** What a client is told that is idle, too old, or on a server that stops. */
export const goingAway = "Going away";

/** AWS: what is sent to clients is text, in frames of at most 32 KB. What is no UTF-8 goes as binary: it could not be read else. */
export function sendFrames(socket: WebSocket, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  const binary = typeof content !== "string" && !isUtf8(bytes);
  let at = 0;
  do {
    const end = Math.min(at + limits.frameBytesMax, bytes.length);
    // A client that has gone is told by the end of its connection.
    socket.send(bytes.subarray(at, end), { binary, fin: end === bytes.length }, () => {});
    at = end;
  } while (at < bytes.length);
}

function isAt(facts: ConnectionFacts, { apiId, stageName }: ConnectionPlace): boolean {
  return facts.apiId === apiId && facts.stageName === stageName;
}
