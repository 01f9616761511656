/** Source: "Quotas for configuring and running a REST API in API Gateway". */
export const apiGatewayLimits = {
  apisPerRegionMax: 600,
  resourcesPerApiMax: 300,
  /** "Lambda authorizers per API" */
  authorizersPerApiMax: 10,
  /** "Length, in bytes, of a resource policy" */
  policyBytesMax: 8192,
  stagesPerApiMax: 10,
  deploymentsPerApiMax: 300,
  gatewayResponsesMax: 30,
  /** "Models per API": 60 unless raised; here as far as a definition may go. */
  modelsPerApiMax: 300,
  /** "Size of schema in a model": 400 KB. */
  schemaBytesMax: 400 * 1024,
  /** Our own: AWS names none. */
  requestValidatorsPerApiMax: 300,
  documentationPartsPerApiMax: 2000,
  documentationVersionsPerApiMax: 300,
  clientCertificatesMax: 60,
  apiKeysMax: 10_000,
  usagePlansMax: 300,
  /** "Usage plans per API key". */
  plansPerApiKeyMax: 10,
  /** Our own: AWS names no number. */
  importedKeysMax: 1_000,
  apiKeyValueCharactersMin: 20,
  apiKeyValueCharactersMax: 128,
  /** Our own: AWS names none. */
  nameCharactersMax: 1_024,
  /** "GetUsage": no further back than 90 days. */
  usageDaysMax: 90,
  binaryMediaTypesMax: 50,
  /** Source: "Quotas for configuring and running a REST API in API Gateway": 3 KB. */
  accessLogFormatBytesMax: 3 * 1024,
  tagsMax: 50,
  mappingsPerDomainMax: 200,
  integrationTimeoutMsMin: 50,
  integrationTimeoutMsMax: 29_000,
  /** Of integrations that stream: 15 minutes. */
  streamingTimeoutMsMax: 900_000,
  /** Size of a definition to import: 6 MB. */
  definitionBytesMax: 6 * 1024 * 1024,
  /** Our own: how deep a definition may be nested. */
  definitionDepthMax: 100,
  /** Template size: 300 KB. */
  templateBytesMax: 300 * 1024,
  /** Source: "Payload compression for REST APIs": 10 MB. */
  minimumCompressionSizeMax: 10 * 1024 * 1024,
  pageDefault: 25,
  pageMax: 500,
} as const;
