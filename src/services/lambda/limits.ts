/**
 * Quotas of Lambda. Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (2026-10), unless a
 * line says that it is ours.
 */
export const lambdaLimits = {
  /** A package sent in the request, zipped. */
  zipUploadBytesMax: 50 * 1024 * 1024,
  /** The function and its layers, unzipped; also the most that a package in S3 may have zipped. */
  unzippedBytesMax: 262_144_000,
  /** All packages of an account in a region. */
  codeStorageBytesMax: 80_530_636_800,
  requestPayloadBytesMax: 6_291_456,
  eventPayloadBytesMax: 1_048_576,
  /** Ours: bytes in one event of a response stream. */
  streamChunkBytes: 65_536,
  /** Ours: bytes of a streamed answer that are held for a client before its function must wait. */
  streamedBytesHeld: 262_144,
  /** Ours: status, headers and cookies of a streamed answer. */
  preludeBytesMax: 131_072,
  /** Ours: characters of the content type of a streamed answer. */
  contentTypeMax: 8_192,
  /** A container image, uncompressed. */
  imageBytesMax: 10 * 1024 ** 3,
  /** Ours: files, folders and links in all of an image's layers, and the size of its config. */
  imageEntriesMax: 1_000_000,
  imageConfigBytesMax: 4 * 1024 ** 2,
  environmentBytesMax: 4096,
  timeoutSecondsMax: 900,
  memoryMbMax: 10_240,
  ephemeralStorageMbMax: 10_240,
  functionNameMax: 64,
  layersMax: 5,
  tagsMax: 50,
  policyBytesMax: 20_480,
  concurrentExecutions: 1000,
  /** Requests that a function may serve a second, for each unit of its concurrency. */
  requestsPerSecondOfConcurrency: 10,
  /** Ours: functions, versions and accounts whose running invocations are counted; beyond, those at zero are forgotten. */
  countersMax: 10_000,
  /** How often a function may be invoked in one chain of events. Source: developer guide, recursive loop detection ("approximately 16 times"). */
  recursiveInvocationsMax: 16,
  /** Ours: functions of a chain that are remembered in its trace header. */
  lineageFunctionsMax: 16,
  /** What reserved concurrency must leave for all other functions. */
  unreservedConcurrencyMin: 100,
  clientContextBytesMax: 3583,
  /** Ours: how long a function's credentials are good for. */
  roleSessionSeconds: 12 * 60 * 60,
  listItemsMax: 50,
  listLayersMax: 50,
  /** Asynchronous invocation. Source: developer guide, "Error handling and retries". */
  eventAgeSecondsDefault: 21_600,
  eventRetriesDefault: 2,
  /** After the first and the second failure of a function. */
  eventRetryDelaysMs: [60_000, 120_000],
  /** After a throttle or an error of the platform: from 1 second, doubled, up to 5 minutes. */
  eventBackoffFirstMs: 1000,
  eventBackoffMostMs: 300_000,
  /** Ours: asynchronous invocations that this process runs at once. */
  eventConcurrency: 50,
  /** Ours: records of asynchronous invocations that this process delivers at once. */
  deliveriesAtOnce: 16,
  /** Ours: entries of a zip, and unzipped at once. */
  zipEntriesMax: 200_000,
  unzipAtOnce: 4,
  /** Ours: how long the address of GetFunction's Code.Location is good for. AWS: 10 minutes. */
  codeUrlMs: 600_000,
  /** Ours: decisions about who may invoke that are remembered for each function. */
  decisionsMax: 1000,
  /** Ours: function URLs kept ready to answer. */
  urlsInMemoryMax: 10_000,
  /** Ours: unpacked code that nothing uses is removed after this. */
  unusedCodeMs: 3_600_000,
  /** Each process looks this often, and marks what it uses: well within the time above. */
  sweepCodeMs: 900_000,
} as const;
