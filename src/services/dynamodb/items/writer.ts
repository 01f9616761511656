import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { AwsError } from "../../../aws/error.ts";
import { dynamoLimits } from "../limits.ts";
import { currentTable } from "../tables/catalog.ts";
import type { Table } from "../tables/table.ts";
import { applyWrite, type ItemWrite, type Written } from "./apply-write.ts";
import { decodeStored, type StoredItem } from "./stored-item.ts";
import { createStreamAppender } from "./stream-append.ts";

/**
 * Writes items, one table's writes one after another: those that wait become one transaction, so that a key or a stream that
 * everyone writes to is no contention within a process. Between processes the store decides.
 */
export interface ItemWriter {
  /** Resolves when the write is durable. @throws what the write's `change` throws; {ResourceNotFoundException} */
  write(write: ItemWrite): Promise<Written>;
}

interface Waiting {
  readonly write: ItemWrite;
  readonly resolve: (written: Written) => void;
  readonly reject: (error: unknown) => void;
}

interface Lane {
  waiting: Waiting[];
  running: boolean;
}

export function createItemWriter(needs: {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
}): ItemWriter {
  const { store, clock, ids } = needs;
  const lanes = new Map<string, Lane>();
  const eventId = () => Buffer.from(ids.bytes(16)).toString("hex");

  /** Every write's outcome, from one transaction. */
  const commit = (batch: readonly Waiting[], remembered: Table): Promise<readonly (Written | AwsError)[]> =>
    store.transact(async (tx) => {
      const table = await currentTable(tx, remembered);
      const streams = createStreamAppender(tx, { now: clock.now(), eventId });
      const outcomes: (Written | AwsError)[] = [];
      const items = new Map<string, StoredItem | undefined>();
      const found = await tx.getMany<Uint8Array>(batch.map(({ write }) => write.address.key));
      batch.forEach(({ write }, at) => {
        const bytes = found[at];
        items.set(write.address.id, bytes && decodeStored(bytes));
      });
      for (const { write } of batch) {
        try {
          const written = await applyWrite(tx, table, write, items.get(write.address.id), streams);
          items.set(write.address.id, written.after);
          outcomes.push(written);
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          outcomes.push(error);
        }
      }
      return outcomes;
    });

  const settle = async (batch: readonly Waiting[], table: Table): Promise<void> => {
    try {
      const outcomes = await commit(batch, table);
      batch.forEach(({ resolve, reject }, at) => {
        const outcome = outcomes[at];
        if (outcome === undefined || outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      });
    } catch (error) {
      // Together they were too much for one transaction.
      if (error instanceof RangeError && batch.length > 1) {
        for (const each of batch) await settle([each], table);
        return;
      }
      for (const each of batch) each.reject(error);
    }
  };

  const run = async (id: string, lane: Lane): Promise<void> => {
    while (lane.waiting.length > 0) {
      // Whatever can still join in this turn of the event loop, joins: those that come alone each pay for a commit.
      await turn();
      const batch = lane.waiting.splice(0, dynamoLimits.writesTogetherMax);
      const table = batch.at(-1)?.write.table;
      if (table) await settle(batch, table);
    }
    lane.running = false;
    lanes.delete(id);
  };

  return {
    write: (write) =>
      new Promise((resolve, reject) => {
        const id = write.table.record.storeId;
        let lane = lanes.get(id);
        if (!lane) {
          lane = { waiting: [], running: false };
          lanes.set(id, lane);
        }
        lane.waiting.push({ write, resolve, reject });
        if (lane.running) return;
        lane.running = true;
        void run(id, lane);
      }),
  };
}
