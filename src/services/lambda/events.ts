import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Transaction } from "../../kernel/store/store.ts";
import type { Place } from "./model.ts";

/** An event accepted for asynchronous invocation. */
export interface AcceptedEvent {
  readonly place: Place;
  readonly name: string;
  readonly qualifier: string | undefined;
  readonly requestId: string;
  readonly payload: Uint8Array;
  readonly traceId: string | undefined;
  readonly tenantId?: string | undefined;
  readonly acceptedAt: number;
}

/** As stored in the job. Version 1. */
export interface EventPayload {
  readonly v: 1;
  readonly qualifier?: string | undefined;
  readonly payload: Uint8Array;
  readonly traceId?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly acceptedAt: number;
  /** How often the function has failed. */
  readonly failures: number;
  /** How often it could not be run at all. */
  readonly deferrals: number;
}

export const eventKind = "lambda.asyncInvoke";

/** Accept an event: durable with the transaction, run as soon as it is committed. */
export function scheduleEvent(tx: Transaction, jobs: Jobs, event: AcceptedEvent): void {
  const payload: EventPayload = {
    v: 1,
    qualifier: event.qualifier,
    payload: event.payload,
    traceId: event.traceId,
    tenantId: event.tenantId,
    acceptedAt: event.acceptedAt,
    failures: 0,
    deferrals: 0,
  };
  const key = [event.place.account, event.place.region, event.name, event.requestId];
  jobs.schedule(tx, { kind: eventKind, key, at: event.acceptedAt, payload });
}
