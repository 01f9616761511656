/**
 * Quotas of DynamoDB. Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html and
 * Constraints.html (2026-11), unless a line says that it is ours.
 */
export const dynamoLimits = {
  itemBytesMax: 400 * 1024,
  hashKeyBytesMax: 2048,
  rangeKeyBytesMax: 1024,
  nestingMax: 32,
  pageBytesMax: 1024 * 1024,
  batchGetKeysMax: 100,
  batchWritesMax: 25,
  batchBytesMax: 16 * 1024 * 1024,
  transactionItemsMax: 100,
  transactionBytesMax: 4 * 1024 * 1024,
  /** API reference, TransactWriteItems: for how long a ClientRequestToken is remembered. */
  tokenMs: 10 * 60_000,
  /** Ours: how often tokens past that are forgotten. */
  tokenSweepMs: 60_000,
  expressionBytesMax: 4096,
  /** Operators and functions in one UpdateExpression or condition. */
  expressionOperatorsMax: 300,
  inOperandsMax: 100,
  globalIndexesMax: 20,
  localIndexesMax: 5,
  projectedAttributesMax: 100,
  keyAttributesMax: 4,
  tagsMax: 50,
  tablesMax: 2_500,
  capacityUnitsMax: 40_000,
  accountCapacityUnitsMax: 80_000,
  itemCollectionBytesMax: 10 * 1024 ** 3,
  /** How long unused capacity can be saved: "Burst and adaptive capacity". */
  burstSeconds: 300,
  partiqlBytesMax: 8192,
  streamRetentionMs: 24 * 3_600_000,
  /** API reference, GetShardIterator: "A shard iterator expires 15 minutes after it is retrieved". */
  iteratorMs: 15 * 60_000,
  streamRecordsMax: 1_000,
  streamBytesMax: 1024 * 1024,
  resourcePolicyBytesMax: 20 * 1024,
  /** "DynamoDB updates this value approximately every six hours": ItemCount and TableSizeBytes. */
  measureEveryMs: 6 * 3_600_000,
  /** Ours: how often items past their time are looked for; AWS: within a few days. */
  ttlEveryMs: 60_000,
  /** Source: TTL: items older than five years are not deleted. */
  ttlAgeMsMax: 5 * 365 * 24 * 3_600_000,
  /** Ours: how often stream records past 24 hours are removed. */
  trimEveryMs: 15 * 60_000,
  /** Ours: entries that one transaction of a job touches. */
  jobPage: 500,
  /** Ours: writes of one table that become one transaction. */
  writesTogetherMax: 128,
  /** Ours: parsed expressions that are kept. */
  expressionsKept: 2_000,
  /** Ours: parsed PartiQL statements that are kept, and of what length: longer ones say little twice. */
  statementsKept: 1_000,
  statementKeptBytesMax: 1024,
  /** Ours: entries read from the store at once. */
  readTogetherMax: 1_000,
  /** Developer guide: retention of point-in-time recovery, days. */
  recoveryDaysMax: 35,
  /** Ours: how often what is older than a table's period is removed from its log, and a log that is still read is looked at again. */
  recoveryTrimEveryMs: 3_600_000,
  purgeAgainMs: 60_000,
} as const;
