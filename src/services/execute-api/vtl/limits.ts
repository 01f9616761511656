/** Bounds of mapping templates. Source, where AWS has one: "Quotas for configuring and running a REST API in API Gateway". */
export const templateLimits = {
  /** Iterations of one `#foreach`: 1,000. As Velocity does, the loop ends there and the template goes on. */
  foreachIterationsMax: 1_000,
  /** Our own: as large as a payload may be. */
  outputCharactersMax: 10 * 1024 * 1024,
  /** Our own: evaluated parts of one rendering, and characters made, 256 of which count as one part. */
  stepsMax: 1_000_000,
  charactersPerStep: 256,
  /** Our own: how deep parts of a template, JSON documents, and what is printed may be nested. */
  nestingMax: 100,
  /** Velocity's `velocimacro.max.depth`. */
  macroDepthMax: 20,
  /** Our own: how long one use of a regular expression that may backtrack is given. */
  patternMs: 50,
  /** Our own: such uses in one rendering. */
  slowPatternsMax: 20,
  /** Our own: nodes one JSONPath may visit. */
  pathVisitsMax: 200_000,
  /** Our own: a JSONPath's length. */
  pathLengthMax: 4_096,
} as const;
