import type { Store } from "../../../kernel/store/store.ts";
import type { DomainRecord } from "./domain.ts";
import { wildcardOf } from "./domain-names.ts";
import { domainLimits as limits } from "./limits.ts";
import { domainsPrefix } from "./model.ts";
import { compileRouting, type DomainRouting } from "./routing.ts";

/** A domain made ready to route requests. */
export interface CompiledDomain {
  readonly record: DomainRecord;
  readonly routing: DomainRouting;
}

/** Domains by host, kept until one changes. */
export interface PublishedDomains {
  /** What is in memory: null for a host that is no custom domain; undefined: it must be loaded. `host` in lower case. */
  find(host: string): CompiledDomain | null | undefined;
  load(host: string): Promise<CompiledDomain | null>;
  stop(): void;
}

export function watchPublishedDomains(store: Store): PublishedDomains {
  const hosts = new Map<string, CompiledDomain | null>();
  let generation = 0;
  const unwatch = store.watch(domainsPrefix, () => {
    generation++;
    hosts.clear();
  });

  const load = async (host: string): Promise<CompiledDomain | null> => {
    for (;;) {
      const started = generation;
      const [exact, wildcard] = await store.read((reader) =>
        reader.getMany<DomainRecord>([
          [...domainsPrefix, host],
          [...domainsPrefix, wildcardOf(host)],
        ]),
      );
      // Changed while we read: what we have may be what was there before.
      if (started !== generation) continue;
      const record = exact ?? wildcard;
      const domain = record === undefined ? null : { record, routing: compileRouting(record) };
      // Hosts are the clients' to invent.
      if (hosts.size >= limits.hostsInMemoryMax) hosts.clear();
      hosts.set(host, domain);
      return domain;
    }
  };

  return { find: (host) => hosts.get(host), load, stop: unwatch };
}
