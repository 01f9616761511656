import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Key, Transaction } from "../../../kernel/store/store.ts";
import { writeDuty, writeMapping, type LaneAddress, type MappingAddress, type MappingRecord } from "./model.ts";

export const pollKind = "lambda.pollEventSource";
export const changeKind = "lambda.changeEventSource";

/** Have a lane polled, until it has nothing to read. */
export function schedulePoll(tx: Transaction, jobs: Jobs, lane: LaneAddress, now: number): void {
  const { account, region, uuid, shard, lane: number } = lane;
  writeDuty(tx, lane, true);
  jobs.schedule(tx, { kind: pollKind, key: [account, region, uuid, shard, number], at: now });
}

export function readLaneKey(key: Key): LaneAddress {
  const [account, region, uuid, shard, lane] = key;
  return { account: `${account}`, region: `${region}`, uuid: `${uuid}`, shard: `${shard}`, lane: Number(lane) };
}

/** Write a mapping that is on its way to another state, and have it taken there. */
export function writeChange(tx: Transaction, jobs: Jobs, at: MappingAddress, record: MappingRecord, now: number): void {
  writeMapping(tx, at, record);
  scheduleChange(tx, jobs, at, now);
}

export function scheduleChange(tx: Transaction, jobs: Jobs, at: MappingAddress, now: number): void {
  jobs.schedule(tx, { kind: changeKind, key: [at.account, at.region, at.uuid], at: now });
}
