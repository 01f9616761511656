import { toArn } from "../../../aws/arn.ts";
import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Place } from "../model.ts";
import type { FunctionReference } from "../names.ts";
import type { MappingSettings } from "./settings.ts";

/** An event source mapping, as stored. */
export interface MappingRecord {
  readonly v: 1;
  readonly uuid: string;
  readonly sourceArn: string;
  readonly function: FunctionReference;
  readonly settings: MappingSettings;
  readonly enabled: boolean;
  readonly state: MappingState;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Who polls: each shard in as many lanes, which is the parallelization factor that was put into effect. */
  readonly shards: readonly string[];
  readonly lanes: number;
}

/** The steady ones are polled or not; the others are on their way to one of these, or to nothing. */
export type MappingState = "Creating" | "Enabling" | "Enabled" | "Disabling" | "Disabled" | "Updating" | "Deleting";

export interface MappingAddress extends Place {
  readonly uuid: string;
}

/** One of the pollers of a mapping: of a shard, the records of the items that fall to its lane. */
export interface LaneAddress extends MappingAddress {
  readonly shard: string;
  readonly lane: number;
}

/** How far a lane has come. */
export interface Checkpoint {
  readonly v: 1;
  /** Every record of the lane up to this place is settled. */
  readonly position: number;
  /** What follows the position and has failed before: batches by the place of their last record. */
  readonly retrying?: readonly { readonly through: number; readonly failures: number }[];
  /** The tumbling window that is open: its begin, epoch milliseconds, and its state, JSON. */
  readonly window?: { readonly start: number; readonly state: string };
  /** As `LastProcessingResult`. */
  readonly result?: { readonly text: string; readonly at: number };
}

/** Whether a job polls the lane, or is about to. It stays until the lane has nothing to read. */
export interface Duty {
  readonly v: 1;
  readonly polling: boolean;
}

// Below a prefix of their own: whatever changes below `lambda` drops the functions that are held in memory.
const prefix = "eventSource";
export const mappingsPrefix: Key = [prefix, "mapping"];

export function mappingKey(at: MappingAddress): Key {
  return [...mappingsPrefix, at.account, at.region, at.uuid];
}

function pairKey(at: Place, sourceArn: string, functionArn: string): Key {
  return [prefix, "pair", at.account, at.region, sourceArn, functionArn];
}

function laneKey(kind: "duty" | "checkpoint", at: LaneAddress): Key {
  return [prefix, kind, at.account, at.region, at.uuid, at.shard, at.lane];
}

export function readMapping(reader: Reader, at: MappingAddress): Promise<MappingRecord | undefined> {
  return reader.get<MappingRecord>(mappingKey(at));
}

export function writeMapping(tx: Transaction, place: Place, record: MappingRecord): void {
  tx.set(mappingKey({ ...place, uuid: record.uuid }), record);
}

/** Which mapping a source and a function have. */
export function readPair(reader: Reader, at: Place, sourceArn: string, fn: string): Promise<string | undefined> {
  return reader.get<string>(pairKey(at, sourceArn, fn));
}

export function writePair(tx: Transaction, at: MappingAddress, sourceArn: string, fn: string): void {
  tx.set(pairKey(at, sourceArn, fn), at.uuid);
}

export function deletePair(tx: Transaction, at: Place, sourceArn: string, fn: string): void {
  tx.delete(pairKey(at, sourceArn, fn));
}

export function readCheckpoint(reader: Reader, at: LaneAddress): Promise<Checkpoint | undefined> {
  return reader.get<Checkpoint>(laneKey("checkpoint", at));
}

export function writeCheckpoint(tx: Transaction, at: LaneAddress, checkpoint: Checkpoint): void {
  tx.set(laneKey("checkpoint", at), checkpoint);
}

export function readDuty(reader: Reader, at: LaneAddress): Promise<Duty | undefined> {
  return reader.get<Duty>(laneKey("duty", at));
}

export function writeDuty(tx: Transaction, at: LaneAddress, polling: boolean): void {
  tx.set(laneKey("duty", at), { v: 1, polling } satisfies Duty);
}

export function deleteLane(tx: Transaction, at: LaneAddress): void {
  tx.delete(laneKey("duty", at));
  tx.delete(laneKey("checkpoint", at));
}

export function lanesOf(place: Place, { uuid, shards, lanes }: MappingRecord): LaneAddress[] {
  const { account, region } = place;
  return shards.flatMap((shard) =>
    Array.from({ length: lanes }, (_, lane) => ({ account, region, uuid, shard, lane })),
  );
}

export function mappingArn({ account, region, uuid }: MappingAddress): string {
  return toArn("lambda", region, account, `event-source-mapping:${uuid}`);
}
