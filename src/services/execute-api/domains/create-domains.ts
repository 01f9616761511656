import type { Clock } from "../../../kernel/clock.ts";
import type { Log } from "../../../kernel/log.ts";
import type { CustomDomains } from "../port.ts";
import { openCertificateFolder } from "./certificates.ts";
import { createCustomDomains } from "./custom-domains.ts";
import type { DomainsPort } from "./domain.ts";
import { watchPublishedDomains } from "./published-domains.ts";
import { createDomainRegistry, type RegistryNeeds } from "./registry.ts";
import { createTlsDomains } from "./tls-domains.ts";

export interface Domains {
  /** For the control planes. */
  readonly port: DomainsPort;
  /** For the listener. */
  readonly custom: CustomDomains;
  stop(): void;
}

/** Custom domain names: kept, found by requests and handshakes. */
export function createDomains(
  needs: Omit<RegistryNeeds, "certificates"> & {
    readonly certificatesFolder: string;
    readonly clock: Clock;
    readonly log: Log;
  },
): Domains {
  const certificates = openCertificateFolder(needs.certificatesFolder);
  const published = watchPublishedDomains(needs.store);
  return {
    port: createDomainRegistry({ ...needs, certificates }),
    custom: {
      ...createCustomDomains({ published, log: needs.log }),
      tls: createTlsDomains({ ...needs, published, certificates }),
    },
    stop: () => published.stop(),
  };
}
