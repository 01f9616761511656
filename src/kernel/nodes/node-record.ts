import type { Key, Reader, Transaction } from "../store/store.ts";

/** That a node is one of those that serve the store. Written when it comes, removed when it goes or is given up. */
export interface MemberRecord {
  readonly v: 1;
  /** Drawn anew each time it comes. */
  readonly lease: string;
  readonly label: string;
  /** The process, as `processIdentity` names it, and the machine it can be looked up on; absent where that is unknown. */
  readonly process?: { readonly machine: string; readonly identity: string };
  /** It does as it likes with all that nodes divide: another must wait until it has recorded what it uses. */
  readonly alone: boolean;
}

/** What a node writes again and again. */
export interface BeatRecord {
  /** One more each time. */
  readonly beat: number;
  /** Raised for each change that others are to take in. */
  readonly mark: number;
  /** By node, the mark up to which this one has taken everything in. */
  readonly acks: Readonly<Record<string, number>>;
}

export interface StoredNode extends BeatRecord, MemberRecord {
  readonly id: string;
}

const memberPrefix: Key = ["nodes", "member"];
const beatPrefix: Key = ["nodes", "beat"];
/** What changes when nodes come, go, or wait for one another. */
export const nodesPrefix: Key = ["nodes"];

const nodesMax = 1000;

export function readMember(reader: Reader, id: string): Promise<MemberRecord | undefined> {
  return reader.get<MemberRecord>([...memberPrefix, id]);
}

export function writeMember(tx: Transaction, id: string, record: MemberRecord): void {
  tx.set([...memberPrefix, id], record);
}

export function readBeat(reader: Reader, id: string): Promise<BeatRecord | undefined> {
  return reader.get<BeatRecord>([...beatPrefix, id]);
}

export function writeBeat(tx: Transaction, id: string, record: BeatRecord): void {
  tx.set([...beatPrefix, id], record);
}

export function deleteNode(tx: Transaction, id: string): void {
  tx.delete([...memberPrefix, id]);
  tx.delete([...beatPrefix, id]);
}

/** All members, by id. In a transaction: the others may not change meanwhile, though they may beat. */
export async function readMembers(reader: Reader): Promise<ReadonlyMap<string, MemberRecord>> {
  const members = await reader.range<MemberRecord>({ prefix: memberPrefix }, { limit: nodesMax });
  return new Map(members.map(({ key, value }) => [String(key.at(-1)), value]));
}

export async function readNodes(reader: Reader): Promise<readonly StoredNode[]> {
  const members = await readMembers(reader);
  const beats = await reader.range<BeatRecord>({ prefix: beatPrefix }, { limit: nodesMax });
  const beatOf = new Map(beats.map(({ key, value }) => [String(key.at(-1)), value]));
  return Array.from(members, ([id, member]) => {
    const { beat, mark, acks } = beatOf.get(id) ?? { beat: 0, mark: 0, acks: {} };
    return { id, ...member, beat, mark, acks };
  });
}
