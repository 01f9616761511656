import { linkModel, type ProtocolName, type ServiceModel } from "../model.ts";
import { createProtocol } from "../protocols/protocols.ts";
import type { Protocol } from "../protocols/protocol.ts";
import { createRouter, type Router } from "../routes.ts";
import { catalog } from "./catalog.generated.ts";
import type { ServiceTable } from "./table.ts";

/** What is known of a service before its table is loaded: enough to tell whose request this is. */
export interface CatalogEntry {
  readonly name: string;
  /** The service in a credential scope. `apigateway` and `apigatewayv2` share one. */
  readonly signingName: string;
  readonly apiVersion: string;
  readonly targetPrefix?: string;
  readonly protocols: readonly string[];
  /** The table, as JSON text. */
  readonly load: () => Promise<string>;
}

/** A service's model with what works on it; made once, at the first request to the service. */
export interface LoadedModel {
  readonly model: ServiceModel;
  protocol(name: ProtocolName): Protocol;
  readonly router: Router;
}

export interface Models {
  readonly entries: readonly CatalogEntry[];
  find(service: string): CatalogEntry | undefined;
  /** The model that has been loaded already. */
  loaded(service: string): LoadedModel | undefined;
  /** Throws for a service that has no table: ask `find` first. */
  load(service: string): Promise<LoadedModel>;
}

export function createModels(entries: readonly CatalogEntry[] = catalog): Models {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const loading = new Map<string, Promise<LoadedModel>>();
  const done = new Map<string, LoadedModel>();
  return {
    entries,
    find: (service) => byName.get(service),
    loaded: (service) => done.get(service),
    load: (service) => {
      const known = loading.get(service);
      if (known) return known;
      const entry = byName.get(service);
      if (!entry) return Promise.reject(new Error(`There is no table of ${service}`));
      const promise = loadModel(entry).then((model) => {
        done.set(service, model);
        return model;
      });
      loading.set(service, promise);
      return promise;
    },
  };
}

async function loadModel(entry: CatalogEntry): Promise<LoadedModel> {
  return createLoadedModel(linkModel(entry.name, parseTable(await entry.load())));
}

/** Codecs and routes of a model, each made when first asked for. */
export function createLoadedModel(model: ServiceModel): LoadedModel {
  const protocols = new Map<ProtocolName, Protocol>();
  let router: Router | undefined;
  return {
    model,
    protocol: (name) => {
      let protocol = protocols.get(name);
      if (!protocol) {
        protocol = createProtocol(name, model);
        protocols.set(name, protocol);
      }
      return protocol;
    },
    get router() {
      router ??= createRouter(model);
      return router;
    },
  };
}

function parseTable(text: string): ServiceTable {
  return JSON.parse(text) as ServiceTable;
}
