/** Quotas of the data plane. Source: "Quotas for configuring and running a REST/HTTP API in API Gateway". */
export const executeApiLimits = {
  /** Payload size of REST and HTTP APIs: 10 MB. */
  bodyBytesMax: 10 * 1024 * 1024,
  /** Our own: APIs kept compiled, and addresses remembered as belonging to no API. The least recently loaded go first. */
  apisInMemoryMax: 10_000,
  /** Our own: stages of one API read in one go; AWS allows 10 per API. */
  stagesPerApiMax: 1000,
} as const;
