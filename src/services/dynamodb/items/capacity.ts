import type { ConsumedCapacity, ReturnConsumedCapacity } from "@aws-sdk/client-dynamodb";
import type { Index, Table } from "../tables/table.ts";
import type { WriteUnits } from "./apply-write.ts";

/** Source: developer guide, read-write-operations.html. */
export const readUnitBytes = 4 * 1024;

/** Read units for so many bytes, read at once; half for eventually consistent reads. */
export function toReadUnits(bytes: number, consistent: boolean): number {
  const units = Math.max(1, Math.ceil(bytes / readUnitBytes));
  return consistent ? units : units / 2;
}

/** What one request used of one table, told as it was asked for. */
export interface Used {
  readonly table: Table;
  read: number;
  write: number;
  readonly indexReads: Map<string, number>;
  readonly indexWrites: Map<string, number>;
}

export function createUsed(table: Table): Used {
  return { table, read: 0, write: 0, indexReads: new Map(), indexWrites: new Map() };
}

/** @param times 2 in transactions */
export function addWritten(used: Used, units: WriteUnits, times: number): void {
  used.write += units.table * times;
  for (const [index, count] of units.indexes) addTo(used.indexWrites, index.record.name, count * times);
}

export function addRead(used: Used, index: Index | undefined, units: number): void {
  if (index) addTo(used.indexReads, index.record.name, units);
  else used.read += units;
}

function addTo(map: Map<string, number>, name: string, units: number): void {
  map.set(name, (map.get(name) ?? 0) + units);
}

/** @param split tell reads and writes apart too, as transactions do */
export function toConsumedCapacity(
  used: Used,
  asked: ReturnConsumedCapacity | undefined,
  split = false,
): ConsumedCapacity | undefined {
  if (asked !== "TOTAL" && asked !== "INDEXES") return undefined;
  const reads = used.read + sum(used.indexReads);
  const writes = used.write + sum(used.indexWrites);
  return {
    TableName: used.table.record.name,
    ...toUnits(reads, writes, split),
    ...(asked === "INDEXES" && {
      Table: toUnits(used.read, used.write, split),
      ...indexUnits(used, "global", "GlobalSecondaryIndexes", split),
      ...indexUnits(used, "local", "LocalSecondaryIndexes", split),
    }),
  };
}

function toUnits(reads: number, writes: number, split: boolean) {
  return {
    CapacityUnits: reads + writes,
    ...(split && reads > 0 && { ReadCapacityUnits: reads }),
    ...(split && writes > 0 && { WriteCapacityUnits: writes }),
  };
}

function indexUnits(used: Used, kind: "global" | "local", member: string, split: boolean) {
  const entries = used.table.indexes.flatMap(({ record }) => {
    if (record.kind !== kind) return [];
    const reads = used.indexReads.get(record.name) ?? 0;
    const writes = used.indexWrites.get(record.name) ?? 0;
    return reads + writes > 0 ? [[record.name, toUnits(reads, writes, split)] as const] : [];
  });
  return entries.length > 0 ? { [member]: Object.fromEntries(entries) } : {};
}

function sum(map: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const units of map.values()) total += units;
  return total;
}
