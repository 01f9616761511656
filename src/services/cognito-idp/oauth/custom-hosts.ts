import type { Log } from "../../../kernel/log.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { root, type Domain } from "../model.ts";

/** Hosts of owners of pools that are pools' domains: known at once for each request, and followed as they change. */
export interface CustomHosts {
  has(host: string): boolean;
  stop(): void;
}

const prefix = [root, "domain"] as const;
const pageSize = 1_000;

export function createCustomHosts({ store, log }: { readonly store: Store; readonly log: Log }): CustomHosts {
  let hosts: ReadonlySet<string> = new Set();
  const load = async (): Promise<void> => {
    const found = new Set<string>();
    await store.read(async (reader) => {
      for (let after: string | undefined; ;) {
        const page = await reader.range<Domain>(
          { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
          { limit: pageSize },
        );
        for (const { value } of page) if (value.custom) found.add(value.name);
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
  return { has: (host) => hosts.size > 0 && hosts.has(host.toLowerCase().replace(/:\d{1,5}$/, "")), stop };
}
