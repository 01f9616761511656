import type { Call } from "../../../wire/service.ts";

/** What an earlier call made of the same creation token; undefined where nothing was, and for calls without one. */
export function findMade<Record extends { readonly creationToken?: string }>(
  records: readonly Record[],
  { creationToken }: Call,
): Record | undefined {
  return creationToken === undefined ? undefined : records.find((record) => record.creationToken === creationToken);
}
