export const loggingLimits = {
  /** Source: "Quotas for configuring and running a REST API": an access log line of 1 MB. */
  accessLineBytesMax: 1024 * 1024,
  /** Source: the same page: an access log template of 3 KB. */
  accessFormatBytesMax: 3 * 1024,
  /** Source: "Set up CloudWatch logging for REST APIs": execution log events are cut off at 1,024 bytes. */
  executionLineBytesMax: 1024,
  /** Our own: what one request adds to an execution log. */
  executionLinesMax: 100,
} as const;
