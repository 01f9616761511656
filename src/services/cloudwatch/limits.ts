/**
 * Quotas of CloudWatch metrics, and our own bounds where AWS's are not published.
 * Sources: API reference (PutMetricData, GetMetricData, GetMetricStatistics, ListMetrics) and
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html (2026-10)
 */
export const cloudWatchLimits = {
  /** PutMetricData: metrics a request, and values of one metric. */
  metricDataMax: 1000,
  valuesMax: 150,
  /** A value lies between -2^360 and 2^360. */
  valueMost: 2 ** 360,
  tooOldMs: 14 * 24 * 60 * 60 * 1000,
  tooNewMs: 2 * 60 * 60 * 1000,
  /** GetMetricStatistics: data points an answer. */
  statisticsDatapointsMax: 1440,
  /** GetMetricData. */
  queriesMax: 500,
  datapointsMax: 100_800,
  /** Embedded Metric Format: metrics of a directive, and values of one metric. */
  embeddedMetricsMax: 100,
  /** ListMetrics: metrics a page, and how recently a metric must have had data. */
  listPageMax: 500,
  listedForMs: 14 * 24 * 60 * 60 * 1000,
  recentlyActiveMs: 3 * 60 * 60 * 1000,
  /** How long points are kept at each resolution, in seconds, before they are joined into the next. */
  retentionMs: {
    1: 3 * 60 * 60 * 1000,
    60: 15 * 24 * 60 * 60 * 1000,
    300: 63 * 24 * 60 * 60 * 1000,
    3600: 455 * 24 * 60 * 60 * 1000,
  },
  /** Ours: distinct values that a stored point keeps; beyond, values are kept to the nearest percent. */
  distinctValuesMax: 500,
  /** Ours: metrics in a request of ListMetrics that are looked at before it answers with a token. */
  listScanMax: 10_000,
  /** Ours: how often a series notes that it is alive. */
  seriesNotedEveryMs: 10 * 60 * 1000,
  /** Ours: what services record waits no longer than this before it is written, and no more of it is held. */
  recordAfterMs: 1000,
  recordedMax: 10_000,
  /** Ours: data written in one transaction. */
  writeDataMax: 2000,
  /** Ours: how often old points are joined, and how many in one transaction. */
  rollUpEveryMs: 60 * 60 * 1000,
  rollUpPointsMax: 500,
  /** Ours: stored points that one query looks at. */
  pointsScanMax: 500_000,
  /** Ours: nesting of a metric math expression. */
  expressionDepthMax: 64,
} as const;
