import type { Clock } from "../../../kernel/clock.ts";
import type { Log } from "../../../kernel/log.ts";
import type { CustomDomains, FindNamedHost, HostCertificates } from "../port.ts";
import { openCertificateFolder } from "./certificates.ts";
import { createCustomDomains } from "./custom-domains.ts";
import type { DomainsPort } from "./domain.ts";
import { createHostCertificates, createHostTls } from "./host-certificates.ts";
import { watchPublishedDomains } from "./published-domains.ts";
import { createDomainRegistry, type RegistryNeeds } from "./registry.ts";
import { createTlsDomains } from "./tls-domains.ts";

export interface Domains {
  /** For the control planes. */
  readonly port: DomainsPort;
  /** For the listener. */
  readonly custom: CustomDomains;
  /** For services that have hosts of their own. */
  readonly hosts: HostCertificates;
  stop(): void;
}

/** Custom domain names: kept, found by requests and handshakes. */
export function createDomains(
  needs: Omit<RegistryNeeds, "certificates"> & {
    readonly certificatesFolder: string;
    /** Hosts of other services. */
    readonly findHost: FindNamedHost;
    readonly clock: Clock;
    readonly log: Log;
  },
): Domains {
  const certificates = openCertificateFolder(needs.certificatesFolder);
  const published = watchPublishedDomains(needs.store);
  const apis = createTlsDomains({ ...needs, published, certificates });
  const others = createHostTls({ ...needs, find: needs.findHost, certificates });
  return {
    hosts: createHostCertificates({ ...needs, certificates }),
    port: createDomainRegistry({ ...needs, certificates }),
    custom: {
      ...createCustomDomains({ published, log: needs.log }),
      tls: { find: async (servername) => (await apis.find(servername)) ?? others.find(servername) },
    },
    stop: () => published.stop(),
  };
}
