import { lowerAlphanumeric } from "../../kernel/ids.ts";
import type { Transaction } from "../../kernel/store/store.ts";
import type { DeployNeeds } from "./deploy.ts";
import { checkAuthorizer } from "./authorizer-rules.ts";
import { badRequest, limitExceeded } from "./errors.ts";
import { apiGatewayLimits as limits } from "./limits.ts";
import {
  deleteChild,
  findChild,
  listChildren,
  type MethodRecord,
  type Place,
  type ResourceRecord,
  type RestApiRecord,
  writeChild,
} from "./model.ts";
import { checkModelName, schemaProblem } from "./models.ts";
import type { ApiDefinition, MethodDefinition } from "./openapi.ts";
import { schemaText } from "./openapi-models.ts";
import type { ModelRecord } from "./records.ts";

/** What an import does to what is there: all of it goes, or what the definition does not have stays. */
export type ImportMode = "overwrite" | "merge";

/** Give an API what a definition has. What stays, by path or name, keeps its identifier. */
export async function writeDefinition(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  api: RestApiRecord,
  definition: ApiDefinition,
  mode: ImportMode,
  now: number,
): Promise<void> {
  await writeModels(needs, tx, place, api.id, definition, mode);
  const validatorIds = await writeValidators(needs, tx, place, api.id, definition, mode);
  const authorizerIds = await writeAuthorizers(needs, tx, place, api.id, definition, mode);
  await writeResources(needs, tx, place, api, definition, mode, { validatorIds, authorizerIds });
  if (mode === "overwrite") {
    for (const response of await listChildren(tx, place, api.id, "gateway-response")) {
      deleteChild(tx, place, api.id, "gateway-response", response.responseType);
    }
  }
  for (const response of definition.gatewayResponses) {
    writeChild(tx, place, api.id, "gateway-response", response.responseType, response);
  }
  await writeDocumentation(needs, tx, place, api.id, definition, now);
}

async function writeResources(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  api: RestApiRecord,
  definition: ApiDefinition,
  mode: ImportMode,
  ids: ImportedIds,
): Promise<void> {
  const before = new Map<string, ResourceRecord>();
  for (const resource of await listChildren(tx, place, api.id, "resource")) {
    before.set(resource.path, resource);
    if (mode === "overwrite") deleteChild(tx, place, api.id, "resource", resource.id);
  }
  const written = new Map<string, string>();
  const write = (path: string): string => {
    const done = written.get(path);
    if (done !== undefined) return done;
    const id = before.get(path)?.id ?? (path === "/" ? api.rootResourceId : needs.ids.random(6, lowerAlphanumeric));
    written.set(path, id);
    const slash = path.lastIndexOf("/");
    const kept = mode === "merge" ? before.get(path)?.methods : undefined;
    const resource: ResourceRecord = {
      id,
      ...(path === "/"
        ? {}
        : { parentId: write(slash === 0 ? "/" : path.slice(0, slash)), pathPart: path.slice(slash + 1) }),
      path,
      methods: { ...kept, ...methodsOf(definition.methods.get(path), ids) },
    };
    writeChild(tx, place, api.id, "resource", id, resource);
    return id;
  };
  write("/");
  for (const path of definition.methods.keys()) write(path);
  const all = mode === "merge" ? new Set([...before.keys(), ...written.keys()]).size : written.size;
  if (all > limits.resourcesPerApiMax) throw badRequest(`An API has at most ${limits.resourcesPerApiMax} resources`);
}

/** Identifiers by the names that a definition uses. */
interface ImportedIds {
  readonly validatorIds: ReadonlyMap<string, string>;
  readonly authorizerIds: ReadonlyMap<string, string>;
}

function methodsOf(
  methods: Readonly<Record<string, MethodDefinition>> | undefined,
  { validatorIds, authorizerIds }: ImportedIds,
): Record<string, MethodRecord> {
  const records: Record<string, MethodRecord> = {};
  for (const [httpMethod, { requestValidator, authorizer, ...method }] of Object.entries(methods ?? {})) {
    const requestValidatorId = validatorIds.get(requestValidator ?? "");
    const authorizerId = authorizerIds.get(authorizer ?? "");
    records[httpMethod] = {
      ...method,
      ...(requestValidatorId === undefined ? {} : { requestValidatorId }),
      ...(authorizerId === undefined ? {} : { authorizerId }),
    };
  }
  return records;
}

async function writeModels(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  apiId: string,
  definition: ApiDefinition,
  mode: ImportMode,
): Promise<void> {
  const before = new Map((await listChildren(tx, place, apiId, "model")).map((model) => [model.name, model]));
  const after = new Map<string, ModelRecord>(mode === "merge" ? before : []);
  const made: ModelRecord[] = [];
  for (const model of definition.models.values()) {
    const schema = schemaText(model, apiId);
    if (Buffer.byteLength(schema) > limits.schemaBytesMax) throw badRequest("Model schema size exceeds 400 KB");
    const record: ModelRecord = {
      id: before.get(model.name)?.id ?? needs.ids.random(6, lowerAlphanumeric),
      name: checkModelName(model.name),
      schema,
      contentType: "application/json",
    };
    after.set(record.name, record);
    made.push(record);
  }
  if (after.size > limits.modelsPerApiMax) throw limitExceeded("models for this API", limits.modelsPerApiMax);
  const all = [...after.values()];
  for (const model of made) {
    const problem = schemaProblem(needs.models, model, all);
    if (problem !== undefined) throw badRequest(`Unable to create model '${model.name}': ${problem}`);
  }
  if (mode === "overwrite") for (const name of before.keys()) deleteChild(tx, place, apiId, "model", name);
  for (const model of made) writeChild(tx, place, apiId, "model", model.name, model);
}

/** @returns their identifiers by name */
async function writeAuthorizers(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  apiId: string,
  { authorizers }: ApiDefinition,
  mode: ImportMode,
): Promise<Map<string, string>> {
  const known = await listChildren(tx, place, apiId, "authorizer");
  if (mode === "overwrite") for (const { id } of known) deleteChild(tx, place, apiId, "authorizer", id);
  const ids = new Map<string, string>();
  for (const [name, authorizer] of authorizers) {
    const id = known.find((other) => other.name === name)?.id ?? needs.ids.random(6, lowerAlphanumeric);
    ids.set(name, id);
    writeChild(tx, place, apiId, "authorizer", id, checkAuthorizer({ ...authorizer, id }));
  }
  const all = new Set([...(mode === "merge" ? known.map(({ name }) => name) : []), ...authorizers.keys()]).size;
  if (all > limits.authorizersPerApiMax) {
    throw limitExceeded("authorizers for this API", limits.authorizersPerApiMax);
  }
  return ids;
}

/** @returns their identifiers by name */
async function writeValidators(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  apiId: string,
  definition: ApiDefinition,
  mode: ImportMode,
): Promise<Map<string, string>> {
  const known = await listChildren(tx, place, apiId, "request-validator");
  const ids = new Map<string, string>();
  if (mode === "overwrite") {
    for (const validator of known) deleteChild(tx, place, apiId, "request-validator", validator.id);
  }
  for (const [name, validator] of definition.validators) {
    const id = known.find((other) => other.name === name)?.id ?? needs.ids.random(6, lowerAlphanumeric);
    ids.set(name, id);
    writeChild(tx, place, apiId, "request-validator", id, { ...validator, id });
  }
  return ids;
}

/** A definition without documentation leaves what there is; parts of the same place are replaced. */
async function writeDocumentation(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  apiId: string,
  { documentation: { parts, version } }: ApiDefinition,
  now: number,
): Promise<void> {
  if (parts.length > limits.documentationPartsPerApiMax) {
    throw limitExceeded("documentation parts for this API", limits.documentationPartsPerApiMax);
  }
  const known = await listChildren(tx, place, apiId, "documentation-part");
  const ids = new Map(known.map((part) => [JSON.stringify(part.location), part.id]));
  const records = parts.map((part) => ({
    id: ids.get(JSON.stringify(part.location)) ?? needs.ids.random(6, lowerAlphanumeric),
    ...part,
  }));
  for (const record of records) writeChild(tx, place, apiId, "documentation-part", record.id, record);
  if (version === undefined) return;
  if ((await findChild(tx, place, apiId, "documentation-version", version)) !== undefined) return;
  const snapshot = await listChildren(tx, place, apiId, "documentation-part");
  writeChild(tx, place, apiId, "documentation-version", version, { version, createdAt: now, parts: snapshot });
}
