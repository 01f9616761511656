/** Limits of the store. Ours, unless a source is named. */
export const storeLimits = {
  /** Encoded. LMDB with pages of 4 KiB holds keys of up to 1,978 bytes. */
  keyBytesMax: 1_900,
  /** One value, encoded. Larger content belongs into blobs. */
  valueBytesMax: 2 * 1024 * 1024,
  rangeEntriesMax: 10_000,
  /** An object of 10,000 parts goes in one transaction, with two writes a part. */
  transactionWritesMax: 100_000,
  transactionBytesMax: 64 * 1024 * 1024,
  /** How often a body runs before a transaction that always conflicts is given up. */
  attemptsMax: 40,
  /** How many transactions are made durable together. */
  commitBatchMax: 512,
  /** How long commits wait for the body of a transaction that conflicted and is run again ahead of them. */
  aheadMsMax: 20,
  /** Address space mapped for the embedded store's file at once; the file takes only what it holds, and may grow beyond. */
  fileBytesMax: 256 * 1024 ** 3,
  /** Snapshots that all processes together may have open. */
  readersMax: 1_024,
  /** How often a process looks for what others that share the folder have written. */
  changePollMs: 20,
  /** More changed keys than this in one batch are told as "anything". */
  changeKeysMax: 256,
  /** Transactions whose changes are kept for other processes to read. */
  changesKept: 512,
  /** How deep a value may nest. */
  valueDepthMax: 200,
} as const;

/** Limits of blobs. Ours. */
export const blobLimits = {
  /** Content up to this size lives in the store. */
  smallBytesMax: 64 * 1024,
  chunkBytes: 64 * 1024,
  /** Small content that waits in memory for the transaction that retains it; beyond this it becomes files. */
  stagedBytesMax: 64 * 1024 * 1024,
  /** How long written content may wait for the transaction that retains it: longer than any upload takes. */
  unusedMsMax: 24 * 3_600_000,
  /** How often unused content is looked for. */
  collectEveryMs: 300_000,
  /** How long released content stays, for those who are about to read it. */
  releasedMs: 600_000,
} as const;

/** Limits of jobs. Ours. */
export const jobLimits = {
  attemptsMax: 10,
  /** Another process may take a job over when its lease has not been renewed for so long. */
  leaseMs: 15_000,
  renewMs: 5_000,
  /** Wait before the second attempt; doubled for each further one. */
  backoffMs: 1_000,
  backoffMsMax: 300_000,
  /** Jobs of a kind looked at together. */
  pageMax: 64,
  /** However quiet it is, jobs are looked at so often. */
  lookMsMax: 60_000,
  /** Rounds of `drain` before it says that jobs schedule each other without end. */
  drainRoundsMax: 10_000,
  /** A failed job keeps this much of its error. */
  errorCharactersMax: 2_000,
} as const;
