/** Limits of authentication. Sources are AWS's documentation of Signature Version 4 unless another is named. */
export const accessLimits = {
  /** How far a request's date may be from ours: "Signature expired: … - 5 min." */
  skewMs: 5 * 60_000,
  /** S3: `RequestTimeTooSkewed`, MaxAllowedSkewMilliseconds. */
  s3SkewMs: 15 * 60_000,
  /** `X-Amz-Expires`: a week. */
  presignedSecondsMax: 604_800,
  /** Longest `Authorization` header or credential that is looked at (ours: well above any real one). */
  authorizationCharactersMax: 8_192,
  signedHeadersMax: 128,
  /** Authorization headers of which all but the signature is remembered (ours): a client has few in a day, as long as this at the most. */
  authorizationsMax: 4_096,
  authorizationCharactersKept: 1_024,
  /** Dates of signatures that are remembered (ours): those that clients' clocks show at the moment. */
  signingDatesMax: 64,
  /** Longest session token (ours: Node's limit on all headers is 16 KiB). */
  sessionTokenCharactersMax: 8_192,
  /** Derived signing keys kept (ours). One key serves one credential, day, region and service. */
  signingKeysMax: 4_096,
  /** Opened session tokens kept (ours). */
  sessionsOpenMax: 4_096,
  /** Longest line that opens a chunk of an `aws-chunked` body (ours: size and signature are below 110 characters). */
  chunkHeaderBytesMax: 1_024,
  /** All trailers of an `aws-chunked` body together (S3: 8 KiB of metadata; ours: the same). */
  trailerBytesMax: 8_192,
  /** One chunk (ours: S3's largest single PUT is 5 GiB). */
  chunkBytesMax: 5 * 1024 ** 3,
  /** Actions for which a compiled policy remembers its statements (ours). */
  actionsPerPolicyMax: 256,
  /** Compiled policy documents kept (ours). */
  compiledPoliciesMax: 2_048,
} as const;
