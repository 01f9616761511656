/**
 * Quotas and times of Cognito user pools. Source: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html and the
 * pages on the subjects (2026-10), unless a line says that it is ours.
 */
export const cognitoLimits = {
  poolsMax: 1_000,
  clientsMax: 1_000,
  clientSecretsMax: 2,
  groupsMax: 10_000,
  groupsOfUserMax: 100,
  groupsInTokenMax: 100,
  resourceServersMax: 25,
  scopesOfServerMax: 100,
  providersMax: 300,
  identifiersOfProviderMax: 50,
  customAttributesMax: 50,
  tagsMax: 50,
  callbackUrlsMax: 100,
  scopesOfClientMax: 50,
  passkeysMax: 20,
  /** Ours: AWS tells none. */
  devicesMax: 100,
  pageMax: 60,
  /** How long codes are good. */
  signUpCodeMs: 24 * 3_600_000,
  attributeCodeMs: 24 * 3_600_000,
  resetCodeMs: 3_600_000,
  /** Wrong codes before a new one has to be asked for. Ours: AWS limits attempts by time. */
  codeAttemptsMax: 5,
  /** Codes sent to one user for one purpose, in an hour: "5 to 20 depending on risk" for ForgotPassword. */
  codesPerHourMax: 20,
  /** Sign-in: five failures are free; then 1 s, doubled with each further one up to about 15 minutes; forgotten after as long. */
  failuresFree: 5,
  lockMs: 1_000,
  lockMsMax: 15 * 60_000,
  /** Challenges that are answered wrongly in one session. Ours. */
  challengeAttemptsMax: 5,
  authSessionMinutes: 3,
  accessTokenMs: 3_600_000,
  refreshTokenMs: 30 * 86_400_000,
  /** The longest that an ID or access token lives: keys are kept so long after they have signed last. */
  tokenMsMax: 86_400_000,
  /** Ours: how long a key signs, and how long before that it is published. */
  keySignsMs: 90 * 86_400_000,
  keyAnnouncedMs: 86_400_000,
  /** Ours: tokens longer than this are not looked at. */
  tokenCharactersMax: 16_384,
  triggerMs: 5_000,
  triggerAttempts: 3,
  /** Ours: rounds of custom challenges in one sign-in. */
  customRoundsMax: 20,
  /** Ours: what is kept of messages, and how many of a pool. */
  messageKeptMs: 7 * 86_400_000,
  /** Ours: how often what has ended is swept, and how much at once. */
  sweepEveryMs: 10 * 60_000,
  sweepMax: 500,
  /** Ours: characters of a value that are indexed for ListUsers; the rest is compared with the user itself. */
  indexedCharactersMax: 128,
  /** Ours: users that a filter whose index does not decide looks at for one page. */
  filterLookMax: 5_000,
  /** User import: jobs of a pool, lines of a file and characters of a line, and how long before a job must be started. */
  importJobsMax: 1_000,
  importLinesMax: 500_000,
  importLineCharactersMax: 16_000,
  importStartMs: 24 * 3_600_000,
  importUploadMs: 15 * 60_000,
  /** Ours: a file is kept in the store. AWS: 100 MB. */
  importBytesMax: 32 * 1024 * 1024,
  /** Ours: lines that are taken at once. */
  importBatch: 50,
  /** Ours: the same by characters, which fit a value of the store whatever they are. */
  importBatchCharacters: 200_000,
  /** Ours: how long after a day a job that runs still is looked at again. */
  importRunMs: 3_600_000,
  /** Ours: keys that are held ready for use. */
  keysHeldMax: 1_000,
} as const;
