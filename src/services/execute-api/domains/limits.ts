/** Source: "Quotas for configuring and running a REST API in API Gateway", unless said. */
export const domainLimits = {
  domainsPerRegionMax: 120,
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
