import { createSecureContext, type SecureContext } from "node:tls";
import { parseArn } from "../../../aws/arn.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Reader, Store } from "../../../kernel/store/store.ts";
import type { FindNamedHost, HostCertificates, NamedHost, TlsDomains } from "../port.ts";
import { type CertificateFolder, checkNamed } from "./certificates.ts";
import { hostOf, parseDomainName, wildcardOf } from "./domain-names.ts";
import { domainExistsElsewhere } from "./errors.ts";
import { domainLimits as limits } from "./limits.ts";
import { findDomain } from "./model.ts";

/** The same rules for hosts of other services as for custom domain names of APIs. */
export function createHostCertificates(needs: {
  readonly store: Store;
  readonly certificates: CertificateFolder;
  readonly ownHosts: readonly string[];
}): HostCertificates {
  const { store, certificates, ownHosts } = needs;
  return {
    check: async (call, host, certificateArn) => {
      const name = parseDomainName(host, [...ownHosts, new URL(call.endpoint).hostname]);
      // AWS: CloudFront serves these hosts, with certificates of its own region only.
      const place = { account: call.account, region: parseArn(certificateArn)?.region ?? call.region };
      await checkNamed(certificates, certificateArn, place, name, call.now);
      if (await store.read((reader) => isTaken(reader, name))) throw domainExistsElsewhere();
    },
    isTaken,
  };
}

async function isTaken(reader: Reader, name: string): Promise<boolean> {
  return ((await findDomain(reader, name)) ?? (await findDomain(reader, wildcardOf(name)))) !== undefined;
}

interface Kept {
  readonly certificateArn: string;
  readonly context: SecureContext;
  readonly stamp: string | undefined;
  lookedAt: number;
}

/** Hosts of other services as a TLS listener knows them. Their certificates are looked at again as those of APIs' domains are. */
export function createHostTls(needs: {
  readonly find: FindNamedHost;
  readonly certificates: CertificateFolder;
  readonly clock: Clock;
  readonly log: Log;
}): TlsDomains {
  const { find, certificates, clock, log } = needs;
  const contexts = new Map<string, Kept>();

  const contextOf = async (host: NamedHost): Promise<SecureContext> => {
    const { name, certificateArn, account } = host;
    const kept = contexts.get(name);
    const isSame = kept?.certificateArn === certificateArn;
    const now = clock.now();
    if (kept && isSame && now - kept.lookedAt < limits.certificateLookMs) return kept.context;
    const stamp = await certificates.stampOf(certificateArn, account);
    if (kept && isSame && (kept.stamp === stamp || stamp === undefined)) {
      kept.lookedAt = now;
      return kept.context;
    }
    const pair = await certificates.read(certificateArn, account);
    if (pair === undefined) throw new Error("The certificate's files are not there");
    if (contexts.size >= limits.hostsInMemoryMax) contexts.clear();
    const context = createSecureContext({ cert: pair.chain, key: pair.key, minVersion: "TLSv1.2" });
    contexts.set(name, { certificateArn, context, stamp, lookedAt: now });
    return context;
  };

  return {
    find: async (servername) => {
      const host = find(hostOf(servername));
      if (host === undefined) return undefined;
      try {
        return { context: await contextOf(host), demandsCertificate: false };
      } catch (error) {
        log.error("A domain's certificate cannot be used", { domainName: host.name, error });
        return { context: undefined, demandsCertificate: false };
      }
    },
  };
}
