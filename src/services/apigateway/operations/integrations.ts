import type * as sdk from "@aws-sdk/client-api-gateway";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { integrationPatches } from "../integration-patches.ts";
import { checkIntegration, checkRequestParameters, parseIntegration, passedRole } from "../integration-rules.ts";
import { type IntegrationRecord, readChild } from "../model.ts";
import { applyPatch } from "../patch.ts";
import { integrationOf } from "./found-integration.ts";
import { describeIntegrationResponse } from "./integration-responses.ts";
import { changeMethod, methodOf, methodPath } from "./method-address.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

export function integrationOperations(needs: ApiGatewayNeeds) {
  return {
    PutIntegration: {
      authorize: (input, call) => [
        ...may("PUT", call, `${methodPath(input)}/integration`),
        ...passedRole(needs.iam, input.credentials, call.account),
      ],
      run: async (input, call) => {
        const integration = parseIntegration({
          ...input,
          httpMethod: input.integrationHttpMethod,
          insecureSkipVerification: input.tlsConfig?.insecureSkipVerification,
        });
        await changeMethod(needs, call, input, (method) => {
          checkRequestParameters(method, integration);
          return { ...method, integration };
        });
        return describeIntegration(integration, input.resourceId ?? "");
      },
    },
    GetIntegration: {
      authorize: (input, call) => may("GET", call, `${methodPath(input)}/integration`),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const resource = await readChild(reader, call, input.restApiId, "resource", input.resourceId);
          return describeIntegration(integrationOf(methodOf(resource, input)), resource.id);
        }),
    },
    UpdateIntegration: {
      authorize: (input, call) => {
        const credentials = input.patchOperations?.findLast(({ path }) => path === "/credentials")?.value;
        return [
          ...may("PATCH", call, `${methodPath(input)}/integration`),
          ...passedRole(needs.iam, credentials, call.account),
        ];
      },
      run: async (input, call) => {
        const method = await changeMethod(needs, call, input, (before) => {
          const integration = applyPatch(integrationOf(before), input.patchOperations, integrationPatches);
          checkIntegration(integration);
          checkRequestParameters(before, integration);
          return { ...before, integration };
        });
        return describeIntegration(integrationOf(method), input.resourceId ?? "");
      },
    },
    DeleteIntegration: {
      authorize: (input, call) => may("DELETE", call, `${methodPath(input)}/integration`),
      run: async (input, call) => {
        await changeMethod(needs, call, input, (before) => {
          integrationOf(before);
          const { integration: _gone, ...method } = before;
          return method;
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

export function describeIntegration(integration: IntegrationRecord, resourceId: string) {
  const { responses, timeoutMs, insecureSkipVerification, httpMethod, ...rest } = integration;
  const list = Object.values(responses);
  // Records from before the method was kept are of functions.
  const method = httpMethod ?? (integration.type === "AWS_PROXY" ? "POST" : undefined);
  return {
    ...rest,
    ...(method === undefined ? {} : { httpMethod: method }),
    ...(integration.requestParameters === undefined ? {} : { requestParameters: { ...integration.requestParameters } }),
    ...(integration.requestTemplates === undefined ? {} : { requestTemplates: { ...integration.requestTemplates } }),
    timeoutInMillis: timeoutMs,
    cacheNamespace: integration.cacheNamespace ?? resourceId,
    cacheKeyParameters: [...(integration.cacheKeyParameters ?? [])],
    ...(insecureSkipVerification === undefined ? {} : { tlsConfig: { insecureSkipVerification } }),
    ...(list.length === 0
      ? {}
      : {
          integrationResponses: Object.fromEntries(
            list.map((response) => [response.statusCode, describeIntegrationResponse(response)]),
          ),
        }),
  };
}
