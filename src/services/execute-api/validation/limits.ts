/** Our own bounds of request validation: AWS names none. */
export const validationLimits = {
  /** Checks of one keyword on one value that one request may cost; one that costs more is invalid. */
  checksPerBodyMax: 2_000_000,
  /** How deep values and references are followed. */
  depthMax: 400,
  /** Messages kept of one body. */
  messagesMax: 50,
  /** A pattern that may take long is given up after this long. */
  patternMs: 50,
  /** Longer texts, and patterns with longer repetitions, are tested with a limit of time. */
  plainPatternTextMax: 1000,
  plainPatternRepeatMax: 32,
} as const;
