/** Source: "Quotas for configuring and running a REST API in API Gateway", unless said. */
export const domainLimits = {
  domainsPerRegionMax: 120,
  mappingsPerDomainMax: 200,
  rulesPerDomainMax: 50,
  /** Depth of an API mapping: `a/b/c` has three levels. Our own. */
  mappingLevelsMax: 32,
  /** Source: "Routing rules to connect API stages to a custom domain name", restrictions. */
  headerConditionsMax: 2,
  pathConditionsMax: 1,
  headerNameCharactersMax: 40,
  headerGlobCharactersMax: 128,
  basePathCharactersMax: 128,
  priorityMax: 1_000_000,
  /** Source: "How to turn on mutual TLS authentication": a truststore has at most 1,000 certificates, 1 MB. */
  truststoreCertificatesMax: 1_000,
  truststoreBytesMax: 1024 * 1024,
  /** Our own: a certificate, its key, its chain. */
  certificateCharactersMax: 128 * 1024,
  /** Our own: hosts remembered with the domain they belong to, or as belonging to none. */
  hostsInMemoryMax: 4_096,
  /** Our own: how often the files of a certificate are looked at. */
  certificateLookMs: 5_000,
} as const;
