import type * as sdk from "@aws-sdk/client-api-gateway";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest, conflict, statusCodeNotFound } from "../errors.ts";
import { type MethodRecord, type MethodResponseRecord, readChild } from "../model.ts";
import { applyPatch, parseFlag, type PatchTable } from "../patch.ts";
import { checkModels, invalidParameter, without } from "../request-rules.ts";
import { changeMethod, type MethodAddress, methodOf, methodPath } from "./method-address.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

const path = (input: MethodAddress & { statusCode?: string | undefined }) =>
  `${methodPath(input)}/responses/${input.statusCode}`;

export function methodResponseOperations(needs: ApiGatewayNeeds) {
  return {
    PutMethodResponse: {
      authorize: (input, call) => may("PUT", call, path(input)),
      run: async (input, call) => {
        const response: MethodResponseRecord = {
          statusCode: checkStatusCode(input.statusCode),
          ...(input.responseParameters === undefined ? {} : { responseParameters: input.responseParameters }),
          ...(input.responseModels === undefined ? {} : { responseModels: input.responseModels }),
        };
        checkResponseParameters(response);
        await changeMethod(needs, call, input, async (before, tx) => {
          if (before.methodResponses?.[response.statusCode] !== undefined) {
            throw conflict("Response already exists for this resource");
          }
          await checkModels(tx, call, input.restApiId ?? "", response.responseModels);
          return withResponse(before, response);
        });
        return describeMethodResponse(response);
      },
    },
    GetMethodResponse: {
      authorize: (input, call) => may("GET", call, path(input)),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const resource = await readChild(reader, call, input.restApiId, "resource", input.resourceId);
          return describeMethodResponse(responseOf(methodOf(resource, input), input.statusCode));
        }),
    },
    UpdateMethodResponse: {
      authorize: (input, call) => may("PATCH", call, path(input)),
      run: async (input, call) => {
        const method = await changeMethod(needs, call, input, async (before, tx) => {
          const next = applyPatch(
            responseOf(before, input.statusCode),
            input.patchOperations,
            patches,
            documentedPaths,
          );
          checkResponseParameters(next);
          await checkModels(tx, call, input.restApiId ?? "", next.responseModels);
          return withResponse(before, next);
        });
        return describeMethodResponse(responseOf(method, input.statusCode));
      },
    },
    DeleteMethodResponse: {
      authorize: (input, call) => may("DELETE", call, path(input)),
      run: async (input, call) => {
        await changeMethod(needs, call, input, (before) => {
          const { [responseOf(before, input.statusCode).statusCode]: _gone, ...methodResponses } =
            before.methodResponses ?? {};
          return { ...before, methodResponses };
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<MethodResponseRecord> = [
  {
    path: /^\/responseParameters\/[^/]+$/,
    apply: {
      add: withParameter,
      replace: withParameter,
      remove: (response, _value, name) => ({
        ...response,
        responseParameters: without(response.responseParameters, name),
      }),
    },
  },
  {
    path: /^\/responseModels\/[^/]+$/,
    apply: {
      add: withModel,
      replace: withModel,
      remove: (response, _value, type) => ({ ...response, responseModels: without(response.responseModels, type) }),
    },
  },
];

/** Source: "Patch operations", UpdateMethodResponse. */
const documentedPaths = ["/responseModels/*", "/responseParameters/*"];

function withParameter(response: MethodResponseRecord, value: string, name: string): MethodResponseRecord {
  return { ...response, responseParameters: { ...response.responseParameters, [name]: parseFlag(value) } };
}

function withModel(response: MethodResponseRecord, model: string, type: string): MethodResponseRecord {
  return { ...response, responseModels: { ...response.responseModels, [type]: model } };
}

function checkStatusCode(statusCode: string | undefined): string {
  if (statusCode !== undefined && /^[1-5]\d\d$/.test(statusCode)) return statusCode;
  throw badRequest(`Invalid status code specified: ${statusCode}`);
}

function checkResponseParameters(response: MethodResponseRecord): void {
  for (const name of Object.keys(response.responseParameters ?? {})) {
    if (!/^method\.response\.header\.[^\s]+$/.test(name)) throw invalidParameter(name);
  }
}

/** Throws NotFoundException when the method does not declare the status. */
function responseOf(method: MethodRecord, statusCode: string | undefined): MethodResponseRecord {
  const response = method.methodResponses?.[statusCode ?? ""];
  if (response === undefined) throw statusCodeNotFound();
  return response;
}

function withResponse(method: MethodRecord, response: MethodResponseRecord): MethodRecord {
  return { ...method, methodResponses: { ...method.methodResponses, [response.statusCode]: response } };
}

export function describeMethodResponse(response: MethodResponseRecord) {
  return {
    statusCode: response.statusCode,
    ...(response.responseParameters === undefined ? {} : { responseParameters: { ...response.responseParameters } }),
    ...(response.responseModels === undefined ? {} : { responseModels: { ...response.responseModels } }),
  };
}
