import type { Principal } from "../../../aws/principal.ts";
import type { Exchange } from "../../../proxy/exchange.ts";
import type { RequestFacts } from "../context/request-facts.ts";
import type { ExecutionJournal } from "../logging/execution-journal.ts";
import type { StageNeeds } from "../stage-needs.ts";
import type { WebSocketMeter } from "./meter.ts";
import type { PublishedWebSocketRoute, PublishedWebSocketStage } from "./published.ts";

export interface WebSocketStageNeeds extends StageNeeds {
  /** Absent: nothing is counted. */
  readonly webSocketMeter?: WebSocketMeter;
}

/** What all that happens on a stage of a WebSocket API has in common, made once. */
export interface WebSocketStage {
  readonly needs: WebSocketStageNeeds;
  readonly published: PublishedWebSocketStage;
}

/** A connection as its events tell it. Stored, so that another node can run `$disconnect` when this one is gone. */
export interface ConnectionFacts {
  readonly connectionId: string;
  readonly apiId: string;
  readonly stageName: string;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  readonly sourceIp: string;
  /** Empty where the client told none. */
  readonly userAgent: string;
  readonly domainName: string;
  /** Members of `requestContext.identity` beside these: who signed the handshake. JSON text, or empty. */
  readonly identity: string;
  /** `requestContext.authorizer`, JSON text, or empty. */
  readonly authorizer: string;
}

/** One event of a connection, on its way through its route's steps to the integration. */
export interface WebSocketRequest extends RequestFacts {
  readonly stage: WebSocketStage;
  readonly route: PublishedWebSocketRoute;
  /** What the steps of `$connect` find out is added to it. */
  connection: ConnectionFacts;
  readonly event: WebSocketEvent;
  readonly requestId: string;
  readonly trace: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The API key that the client showed in its handshake, or its authorizer did; empty for none. */
  readonly shownKey: string;
  /** Who signed the handshake, while it is decided. */
  caller: Principal | undefined;
  /** Takes down what is done; undefined where nobody follows the event. */
  journal: ExecutionJournal | undefined;
}

export type WebSocketEvent =
  | { readonly type: "CONNECT"; readonly exchange: Exchange }
  | { readonly type: "MESSAGE"; readonly messageId: string; readonly body: string }
  | { readonly type: "DISCONNECT"; readonly code: number; readonly reason: string };

export type NewWebSocketRequest = Pick<
  WebSocketRequest,
  "stage" | "route" | "connection" | "event" | "requestId" | "trace" | "now"
> &
  Partial<Pick<WebSocketRequest, "shownKey">>;

/** An event as it sets out: nothing is known of it but what it says itself. */
export function createWebSocketRequest(known: NewWebSocketRequest): WebSocketRequest {
  return {
    shownKey: "",
    ...known,
    caller: undefined,
    journal: undefined,
    authorizer: undefined,
    apiKey: undefined,
    access: undefined,
    failure: undefined,
    integration: undefined,
    answered: undefined,
  };
}

/** The text that an event brings: a message; empty for the others. */
export function bodyOf({ event }: WebSocketRequest): string {
  return event.type === "MESSAGE" ? event.body : "";
}

/** How an event ended. */
export type RouteOutcome =
  | {
      readonly outcome: "answered";
      readonly status: number;
      /** Names and values in turn. */
      readonly headers: readonly string[];
      readonly body: string | Buffer;
    }
  /** It was refused, or its integration failed or could not be asked: `request.failure` says why. */
  | { readonly outcome: "failed"; readonly status: number; readonly message: string };

/** Calls `done` once. */
export type WebSocketIntegration = (request: WebSocketRequest, done: (outcome: RouteOutcome) => void) => void;

/**
 * What a route does with an event before its integration: authorize, throttle, validate. It ends the event, or calls `next`, once.
 * A route has only the steps that it needs: one that is open and unlimited pays for none.
 */
export type WebSocketStep = (
  request: WebSocketRequest,
  next: () => void,
  done: (outcome: RouteOutcome) => void,
) => void;
