import type * as sdk from "@aws-sdk/client-api-gateway";
import { type ConditionKeys, requestKeys } from "../../access/further-keys.ts";
import type { ConditionKeysOf } from "../../wire/service.ts";
import { parseApiDefinition } from "./openapi.ts";

/** What policies may look at in requests on REST APIs. Source: Service Authorization Reference, Amazon API Gateway Management. */
export const apiGatewayConditionKeys: ConditionKeysOf<typeof sdk> = {
  CreateRestApi: (input) =>
    toKeys({
      ApiName: input.name,
      EndpointType: input.endpointConfiguration?.types,
      DisableExecuteApiEndpoint: input.disableExecuteApiEndpoint ?? false,
      SecurityPolicy: input.securityPolicy,
    }),
  UpdateRestApi: (input) =>
    ofPatches(input.patchOperations, {
      ApiName: /^\/name$/,
      EndpointType: /^\/endpointConfiguration\/types\/[^/]+$/,
      DisableExecuteApiEndpoint: /^\/disableExecuteApiEndpoint$/,
      SecurityPolicy: /^\/securityPolicy$/,
    }),
  ImportRestApi: (input) => ({
    ...ofDefinition(input.body),
    ...toKeys({ EndpointType: input.parameters?.["endpointConfigurationTypes"] }),
  }),
  PutRestApi: (input) => ofDefinition(input.body),
  PutMethod: (input) =>
    toKeys({ ApiKeyRequired: input.apiKeyRequired ?? false, RouteAuthorizationType: input.authorizationType }),
  UpdateMethod: (input) =>
    ofPatches(input.patchOperations, {
      ApiKeyRequired: /^\/apiKeyRequired$/,
      RouteAuthorizationType: /^\/authorizationType$/,
    }),
  CreateAuthorizer: (input) => toKeys({ AuthorizerType: input.type }),
  UpdateAuthorizer: (input) => ofPatches(input.patchOperations, { AuthorizerType: /^\/type$/ }),
  CreateDeployment: (input) => toKeys({ StageName: input.stageName }),
  UpdateStage: (input) =>
    ofPatches(input.patchOperations, {
      AccessLoggingDestination: /^\/accessLogSettings\/destinationArn$/,
      AccessLoggingFormat: /^\/accessLogSettings\/format$/,
    }),
  CreateDomainName: (input) =>
    toKeys({
      EndpointType: input.endpointConfiguration?.types,
      MtlsTrustStoreUri: input.mutualTlsAuthentication?.truststoreUri,
      MtlsTrustStoreVersion: input.mutualTlsAuthentication?.truststoreVersion,
      SecurityPolicy: input.securityPolicy,
    }),
  UpdateDomainName: (input) =>
    ofPatches(input.patchOperations, {
      EndpointType: /^\/endpointConfiguration\/types\/[^/]+$/,
      MtlsTrustStoreUri: /^\/mutualTlsAuthentication\/truststoreUri$/,
      MtlsTrustStoreVersion: /^\/mutualTlsAuthentication\/truststoreVersion$/,
      SecurityPolicy: /^\/securityPolicy$/,
    }),
};

/** `apigateway:Request/NAME` of what a request says. */
const toKeys = (given: Parameters<typeof requestKeys>[1]) => requestKeys("apigateway:Request/", given);

const all = (values: readonly string[]) => (values.length > 0 ? [...new Set(values)] : undefined);

/** AWS: an import tells of all methods and authorizers that it has, each value once. */
function ofDefinition(body: Uint8Array | undefined): ConditionKeys {
  const definition = parseApiDefinition(body ?? new Uint8Array());
  const methods = [...definition.methods.values()].flatMap((each) => Object.values(each));
  return toKeys({
    ApiName: definition.name === "" ? undefined : definition.name,
    DisableExecuteApiEndpoint: definition.disableExecuteApiEndpoint,
    ApiKeyRequired: all(methods.map(({ apiKeyRequired }) => String(apiKeyRequired ?? false))),
    RouteAuthorizationType: all(methods.map(({ authorizationType }) => authorizationType)),
    AuthorizerType: all([...definition.authorizers.values()].map(({ type }) => type)),
  });
}

interface Patch {
  readonly path?: string | undefined;
  readonly value?: string | undefined;
}

function ofPatches(patches: readonly Patch[] | undefined, paths: Readonly<Record<string, RegExp>>): ConditionKeys {
  const keys: Record<string, readonly string[]> = {};
  for (const { path = "", value } of patches ?? []) {
    for (const [name, pattern] of Object.entries(paths)) {
      const key = `apigateway:Request/${name}`;
      if (value !== undefined && pattern.test(path)) keys[key] = [...(keys[key] ?? []), value];
    }
  }
  return keys;
}
