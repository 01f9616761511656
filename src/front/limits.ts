/** Limits of the front door. Ours, unless a source is named. */
export const frontLimits = {
  /** All headers together. S3 takes 8 KB of header and 2 KB of metadata; session tokens in presigned URLs need more. */
  headerBytesMax: 32 * 1024,
  /** A client must have sent its headers after this long (slowloris). */
  headersMsMax: 20_000,
  /** The whole request must be there after this long: 5 GiB at 1.5 MB/s. */
  requestMsMax: 60 * 60_000,
  /** A client that is sending a body may pause this long. S3's RequestTimeout: 20 s idle, with room for slow links. */
  bodyIdleMsMax: 60_000,
  /** An idle connection is kept this long: longer than load balancers keep theirs (60 s). */
  keepAliveMs: 65_000,
  connectionsMax: 16_384,
  /** How often connections are looked at for what takes too long. */
  connectionsLookMs: 1_000,
  /** A TLS handshake takes this long at the most. */
  handshakeMsMax: 10_000,
  /** How often the files of the certificate are looked at. */
  certificateLookMs: 5_000,
  /** The store must have answered a question about readiness after this long. */
  readinessMsMax: 2_000,
  /** How long such an answer counts. */
  readinessKeptMs: 250,
  /** While the listener stops: how often connections that have become idle are let go of. */
  idleLookMs: 50,
  /** Hosts whose classification is kept. */
  hostsKept: 2_048,
  /** Credentials of which it is known what service they are for: a client has few in a day, as long as this at the most. */
  credentialsKept: 4_096,
  credentialCharactersKept: 512,
  /** A compressed body may grow to the limit of its service, and no further. */
} as const;

const mebibyte = 1024 * 1024;

/** The largest body that is held in memory, by service; streaming operations are limited by the service itself. */
export const bodyBytesMax: Readonly<Record<string, number>> = {
  // AWS: 6 MB of payload, and deployment packages of 50 MB, base64-encoded, in CreateFunction.
  lambda: 70 * mebibyte,
  // AWS: 1 MB templates and 4 KB × 200 parameters, percent-encoded.
  cloudformation: 8 * mebibyte,
  // AWS: BatchWriteItem and transactions of 16 and 4 MB.
  dynamodb: 16 * mebibyte,
  // AWS: layer parts of 20 MiB, as InitiateLayerUpload recommends, base64-encoded.
  ecr: 30 * mebibyte,
  // AWS: PutRecords of 10 MiB in records, base64-encoded.
  kinesis: 14 * mebibyte,
  // AWS: DeleteObjects of 1,000 keys, 2 MB; CompleteMultipartUpload of 10,000 parts, 1 MB.
  s3: 4 * mebibyte,
  // AWS: a batch of log events of 1,048,576 bytes, with room for JSON's escapes.
  logs: 8 * mebibyte,
  // AWS: 1 MiB messages, percent-encoded.
  sqs: 4 * mebibyte,
  sns: 4 * mebibyte,
  // AWS: OpenAPI definitions of 6 MB.
  apigateway: 8 * mebibyte,
  apigatewayv2: 8 * mebibyte,
};

export const otherBodyBytesMax = 2 * mebibyte;
