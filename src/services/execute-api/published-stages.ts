import { rewriteRecordsOnce } from "../../kernel/store/rewrite-records.ts";
import type { Key, Reader, Store } from "../../kernel/store/store.ts";
import type { Seal } from "../../access/server-keys.ts";
import { executeApiLimits } from "./limits.ts";
import type { PublishedStage, StagePublisher } from "./port.ts";
import type { CompiledStage } from "./stage-needs.ts";

const prefix: Key = ["execute-api", "stage"];

export const stagePublisher: StagePublisher = {
  publish: (tx, stage) => tx.set([...prefix, stage.apiId, stage.stageName], stage),
  withdraw: (tx, apiId, stageName) => tx.delete([...prefix, apiId, stageName]),
};

/** The stages of an API that are on the air. */
export async function listPublishedStages(reader: Reader, apiId: string): Promise<PublishedStage[]> {
  const range = { prefix: [...prefix, apiId] };
  const entries = await reader.range<PublishedStage>(range, { limit: executeApiLimits.stagesPerApiMax });
  return entries.map((entry) => entry.value);
}

/** Seal the keys of client certificates that stages were published with before keys were sealed. */
export function sealPublishedKeys(store: Store, seal: Seal): Promise<void> {
  return rewriteRecordsOnce(store, ["execute-api", "stage-keys-sealed"], prefix, (_key, value) => {
    if (!isMembers(value) || !isMembers(value["clientCertificate"])) return undefined;
    const { key, ...certificate } = value["clientCertificate"];
    if (typeof key !== "string") return undefined;
    return { ...value, clientCertificate: { ...certificate, sealedKey: seal.seal(Buffer.from(key, "utf8")) } };
  });
}

function isMembers(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** An API's stages, compiled. */
export interface CompiledApi {
  /** Undefined when no stage of the API is on the air. */
  readonly kind: PublishedStage["kind"] | undefined;
  readonly stages: ReadonlyMap<string, CompiledStage>;
  readonly endpointIsDisabled: boolean;
}

/** Compiled APIs by id, kept until something is published or withdrawn. */
export interface PublishedStages {
  /** What is in memory, or undefined: then it must be loaded. */
  find(apiId: string): CompiledApi | undefined;
  load(apiId: string): Promise<CompiledApi>;
  stop(): void;
}

/**
 * Watches the published stages. An API is read and compiled by its first request, so that starting costs the same
 * however many there are.
 */
export function watchPublishedStages(store: Store, compile: (stage: PublishedStage) => CompiledStage): PublishedStages {
  const apis = new Map<string, CompiledApi>();
  const loading = new Map<string, Promise<CompiledApi>>();
  let generation = 0;
  const unwatch = store.watch(prefix, () => {
    generation++;
    apis.clear();
    loading.clear();
  });

  const read = async (apiId: string): Promise<CompiledApi> => {
    for (;;) {
      const started = generation;
      const published = await store.read((reader) => listPublishedStages(reader, apiId));
      // Published while we read: what we have may be what was there before.
      if (started !== generation) continue;
      const api: CompiledApi = {
        kind: published[0]?.kind,
        stages: new Map(published.map((stage) => [stage.stageName, compile(stage)])),
        endpointIsDisabled: published.some((stage) => stage.disableExecuteApiEndpoint),
      };
      const oldest = apis.size < executeApiLimits.apisInMemoryMax ? undefined : apis.keys().next().value;
      if (oldest !== undefined) apis.delete(oldest);
      apis.set(apiId, api);
      return api;
    }
  };

  return {
    find: (apiId) => apis.get(apiId),
    load: (apiId) => {
      let promise = loading.get(apiId);
      if (promise === undefined) {
        promise = read(apiId);
        loading.set(apiId, promise);
        const forget = () => {
          if (loading.get(apiId) === promise) loading.delete(apiId);
        };
        promise.then(forget, forget);
      }
      return promise;
    },
    stop: unwatch,
  };
}
