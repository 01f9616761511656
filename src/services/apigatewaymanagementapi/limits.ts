/** Source: "Quotas for configuring and running a WebSocket API in API Gateway". */
export const managementLimits = {
  /** Payload of a message. */
  dataBytesMax: 128 * 1024,
} as const;
