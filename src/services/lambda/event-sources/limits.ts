/**
 * Limits of event source mappings. Source: CreateEventSourceMapping in the API reference, and the developer guide's "Lambda
 * parameters for Amazon DynamoDB event source mappings" (2026-10), unless a line says that it is ours.
 */
export const eventSourceLimits = {
  batchSizeDefault: 100,
  /** Without an increase of the quota. Source: developer guide, event filtering. */
  filtersMax: 5,
  recordAgeSecondsMin: 60,
  /** What is older has left the stream. */
  retentionMs: 24 * 3_600_000,
  /** A window's state; beyond, the window ends early. */
  stateBytesMax: 1024 * 1024,
  listItemsMax: 100,
  /** Ours: records read at once. */
  pageRecords: 1_000,
  /** Ours: how long a poller stays for more records before it lets go. */
  lingerMs: 2_000,
  /** Ours: how long after a window's end late records are still waited for. */
  windowGraceMs: 500,
  /** Ours: waits between tries of a batch that failed or could not be handed over, doubled from the first to the most. */
  backoffFirstMs: 200,
  backoffMostMs: 60_000,
  /** Ours: how long the role's permission to read is taken for granted. */
  accessMs: 1_000,
  /** Ours: how often it is asked again once it was denied. */
  deniedMs: 5_000,
  /** Ours: pollers that one process runs at once. */
  pollersAtOnce: 200,
  /** Ours: mappings looked at together. */
  page: 1_000,
  /** Ours: how soon a source's changes are looked at again while its pollers run. */
  lookAgainMs: 25,
  /** Ours: the same, after a look that failed. */
  failedLookMs: 1_000,
} as const;
