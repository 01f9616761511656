import type * as sdk from "@aws-sdk/client-api-gateway";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { conflict, statusCodeNotFound } from "../errors.ts";
import { type MethodRecord, type MethodResponseRecord, readChild, writeChild } from "../model.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import { parseAuthorizationType, parseHttpMethod, refuseMembers } from "../rules.ts";
import { describeIntegration } from "./integrations.ts";
import { changeMethod, methodOf, methodPath, writeMethod } from "./method-address.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

const refused = ["authorizationScopes", "authorizerId", "requestModels", "requestValidatorId"];

export function methodOperations(needs: ApiGatewayNeeds) {
  return {
    PutMethod: {
      authorize: (input, call) => may("PUT", call, methodPath(input)),
      run: async (input, call) => {
        refuseMembers("PutMethod", input, refused);
        const httpMethod = parseHttpMethod(input.httpMethod);
        const method: MethodRecord = {
          httpMethod,
          authorizationType: parseAuthorizationType(input.authorizationType),
          ...(input.apiKeyRequired === true ? { apiKeyRequired: true } : {}),
          ...(input.operationName === undefined ? {} : { operationName: input.operationName }),
          ...(input.requestParameters === undefined ? {} : { requestParameters: input.requestParameters }),
        };
        await needs.store.transact(async (tx) => {
          const resource = await readChild(tx, call, input.restApiId, "resource", input.resourceId);
          if (resource.methods[httpMethod] !== undefined) throw conflict("Method already exists for this resource");
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
        const method = await changeMethod(needs, call, input, (before) =>
          applyPatch(before, input.patchOperations, patches),
        );
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
    PutMethodResponse: {
      authorize: (input, call) => may("PUT", call, `${methodPath(input)}/responses/${input.statusCode}`),
      run: async (input, call) => {
        refuseMembers("PutMethodResponse", input, ["responseModels"]);
        const response: MethodResponseRecord = {
          statusCode: input.statusCode ?? "",
          ...(input.responseParameters === undefined ? {} : { responseParameters: input.responseParameters }),
        };
        await changeMethod(needs, call, input, (before) => {
          if (before.methodResponses?.[response.statusCode] !== undefined) {
            throw conflict("Response already exists for this resource");
          }
          return { ...before, methodResponses: { ...before.methodResponses, [response.statusCode]: response } };
        });
        return describeMethodResponse(response);
      },
    },
    GetMethodResponse: {
      authorize: (input, call) => may("GET", call, `${methodPath(input)}/responses/${input.statusCode}`),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const resource = await readChild(reader, call, input.restApiId, "resource", input.resourceId);
          const response = methodOf(resource, input).methodResponses?.[input.statusCode ?? ""];
          if (response === undefined) throw statusCodeNotFound();
          return describeMethodResponse(response);
        }),
    },
    DeleteMethodResponse: {
      authorize: (input, call) => may("DELETE", call, `${methodPath(input)}/responses/${input.statusCode}`),
      run: async (input, call) => {
        await changeMethod(needs, call, input, (before) => {
          const { [input.statusCode ?? ""]: gone, ...methodResponses } = before.methodResponses ?? {};
          if (gone === undefined) throw statusCodeNotFound();
          return { ...before, methodResponses };
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
  { path: /^\/operationName$/, apply: { replace: (method, operationName) => ({ ...method, operationName }) } },
  {
    path: /^\/requestParameters\/[^/]+$/,
    apply: {
      add: (method, value, name) => withParameter(method, name, value),
      replace: (method, value, name) => withParameter(method, name, value),
      remove: (method, _value, name) => {
        const { [name]: _gone, ...requestParameters } = method.requestParameters ?? {};
        return { ...method, requestParameters };
      },
    },
  },
];

function withParameter(method: MethodRecord, name: string, value: string): MethodRecord {
  return { ...method, requestParameters: { ...method.requestParameters, [name]: value === "true" } };
}

export function describeMethod(method: MethodRecord, resourceId: string) {
  const responses = Object.values(method.methodResponses ?? {});
  return {
    httpMethod: method.httpMethod,
    authorizationType: method.authorizationType,
    apiKeyRequired: method.apiKeyRequired ?? false,
    ...(method.operationName === undefined ? {} : { operationName: method.operationName }),
    ...(method.requestParameters === undefined ? {} : { requestParameters: { ...method.requestParameters } }),
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

function describeMethodResponse(response: MethodResponseRecord) {
  return {
    statusCode: response.statusCode,
    ...(response.responseParameters === undefined ? {} : { responseParameters: { ...response.responseParameters } }),
  };
}
