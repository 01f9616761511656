/**
 * Times and sizes of pools' domains. Source: "Authorization endpoint", "Token endpoint" and "Managed login" in the Cognito
 * developer guide (2026-10), unless a line says that it is ours.
 */
export const oauthLimits = {
  /** An authorization code is good for five minutes, once. */
  codeMs: 5 * 60_000,
  /** A signed-in browser stays so for an hour. */
  sessionMs: 3_600_000,
  /** Ours: how long somebody may take between the steps of a hosted sign-in that no challenge limits. */
  stepMs: 15 * 60_000,
  /** Ours: how long an external provider may take to send somebody back. */
  federationMs: 15 * 60_000,
  /** Ours: how long a provider may take for one answer, and how large that may be; how long what it publishes is kept. */
  providerMs: 10_000,
  providerBytesMax: 256 * 1024,
  providerKeptMs: 5 * 60_000,
  providersKept: 1_000,
  /** Ours. */
  formBytesMax: 64 * 1024,
  /** Source: developer guide, "Customizing hosted UI (classic) branding". */
  logoBytesMax: 100 * 1024,
  parameterCharactersMax: 4_096,
  nonceCharactersMax: 512,
  /** RFC 7636, section 4.1. */
  verifierCharactersMin: 43,
  verifierCharactersMax: 128,
  /**
   * Requests per second that a process answers for a pool, and how many may come at once: the quotas of the categories
   * UserAuthentication, UserFederation and ClientAuthentication of an account in a region.
   */
  requestsPerSecond: 150,
  requestsBurst: 300,
  /** Ours: pools whose rate is kept. */
  poolsMetered: 1_000,
} as const;
