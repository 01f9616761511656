import { onDemandExceeded, throughputExceeded } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import type { OnDemandMaxima, TableRecord, Units } from "../model.ts";
import type { Table } from "../tables/table.ts";
import type { Used } from "./capacity.ts";

/**
 * Holds tables and indexes to the throughput they were given: that of PROVISIONED ones, and the maxima of on-demand ones. What is
 * unused is saved for five minutes. Each process counts for itself.
 */
export interface Throttle {
  /** @throws {ProvisionedThroughputExceededException | ThrottlingException} when what was saved is used up */
  admit(table: Table, kind: "read" | "write", index?: string): void;
  /** What a request has used. */
  charge(used: Used): void;
}

interface Bucket {
  level: number;
  at: number;
  rate: number;
}

export function createThrottle(now: () => number): Throttle {
  const buckets = new Map<string, Bucket>();

  const bucketOf = (id: string, rate: number): Bucket => {
    const at = now();
    const max = rate * dynamoLimits.burstSeconds;
    let bucket = buckets.get(id);
    if (!bucket) {
      // A table that is gone leaves its buckets behind: they are few and small, until there are too many.
      if (buckets.size >= 10_000) buckets.clear();
      bucket = { level: max, at, rate };
      buckets.set(id, bucket);
    }
    bucket.level = Math.min(max, bucket.level + (Math.max(0, at - bucket.at) / 1000) * rate);
    bucket.at = at;
    bucket.rate = rate;
    return bucket;
  };

  const take = (id: string, rate: number | undefined, units: number) => {
    if (rate !== undefined && units > 0) bucketOf(id, rate).level -= units;
  };

  return {
    admit: (table, kind, indexName) => {
      const { record } = table;
      const admitOne = (id: string, rate: number | undefined) => {
        if (rate === undefined || bucketOf(`${id} ${kind}`, rate).level > 0) return;
        throw record.billingMode === "PROVISIONED" ? throughputExceeded() : onDemandExceeded();
      };
      const read = indexName === undefined ? undefined : globalIndex(record, indexName);
      if (!read) admitOne(record.storeId, rateOf(record, record, kind));
      else admitOne(read.storeId, rateOf(record, read, kind));
      if (kind === "read" || record.indexes.length === 0) return;
      // AWS: a global index that cannot take a write holds up its table.
      for (const index of record.indexes) {
        if (index.kind === "global") admitOne(index.storeId, rateOf(record, index, kind));
      }
    },
    charge: (used) => {
      const { record } = used.table;
      if (
        record.billingMode === "PAY_PER_REQUEST" &&
        !record.onDemand &&
        record.indexes.every((each) => !each.onDemand)
      ) {
        return;
      }
      let { read, write } = used;
      for (const index of record.indexes) {
        const [reads, writes] = [used.indexReads.get(index.name) ?? 0, used.indexWrites.get(index.name) ?? 0];
        if (index.kind === "local") {
          read += reads;
          write += writes;
          continue;
        }
        take(`${index.storeId} read`, rateOf(record, index, "read"), reads);
        take(`${index.storeId} write`, rateOf(record, index, "write"), writes);
      }
      take(`${record.storeId} read`, rateOf(record, record, "read"), read);
      take(`${record.storeId} write`, rateOf(record, record, "write"), write);
    },
  };
}

function globalIndex(record: TableRecord, name: string) {
  return record.indexes.find((each) => each.name === name && each.kind === "global");
}

function rateOf(
  table: TableRecord,
  of: { readonly throughput?: Units; readonly onDemand?: OnDemandMaxima },
  kind: "read" | "write",
): number | undefined {
  return table.billingMode === "PROVISIONED" ? of.throughput?.[kind] : of.onDemand?.[kind];
}
