/** Limits of stages' caches. Ours, unless a source is named. */
export const cachingLimits = {
  /** "Enabling API caching": the largest response that is cached. */
  responseBytesMax: 1_048_576,
  /** In memory for one stage, however large its cache is said to be, and for all of this process. */
  stageBytesMax: 256 * 1024 ** 2,
  processBytesMax: 512 * 1024 ** 2,
  /** What an entry takes besides its content, about. */
  entryBytes: 500,
  /** Caches that are remembered while their stages are. */
  stagesMax: 1_000,
} as const;
