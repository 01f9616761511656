import { lowerAlphanumeric } from "../../kernel/ids.ts";
import type { Transaction } from "../../kernel/store/store.ts";
import type { DeployNeeds } from "./deploy.ts";
import { badRequest } from "./errors.ts";
import { apiGatewayLimits as limits } from "./limits.ts";
import { deleteChild, listChildren, type Place, type ResourceRecord, type RestApiRecord, writeChild } from "./model.ts";
import type { ApiDefinition } from "./openapi.ts";

/** Replace an API's resources, methods and gateway responses by a definition's. A path that stays keeps its identifier. */
export async function writeDefinition(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  api: RestApiRecord,
  definition: ApiDefinition,
): Promise<void> {
  const known = new Map<string, string>([["/", api.rootResourceId]]);
  for (const resource of await listChildren(tx, place, api.id, "resource")) {
    known.set(resource.path, resource.id);
    deleteChild(tx, place, api.id, "resource", resource.id);
  }
  for (const response of await listChildren(tx, place, api.id, "gateway-response")) {
    deleteChild(tx, place, api.id, "gateway-response", response.responseType);
  }
  const written = new Map<string, string>();
  const write = (path: string): string => {
    const done = written.get(path);
    if (done !== undefined) return done;
    const id = known.get(path) ?? needs.ids.random(6, lowerAlphanumeric);
    written.set(path, id);
    const slash = path.lastIndexOf("/");
    const resource: ResourceRecord = {
      id,
      ...(path === "/"
        ? {}
        : { parentId: write(slash === 0 ? "/" : path.slice(0, slash)), pathPart: path.slice(slash + 1) }),
      path,
      methods: definition.methods.get(path) ?? {},
    };
    writeChild(tx, place, api.id, "resource", id, resource);
    return id;
  };
  write("/");
  for (const path of definition.methods.keys()) write(path);
  if (written.size > limits.resourcesPerApiMax) {
    throw badRequest(`An API has at most ${limits.resourcesPerApiMax} resources`);
  }
  for (const response of definition.gatewayResponses) {
    writeChild(tx, place, api.id, "gateway-response", response.responseType, response);
  }
}
