/** Limits of metering. Ours. */
export const meteringLimits = {
  /** Records wait no longer than this for the transaction that writes them, and no more of them are held. */
  commitAfterMs: 1000,
  commitRecordsMax: 10_000,
  /** Lines of records in one stored value, about; a single turn's are never divided. */
  chunkBytesMax: 128 * 1024,
  /** Records of a dead process that are committed together. */
  recoverRecordsMax: 1000,
  /** After a failed commit, the next attempt. */
  retryAfterMs: 1000,
  /** Held while the store does not take them; beyond, journal files wait for the next start. */
  heldRecordsMax: 200_000,
  /** How long single records, hourly and daily sums are kept. */
  recordsMs: 35 * 24 * 3_600_000,
  hoursMs: 400 * 24 * 3_600_000,
  daysMs: 1200 * 24 * 3_600_000,
  expireEveryMs: 6 * 3_600_000,
  expireKeysMax: 1000,
  /** What a report looks at, and how many rows it answers. */
  reportScanMax: 1_000_000,
  reportRowsMax: 10_000,
  recordsPageMax: 1000,
  /** How often the peak of what runs at once is told while something runs. */
  gaugesToldEveryMs: 1000,
  /** What is remembered for each function and who invokes it. */
  subjectsMax: 1000,
} as const;
