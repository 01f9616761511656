import type { Principal } from "../../../aws/principal.ts";
import type { Exchange } from "../../../proxy/exchange.ts";
import type { StageNeeds } from "../stage-needs.ts";
import type { PublishedWebSocketRoute, PublishedWebSocketStage } from "./published.ts";

/** What all that happens on a stage of a WebSocket API has in common, made once. */
export interface WebSocketStage {
  readonly needs: StageNeeds;
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

/** One event of a connection, on its way to the integration of a route. */
export interface WebSocketRequest {
  readonly stage: WebSocketStage;
  readonly route: PublishedWebSocketRoute;
  readonly connection: ConnectionFacts;
  readonly event: WebSocketEvent;
  readonly requestId: string;
  readonly trace: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

export type WebSocketEvent =
  | { readonly type: "CONNECT"; readonly exchange: Exchange; readonly caller: Principal | undefined }
  | { readonly type: "MESSAGE"; readonly messageId: string; readonly body: string }
  | { readonly type: "DISCONNECT"; readonly code: number; readonly reason: string };

/** How an integration ended. */
export type IntegrationOutcome =
  | {
      readonly outcome: "answered";
      readonly status: number;
      /** Names and values in turn. */
      readonly headers: readonly string[];
      readonly body: string | Buffer;
    }
  /** It failed, or could not be asked. The status is what a handshake is refused with. */
  | { readonly outcome: "failed"; readonly status: 413 | 429 | 500 | 502 | 504 };

/** Calls `done` once. */
export type WebSocketIntegration = (request: WebSocketRequest, done: (outcome: IntegrationOutcome) => void) => void;
