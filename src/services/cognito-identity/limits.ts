/**
 * Quotas of identity pools. Source: https://docs.aws.amazon.com/cognito/latest/developerguide/limits.html (2026-10), unless
 * a line says that it is ours.
 */
export const identityLimits = {
  poolsMax: 1_000,
  userPoolsPerPoolMax: 50,
  tagsMax: 50,
  rulesPerMappingMax: 25,
  /** Of one developer identity, and how many one identity may have: ours for the second. */
  developerIdentifiersMax: 1_000,
  /** Source: API reference, GetCredentialsForIdentity and "Enhanced authflow". */
  credentialSeconds: 3_600,
  /** Source: API reference, GetOpenIdToken: good for ten minutes. */
  openIdTokenSeconds: 600,
  /** Source: API reference, GetOpenIdTokenForDeveloperIdentity. */
  developerTokenSecondsDefault: 900,
  /** Ours: what a deleted pool's job removes in one transaction. */
  forgetMax: 200,
} as const;
