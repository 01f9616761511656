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
  /** The same while no other process has been seen to write: a command, or a worker that has just been started. */
  changePollAloneMs: 200,
  /** More changed keys than this in one batch are told as "anything". */
  changeKeysMax: 256,
  /** Transactions whose changes are kept for other processes to read. */
  changesKept: 512,
  /** They are forgotten together, each time that so many transactions more have been made. */
  changesForgotten: 128,
  /** How deep a value may nest. */
  valueDepthMax: 200,
} as const;

/** Limits of the store on PostgreSQL. Ours. */
export const postgresLimits = {
  /** The least major version that is tried. */
  versionMin: 14,
  connectMsMax: 5_000,
  keepAliveMs: 10_000,
  /** The server gives a statement up after this long; the connection is given up a little later. */
  statementMsMax: 30_000,
  answerMsMax: 35_000,
  /** How long reads of one snapshot may pause. */
  snapshotMsMax: 300_000,
  /** How long calls wait for PostgreSQL to come back before they fail. */
  unavailableMsMax: 30_000,
  /** Wait before the second attempt; doubled for each further one. */
  backoffMs: 20,
  backoffMsMax: 500,
  /** Connections for reads of one statement, which share them. */
  readConnections: 4,
  /** Reads that wait for a connection go together, so many at the most. */
  readsTogetherMax: 512,
  /** Connections for reads of several statements in one snapshot. */
  snapshotConnections: 8,
  /** Above these, for reads that have waited for so long: they may be what those that hold the others wait for. */
  snapshotConnectionsMore: 24,
  snapshotWaitMs: 100,
  /** Commits go together up to so many bytes. */
  batchBytesMax: 16 * 1024 * 1024,
  /** A batch that changes more keys, in bytes, is told as "anything". */
  changeBytesMax: 128 * 1024,
  /** How long the changes of a batch are kept for nodes that were away, and for a commit whose answer was lost. */
  changesKeptSeconds: 300,
  forgetEveryMs: 10_000,
  /** Changes read together. */
  changesPage: 500,
  /** Batches whose changes a process remembers. */
  changesRemembered: 2_000,
  /** How often changes are looked for where the server tells of them, and where it does not. */
  toldPollMs: 1_000,
  untoldPollMs: 50,
} as const;

/** Limits of blobs. Ours. */
export const blobLimits = {
  /** Content up to this size lives in the store. */
  smallBytesMax: 64 * 1024,
  /** Files are read, and what comes in smaller chunks is written, so much at a time: each time is a turn of a thread. */
  chunkBytes: 256 * 1024,
  /** Buffers of that size that are kept for the next reader. */
  chunksKept: 32,
  /** Large content in the store is cut into pieces of this size. */
  pieceBytes: 512 * 1024,
  /** Pieces that one write or removal has in memory. */
  piecesAtOnce: 4,
  /** Pieces that one transaction removes. */
  removedAtOnce: 1_000,
  /** Large content in an S3-compatible store is sent in parts of this size (S3 takes 5 MiB and more, and 10,000 parts). */
  partBytes: 8 * 1024 * 1024,
  /** How long an S3-compatible store may take to answer, and between two chunks of what it sends. */
  s3AnswerMsMax: 60_000,
  /** A request to it that failed, for a reason that may pass, is sent so often, after waits of the second value, doubled each time. */
  s3TriesMax: 4,
  s3RetryMs: 200,
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
  /** How often a run renews its lease, and how often each process looks at the leases of the others. */
  renewMs: 5_000,
  /** A lease that did not change between so many looks after the first, 15 s, is taken for dead. */
  unchangedLooks: 3,
  /** A run that could not renew for so long is told that its lease is lost: before any other may think so. */
  leaseSureMs: 12_000,
  /** A renewal that fails or is not answered is looked at again after so long. */
  renewStepMs: 1_000,
  /** How often a run that ended tries to say so before it leaves the job to whoever looks at its lease. */
  giveBackTries: 10,
  /** Leases looked at together. */
  leasesPage: 1_000,
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

/** Limits of nodes. Ours. The lease that others grant is longer than the one a node counts on, so that it stops first. */
export const nodeLimits = {
  /** How often a node that is not alone writes that it is there. */
  beatMs: 2_000,
  /** A node counts on its lease for so long after it began to renew it. */
  ownLeaseMs: 8_000,
  /** A node of which nothing was seen for so long is given up. */
  lostMs: 10_000,
  /** After a round that failed. */
  retryMs: 250,
  /** How often a node looks while somebody waits for the others. */
  waitingLookMs: 50,
  /** Longer than any lease runs: then it is not known whether all have taken a change in. */
  settledMsMax: 15_000,
  /** How long a request waits for the lease of a node that was paused. */
  renewedMsMax: 1_000,
  /** How long a node that stops tries to say so. */
  goodbyeMsMax: 2_000,
} as const;

/** Limits of the shares that nodes hold of what they divide. Ours. */
export const shareLimits = {
  /** How long it is asked whether others have some left, before that is denied. */
  waitMsMax: 200,
  lookMs: 25,
  /** After the others had none, for how long that is taken to be so. */
  deniedMs: 100,
  /** How long the others go on handing over what comes back, after nobody waits any more. */
  wantMs: 1_000,
  waitersMax: 10_000,
  countersMax: 10_000,
  wantsMax: 1_000,
} as const;
