/** Of the trail of calls. Source: "Viewing events with CloudTrail event history" and "CloudTrail record contents" unless said. */
export const cloudtrailLimits = {
  /** How long events are kept: 90 days. */
  keptMs: 90 * 24 * 3_600_000,
  /** Our own: how often what is older is removed. */
  expireEveryMs: 3_600_000,
  /** Our own: events removed together. */
  expireKeysMax: 1_000,
  /** Events of a page, where the caller does not say. */
  pageEvents: 50,
  /** Our own: events looked at for one page; a page may be short, and the next one goes on. */
  scannedEventsMax: 20_000,
  /** Our own: read from the store together. */
  scanEntries: 500,
  /** Our own: how long the events of calls that change nothing may wait to be written together. */
  readsWaitMs: 500,
  /** Our own: written together at the most, and so many may wait before calls do. */
  batchEventsMax: 200,
  waitingEventsMax: 5_000,
  /** Our own, of one text of a request or an answer; longer ones are cut. */
  textCharactersMax: 4_096,
  /** Our own, of the parameters of a request or of what was answered (AWS: 100 KB). */
  partCharactersMax: 16_384,
  /** Our own: how deep a value is told, and how many of its items. */
  depthMax: 12,
  itemsMax: 100,
} as const;
