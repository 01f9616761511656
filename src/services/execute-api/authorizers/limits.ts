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
  /** Our own: tokens are refused unread above this. Node admits 16 KB of headers in all. */
  tokenCharactersMax: 12_288,
  /** Our own: verified tokens of one authorizer that are remembered. */
  tokensMax: 2_048,
  /** Our own: a token is verified again after this, so that a key its issuer has withdrawn is noticed. */
  tokenVerifiedForMs: 5 * 60_000,
  /** "API Gateway can cache the public key for two hours": how long keys are used without their issuer being reached. */
  keysUsedForMs: 2 * 60 * 60_000,
  /** Our own: older keys are asked for again, beside the requests that use them. */
  keysFreshForMs: 5 * 60_000,
  /** Our own: how soon an issuer is asked again for a key that it did not have. */
  unknownKeyEveryMs: 30_000,
  /** Our own: how soon an issuer that could not be reached is tried again. */
  issuerRetryMs: 2_000,
  /** How long an issuer may take to answer each of two requests. Reported by users of AWS: 1.5 seconds. */
  issuerTimeoutMs: 1_500,
  /** Our own: the documents of an issuer. */
  issuerBytesMax: 256 * 1024,
  /** Our own: keys of one issuer. */
  keysMax: 100,
  /** Our own: issuers whose keys are remembered. */
  issuersMax: 1_000,
} as const;
