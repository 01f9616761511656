import type * as sdk from "@aws-sdk/client-api-gateway";
import type { OperationsOf } from "../../../wire/service.ts";
import { checkMethodAuthorizer } from "../authorizer-rules.ts";
import { may } from "../authorize.ts";
import { conflict } from "../errors.ts";
import { type MethodRecord, readChild, writeChild } from "../model.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import { parseAuthorizationType, parseHttpMethod } from "../rules.ts";
import { checkRequestRules, requestRulePatches } from "../request-rules.ts";
import { describeIntegration } from "./integrations.ts";
import { changeMethod, methodOf, methodPath, writeMethod } from "./method-address.ts";
import { describeMethodResponse } from "./method-responses.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

export function methodOperations(needs: ApiGatewayNeeds) {
  return {
    PutMethod: {
      authorize: (input, call) => may("PUT", call, methodPath(input)),
      run: async (input, call) => {
        const httpMethod = parseHttpMethod(input.httpMethod);
        const method: MethodRecord = {
          httpMethod,
          authorizationType: parseAuthorizationType(input.authorizationType),
          ...(input.authorizerId ? { authorizerId: input.authorizerId } : {}),
          ...(input.authorizationScopes?.length ? { authorizationScopes: input.authorizationScopes } : {}),
          ...(input.apiKeyRequired === true ? { apiKeyRequired: true } : {}),
          ...(input.operationName === undefined ? {} : { operationName: input.operationName }),
          ...(input.requestParameters === undefined ? {} : { requestParameters: input.requestParameters }),
          ...(input.requestModels === undefined ? {} : { requestModels: input.requestModels }),
          ...(input.requestValidatorId ? { requestValidatorId: input.requestValidatorId } : {}),
        };
        await needs.store.transact(async (tx) => {
          const resource = await readChild(tx, call, input.restApiId, "resource", input.resourceId);
          if (resource.methods[httpMethod] !== undefined) throw conflict("Method already exists for this resource");
          await checkRequestRules(tx, call, input.restApiId ?? "", method);
          await checkMethodAuthorizer(tx, call, input.restApiId ?? "", method);
          writeMethod(tx, call, input, resource, method);
        });
        return describeMethod(method, input.resourceId ?? "");
      },
    },
    GetMethod: {
      authorize: (input, call) => may("GET", call, methodPath(input)),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const resource = await readChild(reader, call, input.restApiId, "resource", input.resourceId);
          return describeMethod(methodOf(resource, input), resource.id);
        }),
    },
    UpdateMethod: {
      authorize: (input, call) => may("PATCH", call, methodPath(input)),
      run: async (input, call) => {
        const method = await changeMethod(needs, call, input, async (before, tx) => {
          const next = applyPatch(before, input.patchOperations, patches, documentedPaths);
          await checkRequestRules(tx, call, input.restApiId ?? "", next);
          await checkMethodAuthorizer(tx, call, input.restApiId ?? "", next);
          return next;
        });
        return describeMethod(method, input.resourceId ?? "");
      },
    },
    DeleteMethod: {
      authorize: (input, call) => may("DELETE", call, methodPath(input)),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const resource = await readChild(tx, call, input.restApiId, "resource", input.resourceId);
          const { [methodOf(resource, input).httpMethod]: _gone, ...methods } = resource.methods;
          writeChild(tx, call, input.restApiId ?? "", "resource", resource.id, { ...resource, methods });
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<MethodRecord> = [
  {
    path: /^\/apiKeyRequired$/,
    apply: { replace: (method, value) => ({ ...method, apiKeyRequired: value.toLowerCase() === "true" }) },
  },
  {
    path: /^\/authorizationType$/,
    apply: { replace: (method, value) => ({ ...method, authorizationType: parseAuthorizationType(value) }) },
  },
  {
    path: /^\/authorizerId$/,
    apply: {
      replace: (method, authorizerId) => ({ ...method, authorizerId }),
      remove: ({ authorizerId: _gone, ...method }) => method,
    },
  },
  {
    path: /^\/authorizationScopes$/,
    apply: {
      add: (method, scope) => ({
        ...method,
        authorizationScopes: [...new Set([...(method.authorizationScopes ?? []), scope])],
      }),
      remove: (method, scope) => ({
        ...method,
        authorizationScopes: (method.authorizationScopes ?? []).filter((known) => known !== scope),
      }),
    },
  },
  { path: /^\/operationName$/, apply: { replace: (method, operationName) => ({ ...method, operationName }) } },
  ...requestRulePatches,
];

/** Source: "Patch operations", UpdateMethod. */
const documentedPaths = [
  "/apiKeyRequired",
  "/authorizationScopes",
  "/authorizationType",
  "/authorizerId",
  "/operationName",
  "/requestModels/*",
  "/requestParameters/*",
  "/requestValidatorId",
];

export function describeMethod(method: MethodRecord, resourceId: string) {
  const responses = Object.values(method.methodResponses ?? {});
  return {
    httpMethod: method.httpMethod,
    authorizationType: method.authorizationType,
    ...(method.authorizerId === undefined ? {} : { authorizerId: method.authorizerId }),
    ...(method.authorizationScopes?.length ? { authorizationScopes: [...method.authorizationScopes] } : {}),
    apiKeyRequired: method.apiKeyRequired ?? false,
    ...(method.operationName === undefined ? {} : { operationName: method.operationName }),
    ...(method.requestParameters === undefined ? {} : { requestParameters: { ...method.requestParameters } }),
    ...(method.requestModels === undefined ? {} : { requestModels: { ...method.requestModels } }),
    ...(method.requestValidatorId === undefined ? {} : { requestValidatorId: method.requestValidatorId }),
    ...(responses.length === 0
      ? {}
      : {
          methodResponses: Object.fromEntries(
            responses.map((response) => [response.statusCode, describeMethodResponse(response)]),
          ),
        }),
    ...(method.integration === undefined
      ? {}
      : { methodIntegration: describeIntegration(method.integration, resourceId) }),
  };
}
