/** Limits of throttling and quotas. Ours, unless a source is named. */
export const throttlingLimits = {
  /** "Quotas for configuring and running a REST API": how long a value of an API key may be. */
  keyValueCharactersMax: 128,
  /** API keys that are remembered with their plans, and values that are remembered as nobody's. */
  keysInMemoryMax: 20_000,
  unknownKeysInMemoryMax: 10_000,
  /** Buckets that are in memory; full ones are forgotten when there are more. */
  bucketsMax: 100_000,
  /** Where nodes divide a rate, each takes what it may let through in so long at a time. */
  rateLeaseMs: 100,
  /** What a node took of a divided rate is void after so long. */
  rateLeaseMsMax: 1_000,
  /** The largest part of a quota that a node takes at a time; near the end of a quota the parts become single requests. */
  quotaBlockMax: 1_000,
  /** A node takes at most this share of what is left of a quota, divided by the number of nodes. */
  quotaBlockShare: 4,
  /** After so long without requests, what a node has left of a quota is given back, and what it used is told. */
  quotaIdleMs: 2_000,
  /** How long a quota that is used up is taken for that without a look. */
  quotaDeniedMs: 1_000,
  /** Unsettled parts of quotas read at once. */
  leasesPage: 1_000,
} as const;
