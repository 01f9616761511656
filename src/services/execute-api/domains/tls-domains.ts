import { constants } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Seal } from "../../../access/server-keys.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Log } from "../../../kernel/log.ts";
import type { TlsDomains } from "../port.ts";
import type { CertificateFolder, CertificatePair } from "./certificates.ts";
import type { DomainRecord } from "./domain.ts";
import { hostOf } from "./domain-names.ts";
import { domainLimits as limits } from "./limits.ts";
import type { PublishedDomains } from "./published-domains.ts";

interface Kept {
  readonly record: DomainRecord;
  readonly context: SecureContext;
  readonly stamp: string | undefined;
  lookedAt: number;
}

/** Custom domains as a TLS listener knows them: by the name that clients ask for. */
export function createTlsDomains(needs: {
  readonly published: PublishedDomains;
  readonly certificates: CertificateFolder;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
}): TlsDomains {
  const { published, certificates, seal, clock, log } = needs;
  const contexts = new Map<string, Kept>();

  const stampOf = async ({ certificate, account }: DomainRecord) =>
    certificate.kind === "named" ? certificates.stampOf(certificate.arn, account) : undefined;

  const pairOf = async ({ certificate, account }: DomainRecord): Promise<CertificatePair | undefined> => {
    if (certificate.kind === "named") return certificates.read(certificate.arn, account);
    const key = seal.open(certificate.sealedKey);
    return key === undefined ? undefined : { chain: certificate.chain, key: Buffer.from(key).toString("utf8") };
  };

  const make = async (record: DomainRecord): Promise<SecureContext> => {
    const pair = await pairOf(record);
    if (pair === undefined) throw new Error("The certificate's files are not there, or its key cannot be opened");
    return createSecureContext({
      cert: pair.chain,
      key: pair.key,
      minVersion: "TLSv1.2",
      // A session that is taken up again is not asked for its certificate: there are none where one is demanded.
      ...(record.trusted && { ca: record.trusted.bundle, secureOptions: constants.SSL_OP_NO_TICKET }),
    });
  };

  const contextOf = async (record: DomainRecord): Promise<SecureContext> => {
    const kept = contexts.get(record.domainName);
    const now = clock.now();
    if (kept?.record === record && now - kept.lookedAt < limits.certificateLookMs) return kept.context;
    const stamp = await stampOf(record);
    if (kept?.record === record && (kept.stamp === stamp || stamp === undefined)) {
      kept.lookedAt = now;
      return kept.context;
    }
    if (contexts.size >= limits.hostsInMemoryMax) contexts.clear();
    const context = await make(record);
    contexts.set(record.domainName, { record, context, stamp, lookedAt: now });
    return context;
  };

  return {
    find: async (servername) => {
      const host = hostOf(servername);
      const domain = published.find(host) ?? (await published.load(host));
      if (domain === null) return undefined;
      const demandsCertificate = domain.record.truststore !== undefined;
      try {
        return { context: await contextOf(domain.record), demandsCertificate };
      } catch (error) {
        log.error("A custom domain's certificate cannot be used", { domainName: domain.record.domainName, error });
        return { context: undefined, demandsCertificate };
      }
    },
  };
}
