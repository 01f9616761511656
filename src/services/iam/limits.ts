/** IAM's quotas. Source: "IAM and AWS STS quotas" in the IAM user guide; default values unless said. */
export const iamLimits = {
  rolesPerAccount: 1_000,
  usersPerAccount: 5_000,
  groupsPerAccount: 300,
  policiesPerAccount: 1_500,
  /** Managed policies attached to one role, user or group. */
  attachedPoliciesMax: 10,
  groupsPerUserMax: 10,
  accessKeysPerUserMax: 2,
  policyVersionsMax: 5,
  tagsMax: 50,
  /** White space is not counted in any of these. */
  managedPolicyCharactersMax: 6_144,
  /** All inline policies together. */
  inlinePoliciesCharactersMax: { role: 10_240, user: 2_048, group: 5_120 },
  trustPolicyCharactersMax: 2_048,
  oidcProvidersPerAccount: 100,
  oidcClientIdsMax: 100,
  oidcThumbprintsMax: 5,
  samlProvidersPerAccount: 100,
  instanceProfilesPerAccount: 1_000,
  mfaDevicesPerUserMax: 8,
  /** Virtual MFA devices, assigned or not: the quota of users. */
  mfaDevicesPerAccount: 5_000,
  /** Wrong codes of a device before it waits, twice as long each time (ours: as Cognito has it for passwords). */
  mfaFailuresFree: 5,
  mfaLockMsMax: 15 * 60_000,
  /** How often the use of a service by a user or role is written down (AWS: within four hours). */
  serviceUsedIntervalMs: 3_600_000,
  /** How long a credential report counts: four hours. */
  reportFreshMs: 4 * 3_600_000,
  /** Our own: one value of the store. */
  reportPartBytes: 48 * 1024,
  /** Jobs of services last accessed: seven days. */
  jobKeptMs: 7 * 24 * 3_600_000,
  passwordFailuresFree: 5,
  passwordLockMsMax: 15 * 60_000,
  /** As many as a password policy may forbid to use again. */
  earlierPasswordsKept: 24,
  /** How far a device's clock may be off when it is enabled, and when it is set right, in steps of 30 seconds (ours). */
  mfaReachEnabling: 2,
  mfaReachResync: 100,
  /** Items of a page where the caller does not say. */
  pageItems: 100,
  /** Entries read from the store together. */
  scanEntries: 1_000,
  /** How often the last use of an access key is written down (AWS: within minutes to hours). */
  lastUsedIntervalMs: 60_000,
  /** Pairs of action and resource of one simulation (ours): they are decided one after the other, while others wait. */
  simulationPairsMax: 10_000,
  /** Access keys and identities kept in memory (ours). */
  identitiesCachedMax: 10_000,
} as const;
