import type { Store } from "../../../kernel/store/store.ts";
import { compileEventV2 } from "../../../proxy/event-v2.ts";
import { functionKey } from "../functions.ts";
import { lambdaLimits } from "../limits.ts";
import { compileUrlCors, type CompiledUrlCors } from "./cors.ts";
import { readUrlById, urlPrefix, type UrlRecord } from "./records.ts";

/** A URL made ready to answer. */
export interface CompiledUrl {
  readonly record: UrlRecord;
  readonly functionKey: string;
  readonly cors: CompiledUrlCors | undefined;
  readonly writeEvent: ReturnType<typeof compileEventV2>;
}

/** URLs by the first label of their host, kept until one of them changes. */
export interface PublishedUrls {
  /** What is in memory; undefined means that it must be loaded. */
  find(id: string): CompiledUrl | undefined;
  /** Undefined when there is no such URL, which is not remembered: anybody can make up names. */
  load(id: string): Promise<CompiledUrl | undefined>;
  stop(): void;
}

export function watchPublishedUrls(store: Store): PublishedUrls {
  const urls = new Map<string, CompiledUrl>();
  let generation = 0;
  const stop = store.watch(urlPrefix, () => {
    generation += 1;
    urls.clear();
  });
  return {
    find: (id) => urls.get(id),
    async load(id) {
      for (;;) {
        const started = generation;
        const record = await store.read((reader) => readUrlById(reader, id));
        // Changed while we read: what we have may be what was there before.
        if (started !== generation) continue;
        if (record === undefined) return undefined;
        const url = compile(record);
        const oldest = urls.size < lambdaLimits.urlsInMemoryMax ? undefined : urls.keys().next().value;
        if (oldest !== undefined) urls.delete(oldest);
        urls.set(id, url);
        return url;
      }
    },
    stop,
  };
}

function compile(record: UrlRecord): CompiledUrl {
  return {
    record,
    functionKey: functionKey(record, record.functionName),
    cors: record.cors && compileUrlCors(record.cors),
    writeEvent: compileEventV2({
      // AWS: a caller who is nobody has no account; the documentation speaks of the owner's.
      account: record.authType === "NONE" ? "anonymous" : record.account,
      apiId: record.id,
      stageName: "$default",
      routeKey: "$default",
      variables: {},
      pathVariables: [],
    }),
  };
}
