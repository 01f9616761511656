import type * as sdk from "@aws-sdk/client-api-gateway";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { statusCodeNotFound } from "../errors.ts";
import { integrationResponsePatches } from "../integration-patches.ts";
import { checkResponse, parseContentHandling } from "../integration-rules.ts";
import { type IntegrationResponseRecord, type MethodRecord, readChild } from "../model.ts";
import { applyPatch } from "../patch.ts";
import { integrationOf, integrationResponseOf } from "./found-integration.ts";
import { changeMethod, type MethodAddress, methodOf, methodPath } from "./method-address.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

export function integrationResponseOperations(needs: ApiGatewayNeeds) {
  return {
    PutIntegrationResponse: {
      authorize: (input, call) => may("PUT", call, responsePath(input)),
      run: async (input, call) => {
        const response: IntegrationResponseRecord = {
          statusCode: input.statusCode ?? "",
          ...(input.selectionPattern ? { selectionPattern: input.selectionPattern } : {}),
          ...(input.responseParameters === undefined ? {} : { responseParameters: input.responseParameters }),
          ...(input.responseTemplates === undefined ? {} : { responseTemplates: input.responseTemplates }),
          ...parseContentHandling(input.contentHandling),
        };
        await changeMethod(needs, call, input, (before) => withResponse(before, response));
        return describeIntegrationResponse(response);
      },
    },
    GetIntegrationResponse: {
      authorize: (input, call) => may("GET", call, responsePath(input)),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const resource = await readChild(reader, call, input.restApiId, "resource", input.resourceId);
          return describeIntegrationResponse(integrationResponseOf(methodOf(resource, input), input.statusCode));
        }),
    },
    UpdateIntegrationResponse: {
      authorize: (input, call) => may("PATCH", call, responsePath(input)),
      run: async (input, call) => {
        const method = await changeMethod(needs, call, input, (before) => {
          const response = integrationResponseOf(before, input.statusCode);
          return withResponse(before, applyPatch(response, input.patchOperations, integrationResponsePatches));
        });
        return describeIntegrationResponse(integrationResponseOf(method, input.statusCode));
      },
    },
    DeleteIntegrationResponse: {
      authorize: (input, call) => may("DELETE", call, responsePath(input)),
      run: async (input, call) => {
        await changeMethod(needs, call, input, (before) => {
          const integration = integrationOf(before);
          const { [input.statusCode ?? ""]: gone, ...responses } = integration.responses;
          if (gone === undefined) throw statusCodeNotFound();
          return { ...before, integration: { ...integration, responses } };
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

function responsePath(input: MethodAddress & { readonly statusCode?: string | undefined }): string {
  return `${methodPath(input)}/integration/responses/${input.statusCode}`;
}

function withResponse(method: MethodRecord, response: IntegrationResponseRecord): MethodRecord {
  const integration = integrationOf(method);
  // AWS: only a status that the method has declared can be mapped to.
  if (method.methodResponses?.[response.statusCode] === undefined) throw statusCodeNotFound();
  checkResponse(method, response);
  const responses = { ...integration.responses, [response.statusCode]: response };
  return { ...method, integration: { ...integration, responses } };
}

export function describeIntegrationResponse(response: IntegrationResponseRecord) {
  return {
    ...response,
    ...(response.responseParameters === undefined ? {} : { responseParameters: { ...response.responseParameters } }),
    ...(response.responseTemplates === undefined ? {} : { responseTemplates: { ...response.responseTemplates } }),
  };
}
