/** Source: "Quotas for configuring and running an HTTP API in API Gateway". */
export const apiGatewayV2Limits = {
  apisPerRegionMax: 600,
  routesPerApiMax: 300,
  authorizersPerApiMax: 10,
  integrationsPerApiMax: 300,
  /** Our own. */
  integrationResponsesPerApiMax: 1_000,
  stagesPerApiMax: 10,
  /** Source: "Quotas for configuring and running a REST API in API Gateway": 3 KB. */
  accessLogFormatBytesMax: 3 * 1024,
  tagsMax: 50,
  modelsPerApiMax: 60,
  /** "Message payload size" bounds what a schema can describe; AWS names 32 K characters for a schema. */
  schemaBytesMax: 32 * 1024,
  mappingsPerDomainMax: 200,
  /** Source: "Use API mappings to map API stages to a custom domain name for HTTP APIs": 200 characters. */
  mappingKeyCharactersMax: 200,
  /** Our own. */
  mappingLevelsMax: 32,
  /** Source: "Routing rules to connect API stages to a custom domain name for REST APIs". */
  rulesPerDomainMax: 50,
  ruleHeaderConditionsMax: 2,
  rulePriorityMax: 1_000_000,
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
