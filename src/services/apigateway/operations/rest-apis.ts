import type * as sdk from "@aws-sdk/client-api-gateway";
import { notImplemented } from "../../../aws/error.ts";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest, limitExceeded, stillMapped } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import {
  deleteApiRecord,
  deleteChildren,
  listApis,
  listChildren,
  type Place,
  readApi,
  type RestApiRecord,
  writeApi,
  writeChild,
} from "../model.ts";
import { defaultModels } from "../models.ts";
import { applyPatch, parseFlag, type PatchTable } from "../patch.ts";
import { checkTags, pageOf, refuseMembers, wholeSecond } from "../rules.ts";
import { parseResourcePolicy } from "../resource-policy.ts";
import { leaveUsagePlans } from "../usage-model.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

const refused = ["endpointAccessMode", "securityPolicy"];

export function restApiOperations(needs: ApiGatewayNeeds) {
  return {
    CreateRestApi: {
      authorize: (_input, call) => may("POST", call, "/restapis"),
      run: async (input, call) => {
        refuseMembers("CreateRestApi", input, refused);
        if (!input.name) throw badRequest("The Rest Api name must not be empty");
        const fresh = newApi(needs, call);
        const api: RestApiRecord = {
          ...fresh,
          ...(input.policy ? { policy: parseResourcePolicy(input.policy, call, fresh.id) } : {}),
          name: input.name,
          ...(input.description === undefined ? {} : { description: input.description }),
          ...(input.version === undefined ? {} : { apiVersion: input.version }),
          binaryMediaTypes: checkBinaryMediaTypes(input.binaryMediaTypes ?? []),
          apiKeySource: input.apiKeySource ?? "HEADER",
          ...parseEndpoint("CreateRestApi", input.endpointConfiguration),
          disableExecuteApiEndpoint: input.disableExecuteApiEndpoint ?? false,
          ...compressionOf(input.minimumCompressionSize),
          tags: checkTags(input.tags ?? {}),
        };
        await needs.store.transact(async (tx) => {
          await checkRoom(tx, call);
          writeApi(tx, call, api);
          const root = { id: api.rootResourceId, path: "/", methods: {} };
          writeChild(tx, call, api.id, "resource", root.id, root);
          if (input.cloneFrom) {
            await cloneApi(tx, call, await readApi(tx, call, input.cloneFrom), api);
            return;
          }
          for (const model of defaultModels) {
            writeChild(tx, call, api.id, "model", model.name, {
              id: needs.ids.random(6, lowerAlphanumeric),
              ...model,
            });
          }
        });
        return describeApi(api);
      },
    },
    GetRestApi: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}`),
      run: (input, call) =>
        needs.store.read(async (reader) => describeApi(await readApi(reader, call, input.restApiId))),
    },
    GetRestApis: {
      authorize: (_input, call) => may("GET", call, "/restapis"),
      run: async (input, call) => {
        const apis = await needs.store.read((reader) => listApis(reader, call));
        const page = pageOf(apis, (api) => api.id, input.limit, input.position);
        return { ...page, items: page.items.map(describeApi) };
      },
    },
    UpdateRestApi: {
      authorize: (input, call) => may("PATCH", call, `/restapis/${input.restApiId}`),
      run: async (input, call) => {
        const api = await needs.store.transact(async (tx) => {
          const patched = applyPatch(
            await readApi(tx, call, input.restApiId),
            input.patchOperations,
            patches,
            documentedPaths,
          );
          const { policy } = patched;
          const next =
            policy === undefined ? patched : { ...patched, policy: parseResourcePolicy(policy, call, patched.id) };
          checkBinaryMediaTypes(next.binaryMediaTypes);
          if (next.name === "") throw badRequest("The Rest Api name must not be empty");
          writeApi(tx, call, next);
          return next;
        });
        return describeApi(api);
      },
    },
    DeleteRestApi: {
      authorize: (input, call) => may("DELETE", call, `/restapis/${input.restApiId}`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const { id } = await readApi(tx, call, input.restApiId);
          const mapped = await needs.domains.leadingTo(tx, call, id);
          if (mapped.length > 0) throw stillMapped("RestApi", mapped);
          await deleteEverything(needs, tx, call, id);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<RestApiRecord> = [
  {
    path: /^\/policy$/,
    apply: {
      replace: (api, policy) => withPolicy(api, policy),
      remove: (api) => withPolicy(api, ""),
    },
  },
  { path: /^\/name$/, apply: { replace: (api, name) => ({ ...api, name }) } },
  { path: /^\/description$/, apply: { replace: (api, description) => ({ ...api, description }) } },
  { path: /^\/version$/, apply: { replace: (api, apiVersion) => ({ ...api, apiVersion }) } },
  {
    path: /^\/binaryMediaTypes\/[^/]+$/,
    apply: {
      add: (api, _value, type) => ({ ...api, binaryMediaTypes: [...new Set([...api.binaryMediaTypes, type])] }),
      replace: (api, value, type) => ({
        ...api,
        binaryMediaTypes: api.binaryMediaTypes.map((known) => (known === type ? value : known)),
      }),
      remove: (api, _value, type) => ({
        ...api,
        binaryMediaTypes: api.binaryMediaTypes.filter((known) => known !== type),
      }),
    },
  },
  {
    path: /^\/disableExecuteApiEndpoint$/,
    apply: { replace: (api, value) => ({ ...api, disableExecuteApiEndpoint: parseFlag(value) }) },
  },
  {
    path: /^\/minimumCompressionSize$/,
    apply: {
      // AWS: null, or no value at all, ends compression.
      replace: ({ minimumCompressionSize: _before, ...api }, value) => ({
        ...api,
        ...compressionOf(value === "" || value === "null" ? undefined : Number(value)),
      }),
    },
  },
  {
    path: /^\/apiKeySource$/,
    apply: {
      replace: (api, value) => ({ ...api, apiKeySource: parseApiKeySource(value) }),
    },
  },
  {
    path: /^\/endpointConfiguration\/ipAddressType$/,
    apply: { replace: (api, value) => ({ ...api, ipAddressType: parseIpAddressType(value) }) },
  },
  {
    path: /^\/endpointConfiguration\/types\/(?:EDGE|REGIONAL|\d)$/,
    apply: {
      replace: (api, value) => ({
        ...api,
        ...parseEndpoint("UpdateRestApi", { types: [value], ipAddressType: api.ipAddressType }),
      }),
    },
  },
];

/** Source: "Patch operations", UpdateRestApi. */
const documentedPaths = [
  "/apiKeySource",
  "/binaryMediaTypes/*",
  "/description",
  "/disableExecuteApiEndpoint",
  "/endpointAccessMode",
  "/endpointConfiguration/ipAddressType",
  "/endpointConfiguration/types/*",
  "/endpointConfiguration/vpcEndpointIds",
  "/endpointConfiguration/vpcEndpointIds/*",
  "/minimumCompressionSize",
  "/name",
  "/policy",
  "/securityPolicy",
  "/version",
];

function parseApiKeySource(value: string): RestApiRecord["apiKeySource"] {
  if (value === "HEADER" || value === "AUTHORIZER") return value;
  throw badRequest(`Invalid API key source ${value}: must be HEADER or AUTHORIZER`);
}

function parseIpAddressType(value: string): RestApiRecord["ipAddressType"] {
  if (value === "ipv4" || value === "dualstack") return value;
  throw badRequest(`Invalid IP address type ${value}: must be ipv4 or dualstack`);
}

/** A copy of what an API is, under identifiers of the same parts. */
async function cloneApi(tx: Transaction, place: Place, from: RestApiRecord, to: RestApiRecord): Promise<void> {
  for (const resource of await listChildren(tx, place, from.id, "resource")) {
    const id = resource.id === from.rootResourceId ? to.rootResourceId : resource.id;
    const parentId = resource.parentId === from.rootResourceId ? to.rootResourceId : resource.parentId;
    writeChild(tx, place, to.id, "resource", id, { ...resource, id, ...(parentId === undefined ? {} : { parentId }) });
  }
  for (const model of await listChildren(tx, place, from.id, "model")) {
    const schema = model.schema.replaceAll(`/restapis/${from.id}/models/`, `/restapis/${to.id}/models/`);
    writeChild(tx, place, to.id, "model", model.name, { ...model, schema });
  }
  for (const authorizer of await listChildren(tx, place, from.id, "authorizer")) {
    writeChild(tx, place, to.id, "authorizer", authorizer.id, authorizer);
  }
  for (const validator of await listChildren(tx, place, from.id, "request-validator")) {
    writeChild(tx, place, to.id, "request-validator", validator.id, validator);
  }
  for (const response of await listChildren(tx, place, from.id, "gateway-response")) {
    writeChild(tx, place, to.id, "gateway-response", response.responseType, response);
  }
  for (const part of await listChildren(tx, place, from.id, "documentation-part")) {
    writeChild(tx, place, to.id, "documentation-part", part.id, part);
  }
}

export function newApi(needs: ApiGatewayNeeds, call: Call) {
  return {
    version: 1 as const,
    id: needs.ids.random(10, lowerAlphanumeric),
    rootResourceId: needs.ids.random(10, lowerAlphanumeric),
    createdAt: call.now,
    endpointType: "EDGE" as const,
    ipAddressType: "ipv4" as const,
    tags: {},
  };
}

/** Throws BadRequestException for what is no size. */
export function compressionOf(bytes: number | undefined): Pick<RestApiRecord, "minimumCompressionSize"> {
  if (bytes === undefined) return {};
  if (Number.isInteger(bytes) && bytes >= 0 && bytes <= limits.minimumCompressionSizeMax) {
    return { minimumCompressionSize: bytes };
  }
  throw badRequest(`Invalid minimum compression size, must be between 0 - ${limits.minimumCompressionSizeMax}`);
}

export async function checkRoom(tx: Transaction, place: Place): Promise<void> {
  const apis = await listApis(tx, place);
  if (apis.length >= limits.apisPerRegionMax) throw limitExceeded("APIs for this account", limits.apisPerRegionMax);
}

export function checkBinaryMediaTypes(types: readonly string[]): readonly string[] {
  if (types.length > limits.binaryMediaTypesMax) {
    throw badRequest(`An API has at most ${limits.binaryMediaTypesMax} binary media types`);
  }
  return types;
}

export function parseEndpoint(
  operation: string,
  configuration: { types?: readonly string[] | undefined; ipAddressType?: string | undefined } | undefined,
): Pick<RestApiRecord, "endpointType" | "ipAddressType"> {
  if (configuration !== undefined)
    refuseMembers(`${operation} endpointConfiguration`, configuration, ["vpcEndpointIds"]);
  const type = configuration?.types?.[0] ?? "EDGE";
  if (type === "PRIVATE") throw notImplemented(`${operation} with a PRIVATE endpoint`);
  if (type !== "EDGE" && type !== "REGIONAL") throw badRequest(`Invalid endpoint type ${type}`);
  return { endpointType: type, ipAddressType: parseIpAddressType(configuration?.ipAddressType ?? "ipv4") };
}

async function deleteEverything(needs: ApiGatewayNeeds, tx: Transaction, place: Place, id: string): Promise<void> {
  for (const stage of await listChildren(tx, place, id, "stage")) {
    needs.publisher.withdraw(tx, id, stage.stageName);
  }
  await leaveUsagePlans(tx, needs.usage, place, id);
  await deleteChildren(tx, place, id);
  deleteApiRecord(tx, place, id);
}

function withPolicy({ policy: _gone, ...api }: RestApiRecord, policy: string): RestApiRecord {
  return policy === "" ? api : { ...api, policy };
}

export function describeApi(api: RestApiRecord) {
  return {
    id: api.id,
    name: api.name,
    ...(api.description === undefined ? {} : { description: api.description }),
    createdDate: wholeSecond(api.createdAt),
    ...(api.apiVersion === undefined ? {} : { version: api.apiVersion }),
    ...(api.binaryMediaTypes.length === 0 ? {} : { binaryMediaTypes: [...api.binaryMediaTypes] }),
    ...(api.minimumCompressionSize === undefined ? {} : { minimumCompressionSize: api.minimumCompressionSize }),
    apiKeySource: api.apiKeySource,
    endpointConfiguration: { types: [api.endpointType], ipAddressType: api.ipAddressType },
    tags: { ...api.tags },
    disableExecuteApiEndpoint: api.disableExecuteApiEndpoint,
    rootResourceId: api.rootResourceId,
    // AWS: the document arrives with its quotes escaped, as within a JSON string.
    ...(api.policy === undefined ? {} : { policy: JSON.stringify(api.policy).slice(1, -1) }),
  };
}
