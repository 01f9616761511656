import { expect, test } from "vitest";
import { createMemoryStore } from "../kernel/store/memory-store.ts";
import { toExposition } from "./exposition.ts";
import { timeStore } from "./store-metrics.ts";

test("each transaction is counted once, and those that fail are told apart", async () => {
  const { store, collect } = timeStore(createMemoryStore());
  expect(await store.transact(async (tx) => tx.set(["a"], 1))).toBeUndefined();
  await expect(store.transact(() => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  expect(await store.read((reader) => reader.get(["a"]))).toBe(1);
  const text = toExposition(collect());
  expect(text).toContain('cumulet_store_transaction_seconds_bucket{le="+Inf"} 2\n');
  expect(text).toContain("cumulet_store_transaction_seconds_count 2\n");
  expect(text).toContain("cumulet_store_transactions_failed_total 1\n");
});
