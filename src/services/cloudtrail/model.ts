import type { Key } from "../../kernel/store/store.ts";
import type { NamedResource } from "./resources.ts";

/** A call, as it is kept. */
export interface TrailEvent {
  readonly v: 1;
  readonly eventId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly name: string;
  readonly source: string;
  readonly readOnly: boolean;
  readonly accessKeyId: string | undefined;
  readonly userName: string | undefined;
  readonly resources: readonly NamedResource[];
  /** The record, as JSON. */
  readonly record: string;
}

/** All accounts' and regions' have the time in the same place, so that what is old is found. */
export function eventsPrefix(account: string, region: string): Key {
  return ["cloudtrail", "event", account, region];
}

export function eventKey(account: string, region: string, event: Pick<TrailEvent, "at" | "eventId">): Key {
  return [...eventsPrefix(account, region), event.at, event.eventId];
}

/** Whose events there are: what is looked through for old ones. */
export const placesPrefix: Key = ["cloudtrail", "place"];
