import type { MappedParameters } from "../rest/request-mapping.ts";
import type { FailureType } from "./failures.ts";
import type { WebSocketRequest } from "./request.ts";

/** An event as an endpoint gets it: converted and mapped. */
export interface MappedEvent {
  readonly parameters: MappedParameters;
  readonly body: Buffer;
}

/** What an endpoint, a service or a function has answered. */
export interface EndpointAnswer {
  readonly status: number;
  /** Names and values in turn, as sent. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** What patterns are matched with: the status, or a function's error message; undefined for a function that did not fail. */
  readonly selectBy: string | undefined;
  /** A function that has thrown: no pattern may match what it says, and it has not succeeded for all that. */
  readonly hasFailed?: boolean;
}

/** Sends a mapped event. One of `answered` and `failed` is called, once; how it went is in `request.integration` by then. */
export type EndpointCall = (
  request: WebSocketRequest,
  mapped: MappedEvent,
  answered: (answer: EndpointAnswer) => void,
  failed: (type: FailureType, message?: string) => void,
) => void;
