/** Of tokens of OpenID Connect, and of their issuers' keys. Source: "Quotas for configuring and running a REST/HTTP API" unless said. */
export const tokenLimits = {
  /** Our own: tokens are refused unread above this. Node admits 16 KB of headers in all. */
  tokenCharactersMax: 12_288,
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
