/** Limits of the denials that are kept to be looked up. Ours. */
export const denialLimits = {
  /** How long a denial can be looked up, in whole hours. */
  hoursKept: 48,
  /** What one process keeps of an hour's denials; of those of one principal; of those that nobody signed. */
  perHourMax: 1_000,
  perPrincipalMax: 200,
  anonymousMax: 100,
  /** Denials of one request: some operations ask about many resources. */
  perRequestMax: 8,
  /** They wait no longer than this for the transaction that writes them. */
  writeAfterMs: 1_000,
  /** Longest value of a condition key, and how many keys, that are kept. */
  valueCharactersMax: 256,
  contextKeysMax: 64,
  expireEveryMs: 3_600_000,
  expireKeysMax: 1_000,
} as const;
