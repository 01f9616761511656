/**
 * Quotas of CloudWatch Logs, and our own bounds where AWS's are not published.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html (2026-10)
 */
export const logsLimits = {
  /** PutLogEvents: sum of all messages plus 26 bytes each. */
  batchBytesMax: 1_048_576,
  batchEventsMax: 10_000,
  eventOverheadBytes: 26,
  eventBytesMax: 1_048_576,
  batchSpanMs: 24 * 60 * 60 * 1000,
  tooOldMs: 14 * 24 * 60 * 60 * 1000,
  tooNewMs: 2 * 60 * 60 * 1000,
  tagsMax: 50,
  describeLimitDefault: 50,
  subscriptionFiltersMax: 2,
  metricFiltersMax: 100,
  /** Of an account in a region. */
  resourcePoliciesMax: 10,
  /** Of a metric filter. */
  dimensionsMax: 3,
  dimensionValueMax: 255,
  /** Ours: events and bytes that one delivery to a subscription's destination holds: zipped and in base64 they fit into Lambda's 1 MB. */
  deliveryEventsMax: 1000,
  deliveryBytesMax: 524_288,
  /** Ours: deliveries that this process makes at once. */
  deliveriesAtOnce: 8,
  /** Ours: parsed filter patterns that are remembered. */
  patternsMax: 1000,
  /** GetLogEvents and FilterLogEvents: events and bytes a page. */
  pageEventsMax: 10_000,
  pageBytesMax: 1_048_576,
  /** Events that one FilterLogEvents page looks at before it answers with a token. Ours. */
  scanEventsMax: 50_000,
  /** Retention values that AWS accepts. Source: API reference, PutRetentionPolicy. */
  retentionDays: [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
  ],
  /** Ours: a stored chunk of events spans no more time than this, so that a reader knows how far to look back. */
  chunkSpanMs: 10_000,
  chunkBytesMax: 262_144,
  chunkEventsMax: 1000,
  /** Ours: appended events wait no longer than this before they are written. */
  flushAfterMs: 100,
  /** Ours: appended events held in memory while the store cannot keep up; beyond, the oldest are dropped and counted in the log. */
  pendingBytesMax: 64 * 1024 * 1024,
  /** Ours: streams written in one transaction. */
  flushStreamsMax: 200,
  /** Ours: how often a group's retention is enforced. */
  retentionEveryMs: 60 * 60 * 1000,
  /** Ours: chunks removed in one transaction. */
  purgeChunksMax: 500,
} as const;
