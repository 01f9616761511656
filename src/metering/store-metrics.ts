import { performance } from "node:perf_hooks";
import type { Store } from "../kernel/store/store.ts";
import { histogramValues, type Collector } from "./exposition.ts";

/** Upper bounds in seconds. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** The same store, whose transactions are timed: repeated ones as one, and those that fail too. */
export function timeStore(store: Store): { readonly store: Store; readonly collect: Collector } {
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  let sum = 0;
  let failed = 0;

  const note = (since: number) => {
    const seconds = (performance.now() - since) / 1000;
    sum += seconds;
    const at = bounds.findIndex((bound) => seconds <= bound);
    const index = at < 0 ? bounds.length : at;
    counts[index] = (counts[index] ?? 0) + 1;
  };
  return {
    store: {
      ...store,
      transact: async (body) => {
        const since = performance.now();
        try {
          return await store.transact(body);
        } catch (error) {
          failed += 1;
          throw error;
        } finally {
          note(since);
        }
      },
    },
    collect: () => [
      {
        name: "cumulet_store_transaction_seconds",
        help: "How long transactions took until they were durable or had failed",
        type: "histogram",
        values: histogramValues({}, bounds, counts, sum),
      },
      {
        name: "cumulet_store_transactions_failed_total",
        help: "Transactions that changed nothing: refused by what they were asked to do, or by the store",
        type: "counter",
        values: [{ value: failed }],
      },
    ],
  };
}
