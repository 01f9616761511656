/** Source unless said otherwise: "Amazon S3 multipart upload limits" and "Bucket quotas", S3 User Guide. */
export const s3Limits = {
  /** One PutObject or UploadPart. */
  uploadBytesMax: 5 * 1024 ** 3,
  /** AWS allows 48.8 TiB; sizes here are exact well beyond it. */
  objectBytesMax: 5 * 1024 ** 4,
  partBytesMin: 5 * 1024 ** 2,
  partNumberMax: 10_000,
  /** UTF-8. */
  keyBytesMax: 1_024,
  /** Names and values of user metadata together, UTF-8. */
  metadataBytesMax: 2_048,
  /** Ours: with zero bytes counted twice, as the store holds them. */
  storedKeyBytesMax: 1_700,
  pageMax: 1_000,
  deleteKeysMax: 1_000,
  objectTagsMax: 10,
  bucketTagsMax: 50,
  tagKeyCharactersMax: 128,
  tagValueCharactersMax: 256,
  /** 20 KiB. "Bucket policy: limited to 20 KB". */
  policyBytesMax: 20 * 1024,
  /** General purpose buckets of an account. */
  bucketsMax: 10_000,
  /** Of a form, before the file: "MaxPostPreDataLengthExceeded" beyond 20 KB. */
  formFieldsBytesMax: 20 * 1024,
  /** Ours. */
  formFieldsMax: 200,
  /** Of an access control list. */
  grantsMax: 100,
  /** Of a bucket's default retention: 100 years. */
  retentionDaysMax: 36_500,
  retentionYearsMax: 100,
  /** Of a website. */
  routingRulesMax: 50,
  corsRulesMax: 100,
  lifecycleRulesMax: 1_000,
  lifecycleTagsMax: 10,
  lifecycleDaysMax: 2_147_483_647,
  newerVersionsMax: 100,
  /** Ours: versions that one transaction of a sweep changes. */
  lifecycleBatchMax: 100,
  /** Event notification configurations of a bucket. */
  notificationsMax: 100,
  /** Of a configuration's or rule's id. */
  ruleIdCharactersMax: 255,
  /** Ours: events on their way to functions, in one process. */
  notificationsAtOnce: 16,
  /** Ours: entries read from the store at once. */
  storePageMax: 500,
} as const;
