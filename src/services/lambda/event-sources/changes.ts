import type { Clock } from "../../../kernel/clock.ts";
import type { Job, Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import { functionArn } from "../model.ts";
import { changeKind, schedulePoll } from "./jobs.ts";
import {
  deleteLane,
  deletePair,
  lanesOf,
  mappingKey,
  readCheckpoint,
  readDuty,
  readMapping,
  writeCheckpoint,
  writeDuty,
  writeMapping,
  type MappingAddress,
  type MappingRecord,
} from "./model.ts";

interface ChangeNeeds {
  readonly jobs: Jobs;
  readonly clock: Clock;
}

/**
 * Takes mappings to the state they are on their way to, once no lane polls any more: pollers finish the batch that they have handed
 * over, and the last one to let go has the change looked at again.
 */
export function handleChanges(needs: ChangeNeeds): void {
  const { jobs, clock } = needs;
  const run = (job: Job) => {
    const [account = "", region = "", uuid = ""] = job.key.map(String);
    const at = { account, region, uuid };
    return job.finish(async (tx) => {
      const record = await readMapping(tx, at);
      if (!record || record.state === "Enabled" || record.state === "Disabled") return;
      for (const lane of lanesOf(at, record)) if ((await readDuty(tx, lane))?.polling) return;
      if (record.state === "Deleting") return remove(tx, at, record);
      const next = await layOut(tx, at, record);
      writeMapping(tx, at, { ...next, state: record.enabled ? "Enabled" : "Disabled" });
      // Each looks for itself whether there is something to read.
      if (record.enabled) for (const lane of lanesOf(at, next)) schedulePoll(tx, jobs, lane, clock.now());
    });
  };
  jobs.handle(changeKind, { concurrency: 8, attemptsMax: 1_000_000, run });
}

/** Nothing is left of it: the same source and function may be mapped again. */
function remove(tx: Transaction, at: MappingAddress, record: MappingRecord): void {
  for (const lane of lanesOf(at, record)) deleteLane(tx, lane);
  const { name, qualifier } = record.function;
  deletePair(tx, at, record.sourceArn, functionArn(record.function, name, qualifier));
  tx.delete(mappingKey(at));
}

/**
 * With another parallelization factor the items fall to other lanes. All begin where the last of them was: what the others had read
 * beyond is handed over again, in order.
 */
async function layOut(tx: Transaction, at: MappingAddress, record: MappingRecord): Promise<MappingRecord> {
  const lanes = record.settings.parallelizationFactor;
  if (lanes === record.lanes) return record;
  const next: MappingRecord = { ...record, lanes };
  const positions = new Map<string, number>();
  for (const lane of lanesOf(at, record)) {
    const { position } = (await readCheckpoint(tx, lane)) ?? { position: 0 };
    positions.set(lane.shard, Math.min(position, positions.get(lane.shard) ?? position));
    deleteLane(tx, lane);
  }
  for (const lane of lanesOf(at, next)) {
    writeCheckpoint(tx, lane, { v: 1, position: positions.get(lane.shard) ?? 0 });
    writeDuty(tx, lane, false);
  }
  return next;
}
