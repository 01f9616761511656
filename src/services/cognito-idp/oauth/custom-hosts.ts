import type { Log } from "../../../kernel/log.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { NamedHost } from "../../execute-api/port.ts";
import { root, type Domain } from "../model.ts";

/** Hosts of owners of pools that are pools' domains: known at once for each request, and followed as they change. */
export interface CustomHosts {
  has(host: string): boolean;
  /** A host and the certificate that it is served with. `host` in lower case, without port. */
  find(host: string): NamedHost | undefined;
  stop(): void;
}

const prefix = [root, "domain"] as const;
const pageSize = 1_000;

export function createCustomHosts({ store, log }: { readonly store: Store; readonly log: Log }): CustomHosts {
  let hosts: ReadonlyMap<string, NamedHost> = new Map();
  const load = async (): Promise<void> => {
    const found = new Map<string, NamedHost>();
    await store.read(async (reader) => {
      for (let after: string | undefined; ;) {
        const page = await reader.range<Domain>(
          { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
          { limit: pageSize },
        );
        for (const { value } of page) if (value.custom) found.set(value.name, toHost(value, value.custom));
        if (page.length < pageSize) return;
        after = page.at(-1)?.value.name;
      }
    });
    hosts = found;
  };
  const refresh = (): void => {
    load().catch((error: unknown) => log.error("The custom domains of user pools could not be read", { error }));
  };
  refresh();
  const stop = store.watch(prefix, refresh);
  return {
    has: (host) => hosts.size > 0 && hosts.has(host.toLowerCase().replace(/:\d{1,5}$/, "")),
    find: (host) => hosts.get(host),
    stop,
  };
}

function toHost({ name, account }: Domain, custom: NonNullable<Domain["custom"]>): NamedHost {
  return { name, account, certificateArn: custom.CertificateArn ?? "" };
}
