import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import type { PublishedRate } from "../published.ts";

/**
 * API keys and usage plans, as the data plane follows them: written by the control plane in the transaction that changes
 * a key or a plan.
 */
export interface UsagePublisher {
  publishKey(tx: Transaction, key: PublishedApiKey): void;
  withdrawKey(tx: Transaction, key: Pick<PublishedApiKey, "account" | "region" | "value">): void;
  publishPlan(tx: Transaction, plan: PublishedUsagePlan): void;
  withdrawPlan(tx: Transaction, plan: Pick<PublishedUsagePlan, "account" | "region" | "planId">): void;
}

/** Usage plans, for the control plane: what it publishes, and what clients have used. */
export interface UsagePort extends UsagePublisher {
  /** How often all APIs of an account and region may be called together; absent: as often as the host can. */
  readonly accountRate: PublishedRate | undefined;
  /** What this node has counted so far is in the store. */
  flush(): Promise<void>;
  /** @param days `2026-11-22` … in UTC; what comes back is undefined for days without requests */
  readDays(
    reader: Reader,
    address: UsageAddress,
    days: readonly string[],
  ): Promise<({ readonly used: number; readonly remaining: number } | undefined)[]>;
  /** What is left of a quota in its current period. */
  readRemaining(reader: Reader, address: UsageAddress, quota: PublishedQuota, now: number): Promise<number>;
  /** Allow so many more requests in the current period. */
  setRemaining(
    tx: Transaction,
    address: UsageAddress,
    quota: PublishedQuota,
    remaining: number,
    now: number,
  ): Promise<void>;
}

/** Whose requests are counted. */
export interface UsageAddress {
  readonly account: string;
  readonly region: string;
  readonly planId: string;
  readonly keyId: string;
}

export interface PublishedApiKey {
  readonly account: string;
  readonly region: string;
  readonly keyId: string;
  /** Secret: never to be logged. */
  readonly value: string;
  readonly enabled: boolean;
  readonly planIds: readonly string[];
}

export interface PublishedUsagePlan {
  readonly account: string;
  readonly region: string;
  readonly planId: string;
  readonly stages: readonly {
    readonly apiId: string;
    readonly stageName: string;
    /** By `/path/METHOD` of a REST API, by route key of a WebSocket API. */
    readonly throttling: Readonly<Record<string, PublishedRate>>;
  }[];
  readonly throttling?: PublishedRate;
  readonly quota?: PublishedQuota;
}

export interface PublishedQuota {
  readonly limit: number;
  /** Taken from the limit in the first period. */
  readonly offset: number;
  readonly period: "DAY" | "WEEK" | "MONTH";
  /** When the plan was given this quota, epoch milliseconds: the first period is the one it falls in. */
  readonly since: number;
}
