import type * as sdk from "@aws-sdk/client-api-gateway";
import { notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest } from "../errors.ts";
import { writeDefinition } from "../import.ts";
import { passedRole } from "../integration-rules.ts";
import { readApi, type RestApiRecord, writeApi } from "../model.ts";
import { type ApiDefinition, type BasePathMode, parseApiDefinition } from "../openapi.ts";
import { parseResourcePolicy } from "../resource-policy.ts";
import type { ApiGatewayNeeds } from "./needs.ts";
import { checkBinaryMediaTypes, checkRoom, compressionOf, describeApi, newApi, parseEndpoint } from "./rest-apis.ts";

export function importOperations(needs: ApiGatewayNeeds) {
  return {
    ImportRestApi: {
      authorize: (_input, call) => may("POST", call, "/restapis"),
      run: async (input, call) => {
        const { endpoint, basePathMode, ignoresDocumentation } = parseParameters("ImportRestApi", input.parameters);
        const definition = parseApiDefinition(input.body ?? new Uint8Array(), basePathMode, ignoresDocumentation);
        checkWarnings(input.failOnWarnings, definition);
        await authorizeRoles(needs, call, definition);
        if (definition.name === "") throw badRequest("The Rest Api name must not be empty");
        const fresh = newApi(needs, call);
        const api: RestApiRecord = {
          ...fresh,
          ...importedFields(definition),
          ...importedPolicy(definition, call, fresh.id),
          name: definition.name,
          disableExecuteApiEndpoint: definition.disableExecuteApiEndpoint ?? false,
          ...endpoint,
        };
        await needs.store.transact(async (tx) => {
          await checkRoom(tx, call);
          writeApi(tx, call, api);
          await writeDefinition(needs, tx, call, api, definition, "overwrite", call.now);
        });
        return { ...describeApi(api), ...describeWarnings(definition) };
      },
    },
    PutRestApi: {
      authorize: (input, call) => may("PUT", call, `/restapis/${input.restApiId}`),
      run: async (input, call) => {
        const { endpoint, basePathMode, ignoresDocumentation } = parseParameters("PutRestApi", input.parameters);
        const mode = input.mode ?? "merge";
        const definition = parseApiDefinition(input.body ?? new Uint8Array(), basePathMode, ignoresDocumentation);
        checkWarnings(input.failOnWarnings, definition);
        await authorizeRoles(needs, call, definition);
        const api = await needs.store.transact(async (tx) => {
          const before = await readApi(tx, call, input.restApiId);
          const {
            description: _description,
            apiVersion: _version,
            policy: _policy,
            minimumCompressionSize: _size,
            ...rest
          } = before;
          const fields = importedFields(definition);
          const next: RestApiRecord =
            mode === "overwrite"
              ? { ...rest, ...fields, name: definition.name === "" ? before.name : definition.name }
              : {
                  ...before,
                  binaryMediaTypes: checkBinaryMediaTypes([
                    ...new Set([...before.binaryMediaTypes, ...fields.binaryMediaTypes]),
                  ]),
                };
          const written: RestApiRecord = {
            ...next,
            ...importedPolicy(definition, call, before.id),
            ...compressionOf(definition.minimumCompressionSize),
            disableExecuteApiEndpoint: definition.disableExecuteApiEndpoint ?? before.disableExecuteApiEndpoint,
            ...endpoint,
          };
          writeApi(tx, call, written);
          await writeDefinition(needs, tx, call, written, definition, mode, call.now);
          return written;
        });
        return { ...describeApi(api), ...describeWarnings(definition) };
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

function importedFields(definition: ApiDefinition) {
  return {
    ...(definition.description === undefined ? {} : { description: definition.description }),
    ...(definition.apiVersion === undefined ? {} : { apiVersion: definition.apiVersion }),
    binaryMediaTypes: checkBinaryMediaTypes(definition.binaryMediaTypes),
    apiKeySource: definition.apiKeySource,
    ...compressionOf(definition.minimumCompressionSize),
  };
}

function importedPolicy({ policy }: ApiDefinition, call: Call, apiId: string): { policy?: string } {
  return policy === undefined ? {} : { policy: parseResourcePolicy(policy, call, apiId) };
}

function checkWarnings(failOnWarnings: boolean | undefined, { warnings }: ApiDefinition): void {
  if (failOnWarnings === true && warnings.length > 0) {
    throw badRequest(`Warnings found during import:\n\t${warnings.join("\n\t")}`);
  }
}

function describeWarnings({ warnings }: ApiDefinition): { warnings?: string[] } {
  return warnings.length === 0 ? {} : { warnings: [...warnings] };
}

/** Members of their own, which a map of all query parameters repeats. */
const ownParameters = new Set(["failonwarnings", "mode"]);

/** The query parameters of an import: AWS has more than act here. */
function parseParameters(operation: string, parameters: Readonly<Record<string, string>> | undefined) {
  let endpoint: Partial<ReturnType<typeof parseEndpoint>> = {};
  let basePathMode: BasePathMode = "ignore";
  let ignoresDocumentation = false;
  for (const [name, value] of Object.entries(parameters ?? {})) {
    if (name === "endpointConfigurationTypes") {
      endpoint = parseEndpoint(operation, { types: [value], ipAddressType: undefined });
    } else if (name === "basepath" || name === "basePath") {
      if (value !== "ignore" && value !== "prepend" && value !== "split") {
        throw badRequest(`Invalid basepath mode ${value}: must be one of ignore, prepend, split`);
      }
      basePathMode = value;
    } else if (name === "ignore" && value === "documentation") {
      ignoresDocumentation = true;
    } else if (!ownParameters.has(name)) {
      throw notImplemented(`${operation} with the parameter ${name}`);
    }
  }
  return { endpoint, basePathMode, ignoresDocumentation };
}

/** Whoever imports integrations must be allowed to give them their roles. */
async function authorizeRoles(needs: ApiGatewayNeeds, call: Call, { methods }: ApiDefinition): Promise<void> {
  const all = [...methods.values()].flatMap((byMethod) => Object.values(byMethod));
  const roles = new Set(all.map(({ integration }) => integration?.credentials));
  for (const role of roles) {
    for (const request of passedRole(needs.iam, role, call.account)) await call.authorize(request);
  }
}
