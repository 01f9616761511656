/** Source: "Quotas for configuring and running a REST API in API Gateway". */
export const apiGatewayLimits = {
  apisPerRegionMax: 600,
  resourcesPerApiMax: 300,
  stagesPerApiMax: 10,
  deploymentsPerApiMax: 300,
  gatewayResponsesMax: 30,
  binaryMediaTypesMax: 50,
  tagsMax: 50,
  integrationTimeoutMsMin: 50,
  integrationTimeoutMsMax: 29_000,
  /** Size of a definition to import: 6 MB. */
  definitionBytesMax: 6 * 1024 * 1024,
  /** Template size: 300 KB. */
  templateBytesMax: 300 * 1024,
  pageDefault: 25,
  pageMax: 500,
} as const;
