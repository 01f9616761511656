import { AwsError } from "../../../aws/error.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Call } from "../../../wire/service.ts";
import type { MetricsPort } from "../../cloudwatch/port.ts";
import type { TableRecord } from "../model.ts";
import type { Used } from "./capacity.ts";

/**
 * Metrics of AWS/DynamoDB, gathered in memory and handed on every few seconds. Source: developer guide, metrics-dimensions.html.
 */
export interface Observer {
  /** Runs a data operation and counts how it went; its kind, where the operation's name does not tell it. */
  observe<T>(call: Call, table: string | undefined, run: () => Promise<T>, kind?: "read" | "write"): Promise<T>;
  used(call: Call, used: Used): void;
  returned(call: Call, table: TableRecord, items: number): void;
  expired(place: { readonly account: string; readonly region: string }, table: string, items: number): void;
  stop(): void;
}

interface Gathered {
  readonly account: string;
  readonly region: string;
  readonly metricName: string;
  readonly dimensions: readonly { readonly name: string; readonly value: string }[];
  readonly unit: string;
  readonly timestamp: number;
  count: number;
  sum: number;
  minimum: number;
  maximum: number;
}

/** What a number is of. */
interface Of {
  readonly table?: string;
  readonly operation?: string;
  readonly index?: string;
}

/** Ours: how long numbers wait in memory, and how many different ones may. */
const flushAfterMs = 5_000;
const gatheredMax = 5_000;

export function createObserver(needs: { readonly metrics: MetricsPort; readonly clock: Clock }): Observer {
  const { metrics, clock } = needs;
  let gathered = new Map<string, Gathered>();
  let cancel: (() => void) | undefined;

  const flush = () => {
    cancel?.();
    cancel = undefined;
    const all = gathered;
    gathered = new Map();
    for (const { count, sum, minimum, maximum, ...datum } of all.values()) {
      metrics.record({
        ...datum,
        namespace: "AWS/DynamoDB",
        resolution: 60,
        sample: { count, sum, minimum, maximum },
      });
    }
  };

  const add = (
    place: { readonly account: string; readonly region: string },
    metricName: string,
    { table, operation, index }: Of,
    value: number,
    unit: string,
  ) => {
    const timestamp = Math.floor(clock.now() / 60_000) * 60_000;
    const id = `${place.account} ${place.region} ${metricName} ${timestamp} ${table} ${operation} ${index}`;
    const known = gathered.get(id);
    if (known) {
      known.count += 1;
      known.sum += value;
      known.minimum = Math.min(known.minimum, value);
      known.maximum = Math.max(known.maximum, value);
      return;
    }
    if (gathered.size >= gatheredMax) flush();
    const { account, region } = place;
    gathered.set(id, {
      account,
      region,
      metricName,
      dimensions: [
        ...(operation === undefined ? [] : [{ name: "Operation", value: operation }]),
        ...(index === undefined ? [] : [{ name: "GlobalSecondaryIndexName", value: index }]),
        ...(table === undefined ? [] : [{ name: "TableName", value: table }]),
      ],
      unit,
      timestamp,
      count: 1,
      sum: value,
      minimum: value,
      maximum: value,
    });
    cancel ??= clock.after(flushAfterMs, flush);
  };

  return {
    observe: async (call, table, run, kind) => {
      const began = clock.now();
      try {
        const result = await run();
        if (table !== undefined) {
          const of = { table, operation: call.operation };
          add(call, "SuccessfulRequestLatency", of, Math.max(0, clock.now() - began), "Milliseconds");
        }
        return result;
      } catch (error) {
        if (error instanceof AwsError) note(error, call, table, kind);
        throw error;
      }
    },
    used: (call, used) => {
      const table = used.table.record.name;
      const units = (metric: string, of: Of, count: number) => {
        if (count > 0) add(call, metric, of, count, "Count");
      };
      units("ConsumedReadCapacityUnits", { table }, used.read);
      units("ConsumedWriteCapacityUnits", { table }, used.write);
      for (const [index, count] of used.indexReads) units("ConsumedReadCapacityUnits", { table, index }, count);
      for (const [index, count] of used.indexWrites) units("ConsumedWriteCapacityUnits", { table, index }, count);
    },
    returned: (call, table, items) =>
      add(call, "ReturnedItemCount", { table: table.name, operation: call.operation }, items, "Count"),
    expired: (place, table, items) => add(place, "TimeToLiveDeletedItemCount", { table }, items, "Count"),
    stop: flush,
  };

  function note(
    error: AwsError,
    call: Call,
    table: string | undefined,
    kind = /^(?:Get|BatchGet|Query|Scan|TransactGet)/.test(call.operation) ? "read" : "write",
  ): void {
    if (error.code === "ConditionalCheckFailedException") {
      if (table !== undefined) add(call, "ConditionalCheckFailedRequests", { table }, 1, "Count");
    } else if (error.code === "ProvisionedThroughputExceededException" || error.code === "ThrottlingException") {
      if (table === undefined) return;
      add(call, "ThrottledRequests", { table, operation: call.operation }, 1, "Count");
      add(call, kind === "read" ? "ReadThrottleEvents" : "WriteThrottleEvents", { table }, 1, "Count");
    } else if (error.status === 400) {
      add(call, "UserErrors", {}, 1, "Count");
    }
  }
}
