import type { Reader } from "../../kernel/store/store.ts";
import { type ApiRecord, type FrozenDefinition, listChildren, type Place } from "./model.ts";

/** An HTTP API as it is now, with all that a definition of it has. */
export async function readDefinition(reader: Reader, place: Place, api: ApiRecord): Promise<FrozenDefinition> {
  const { apiId } = api;
  return {
    api,
    routes: await listChildren(reader, place, apiId, "route"),
    integrations: await listChildren(reader, place, apiId, "integration"),
    authorizers: await listChildren(reader, place, apiId, "authorizer"),
  };
}
