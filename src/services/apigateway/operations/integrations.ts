import type * as sdk from "@aws-sdk/client-api-gateway";
import { notImplemented } from "../../../aws/error.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest, childNotFound, statusCodeNotFound } from "../errors.ts";
import { type IntegrationRecord, type IntegrationResponseRecord, type MethodRecord, readChild } from "../model.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import {
  checkLiteralParameters,
  checkStaticTemplates,
  parseCredentials,
  parsePassthrough,
  parseProxyUri,
  parseTimeout,
  refuseMembers,
} from "../rules.ts";
import { changeMethod, methodOf, methodPath } from "./method-address.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

const refused = ["cacheKeyParameters", "connectionId", "integrationTarget", "requestParameters", "tlsConfig"];

export function integrationOperations(needs: ApiGatewayNeeds) {
  return {
    PutIntegration: {
      authorize: (input, call) => may("PUT", call, `${methodPath(input)}/integration`),
      run: async (input, call) => {
        refuseMembers("PutIntegration", input, refused);
        if (input.responseTransferMode === "STREAM")
          throw notImplemented("PutIntegration with responseTransferMode STREAM");
        if (input.connectionType !== undefined && input.connectionType !== "INTERNET") {
          throw notImplemented(`PutIntegration with connectionType ${input.connectionType}`);
        }
        if (input.type !== "AWS_PROXY" && input.type !== "MOCK") {
          throw notImplemented(`PutIntegration with type ${input.type}`);
        }
        if (input.type === "AWS_PROXY" && input.integrationHttpMethod === undefined) {
          throw badRequest("Enumeration value for HttpMethod must be non-empty");
        }
        if (input.type === "AWS_PROXY" && input.integrationHttpMethod !== "POST") {
          throw badRequest("Integration HTTP method must be POST for a function");
        }
        if (input.type === "MOCK") checkStaticTemplates(input.requestTemplates, "PutIntegration");
        const integration: IntegrationRecord = {
          type: input.type,
          ...(input.type === "AWS_PROXY" ? { uri: parseProxyUri(input.uri) } : {}),
          ...parseCredentials(input.credentials),
          ...(input.requestTemplates === undefined ? {} : { requestTemplates: input.requestTemplates }),
          passthroughBehavior: parsePassthrough(input.passthroughBehavior),
          ...(input.contentHandling === undefined ? {} : { contentHandling: input.contentHandling }),
          timeoutMs: parseTimeout(input.timeoutInMillis),
          responses: {},
        };
        await changeMethod(needs, call, input, (method) => ({ ...method, integration }));
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
      authorize: (input, call) => may("PATCH", call, `${methodPath(input)}/integration`),
      run: async (input, call) => {
        const method = await changeMethod(needs, call, input, (before) => ({
          ...before,
          integration: applyPatch(integrationOf(before), input.patchOperations, patches),
        }));
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
    PutIntegrationResponse: {
      authorize: (input, call) => may("PUT", call, `${methodPath(input)}/integration/responses/${input.statusCode}`),
      run: async (input, call) => {
        refuseMembers("PutIntegrationResponse", input, ["contentHandling"]);
        const response: IntegrationResponseRecord = {
          statusCode: input.statusCode ?? "",
          ...(input.selectionPattern ? { selectionPattern: input.selectionPattern } : {}),
          ...(input.responseParameters === undefined ? {} : { responseParameters: input.responseParameters }),
          ...(input.responseTemplates === undefined ? {} : { responseTemplates: input.responseTemplates }),
        };
        await changeMethod(needs, call, input, (before) => {
          const integration = integrationOf(before);
          if (integration.type === "MOCK") {
            checkLiteralParameters(response.responseParameters, "method.response.header.");
            checkStaticTemplates(response.responseTemplates, "PutIntegrationResponse");
          }
          checkDeclared(before, response);
          const responses = { ...integration.responses, [response.statusCode]: response };
          return { ...before, integration: { ...integration, responses } };
        });
        return describeResponse(response);
      },
    },
    GetIntegrationResponse: {
      authorize: (input, call) => may("GET", call, `${methodPath(input)}/integration/responses/${input.statusCode}`),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const resource = await readChild(reader, call, input.restApiId, "resource", input.resourceId);
          const response = integrationOf(methodOf(resource, input)).responses[input.statusCode ?? ""];
          if (response === undefined) throw statusCodeNotFound();
          return describeResponse(response);
        }),
    },
    DeleteIntegrationResponse: {
      authorize: (input, call) => may("DELETE", call, `${methodPath(input)}/integration/responses/${input.statusCode}`),
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

const patches: PatchTable<IntegrationRecord> = [
  { path: /^\/uri$/, apply: { replace: (integration, uri) => ({ ...integration, uri: parseProxyUri(uri) }) } },
  {
    path: /^\/timeoutInMillis$/,
    apply: { replace: (integration, value) => ({ ...integration, timeoutMs: parseTimeout(Number(value)) }) },
  },
  {
    path: /^\/passthroughBehavior$/,
    apply: {
      replace: (integration, value) => ({ ...integration, passthroughBehavior: parsePassthrough(value) }),
    },
  },
  {
    path: /^\/requestTemplates\/[^/]+$/,
    apply: {
      add: (integration, value, type) => withTemplate(integration, type, value),
      replace: (integration, value, type) => withTemplate(integration, type, value),
      remove: (integration, _value, type) => {
        const { [type]: _gone, ...requestTemplates } = integration.requestTemplates ?? {};
        return { ...integration, requestTemplates };
      },
    },
  },
];

function withTemplate(integration: IntegrationRecord, type: string, template: string): IntegrationRecord {
  if (integration.type === "MOCK") checkStaticTemplates({ [type]: template }, "UpdateIntegration");
  return { ...integration, requestTemplates: { ...integration.requestTemplates, [type]: template } };
}

/** Throws NotFoundException for a method without an integration. */
function integrationOf(method: MethodRecord): IntegrationRecord {
  if (method.integration === undefined) throw childNotFound("Integration");
  return method.integration;
}

/** AWS: only a status, and headers, that the method has declared can be mapped to. */
function checkDeclared(method: MethodRecord, response: IntegrationResponseRecord): void {
  const declared = method.methodResponses?.[response.statusCode];
  if (declared === undefined) throw statusCodeNotFound();
  for (const name of Object.keys(response.responseParameters ?? {})) {
    if (declared.responseParameters?.[name] === undefined) {
      throw badRequest(
        `Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: ${name}]`,
      );
    }
  }
}

export function describeIntegration(integration: IntegrationRecord, resourceId: string) {
  const responses = Object.values(integration.responses);
  return {
    type: integration.type,
    ...(integration.type === "AWS_PROXY" ? { httpMethod: "POST" } : {}),
    ...(integration.uri === undefined ? {} : { uri: integration.uri }),
    ...(integration.credentials === undefined ? {} : { credentials: integration.credentials }),
    ...(integration.requestTemplates === undefined ? {} : { requestTemplates: { ...integration.requestTemplates } }),
    passthroughBehavior: integration.passthroughBehavior,
    ...(integration.contentHandling === undefined ? {} : { contentHandling: integration.contentHandling }),
    timeoutInMillis: integration.timeoutMs,
    cacheNamespace: resourceId,
    cacheKeyParameters: [],
    ...(responses.length === 0
      ? {}
      : {
          integrationResponses: Object.fromEntries(
            responses.map((response) => [response.statusCode, describeResponse(response)]),
          ),
        }),
  };
}

function describeResponse(response: IntegrationResponseRecord) {
  return {
    statusCode: response.statusCode,
    ...(response.selectionPattern === undefined ? {} : { selectionPattern: response.selectionPattern }),
    ...(response.responseParameters === undefined ? {} : { responseParameters: { ...response.responseParameters } }),
    ...(response.responseTemplates === undefined ? {} : { responseTemplates: { ...response.responseTemplates } }),
  };
}
