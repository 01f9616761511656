import type { Key, Reader, Transaction } from "../store/store.ts";

/** Who holds how much of a limit; who is no member any more holds nothing. */
export interface ShareRecord {
  readonly v: 1;
  readonly holders: Readonly<Record<string, number>>;
}

const heldPrefix: Key = ["shares", "held"];
/** What changes when somebody runs short. */
export const wantsPrefix: Key = ["shares", "want"];

export function heldKey(key: string): Key {
  return [...heldPrefix, key];
}

export function readShare(reader: Reader, key: string): Promise<ShareRecord | undefined> {
  return reader.get<ShareRecord>(heldKey(key));
}

export function writeShare(tx: Transaction, key: string, holders: Readonly<Record<string, number>>): void {
  tx.set(heldKey(key), { v: 1, holders } satisfies ShareRecord);
}

/** Of `record`, what members other than this one hold. */
export function othersHold(
  record: ShareRecord | undefined,
  own: string,
  members: ReadonlyMap<string, unknown>,
): Readonly<Record<string, number>> {
  const held = Object.entries(record?.holders ?? {}).filter(([id, amount]) => {
    return id !== own && amount > 0 && members.has(id);
  });
  return Object.fromEntries(held);
}

export function wantKey(key: string, node: string): Key {
  return [...wantsPrefix, key, node];
}

export interface Want {
  readonly key: string;
  readonly node: string;
  readonly amount: number;
}

export async function readWants(reader: Reader, limit: number): Promise<readonly Want[]> {
  const entries = await reader.range<number>({ prefix: wantsPrefix }, { limit });
  return entries.map(({ key, value }) => ({ key: String(key[2]), node: String(key[3]), amount: value }));
}
