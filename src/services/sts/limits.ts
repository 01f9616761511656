/** Source: "AssumeRole", "GetSessionToken" and "GetFederationToken" in the STS API reference. */
export const stsLimits = {
  assumeRoleSecondsDefault: 3_600,
  /** A role assumed with the credentials of a role. */
  chainedSecondsMax: 3_600,
  sessionTokenSecondsDefault: 43_200,
  sessionTokenSecondsMaxOfRoot: 3_600,
  /** Characters of the session policy and of the ARNs of policies together. */
  sessionPolicyCharactersMax: 2_048,
  sessionPolicyArnsMax: 10,
  sessionTagsMax: 50,
} as const;
