/** Limits of integrations. Source, unless said: "Quotas for configuring and running a REST API in API Gateway". */
export const integrationLimits = {
  /** An endpoint's answer: 10 MB. */
  responseBytesMax: 10 * 1024 * 1024,
  /** An endpoint's headers together: 10,240 bytes for REST APIs. Node counts names, values and separators. */
  responseHeaderBytesMax: 16 * 1024,
  /** Our own: connections to one endpoint, and those kept open without a request. */
  connectionsPerEndpointMax: 512,
  idleConnectionsPerEndpointMax: 64,
  /** Our own: a kept connection is closed after so long without a request. */
  idleConnectionMs: 4_000,
  /** Our own: text that an integration response's pattern is matched with. */
  selectionTextMax: 16 * 1024,
  /** Our own: a pattern that has not matched after so long does not. */
  patternMs: 50,
  /** Our own: an assumed role is used for so long before its trust policy is asked again. */
  assumedRoleMs: 60_000,
  assumedRolesMax: 1_000,
  /** HTTP APIs look for a JSON path in so much of a body: "Transform API requests and responses for HTTP APIs". */
  jsonPathBodyBytesMax: 100 * 1024,
  /** A streamed answer's status and headers must end within 16 KB: "Lambda proxy integration for response streaming". */
  preludeBytesMax: 16 * 1024,
  /** Our own: what is held for a client that reads slowly, before the endpoint is made to wait. */
  streamedBytesHeld: 256 * 1024,
} as const;
