/** Quotas of authorizers. Source: "Quotas for configuring and running a REST/HTTP API in API Gateway" unless said. */
export const authorizerLimits = {
  /** "Lambda authorizer result size": 8 KB. */
  resultBytesMax: 8 * 1024,
  /** How long a REST API waits for its authorizer: as long as for any integration. */
  restTimeoutMs: 29_000,
  /** "HTTP APIs: Lambda authorizer timeout": 10 seconds. */
  httpTimeoutMs: 10_000,
  /** Our own: results of one authorizer that are remembered; the least recently used go first. */
  resultsMax: 1_024,
  /** Our own: stages whose authorizers' results are remembered. */
  stagesMax: 1_000,
  /** Our own: keys of results that are longer are remembered by their hash. */
  resultKeyCharactersMax: 256,
  /** Our own: verified tokens of one authorizer that are remembered. */
  tokensMax: 2_048,
  /** Our own: a token is verified again after this, so that a key its issuer has withdrawn is noticed. */
  tokenVerifiedForMs: 5 * 60_000,
} as const;
