/** Source: "Quotas for configuring and running an HTTP API in API Gateway". */
export const apiGatewayV2Limits = {
  apisPerRegionMax: 600,
  routesPerApiMax: 300,
  integrationsPerApiMax: 300,
  stagesPerApiMax: 10,
  tagsMax: 50,
  /** Our own: deployments made by CreateDeployment that are kept. */
  deploymentsPerApiMax: 300,
  integrationTimeoutMsMin: 50,
  integrationTimeoutMsMax: 30_000,
  /** Size of a definition to import: 6 MB. */
  definitionBytesMax: 6 * 1024 * 1024,
  /** Our own page size where a client names none, and the largest it may name. */
  pageDefault: 100,
  pageMax: 500,
} as const;
