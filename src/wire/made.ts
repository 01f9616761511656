import type { Call } from "./service.ts";

/** What is made once for each `Call.creationToken`, however often it is asked for. */
export interface Made {
  /** By which whoever asked for it finds it again. */
  readonly creationToken?: string;
}

export function madeBy({ creationToken }: Pick<Call, "creationToken">): Made {
  return creationToken === undefined ? {} : { creationToken };
}

/** What an earlier call made of the same creation token; undefined where nothing was, and for calls without one. */
export function findMade<Record extends Made>(records: readonly Record[], { creationToken }: Call): Record | undefined {
  return creationToken === undefined ? undefined : records.find((record) => record.creationToken === creationToken);
}
