import type { Transaction } from "../../kernel/store/store.ts";
import type { MetricDatum } from "./datum.ts";

export type { MetricDatum } from "./datum.ts";

/** What other services may ask of CloudWatch: to keep metrics of their own, fast and without a signature. */
export interface MetricsPort {
  /** Write in the caller's transaction, which its metrics then share the fate of. */
  write(tx: Transaction, data: readonly MetricDatum[]): Promise<void>;
  /** Write soon: durable within two seconds, lost when the process is killed before. Never throws. */
  record(datum: MetricDatum): void;
}
