import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { notImplemented } from "../../../aws/error.ts";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, InputOf, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { deleteChild, findChild, listChildren, writeChild } from "../model.ts";
import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { pageOf, refuseMembers } from "../rules.ts";
import { readWebSocketApi } from "./protocol.ts";
import type { WebSocketIntegrationRecord } from "./records.ts";
import { parseTemplates, parseTemplateSelection, parseWebSocketTimeout } from "./rules.ts";

const refused = [
  "ConnectionId",
  "ContentHandlingStrategy",
  "CredentialsArn",
  "IntegrationSubtype",
  "RequestParameters",
  "ResponseParameters",
  "TlsConfig",
];

type Input = Omit<InputOf<typeof sdk, "UpdateIntegration">, "ApiId" | "IntegrationId">;

export function webSocketIntegrationOperations(needs: ApiGatewayV2Needs) {
  const { isSelectionExpression } = needs;
  return {
    CreateIntegration: {
      authorize: (input, call) => may("POST", call, `/apis/${input.ApiId}/integrations`),
      run: async (input, call) => {
        refuseMembers("CreateIntegration", input, refused);
        const apiId = input.ApiId ?? "";
        const integrationId = needs.ids.random(7, lowerAlphanumeric);
        const integration = toIntegration(integrationId, input, isSelectionExpression);
        await needs.store.transact(async (tx) => {
          await readWebSocketApi(tx, call, apiId);
          const existing = await listChildren(tx, call, apiId, "webSocketIntegration");
          if (existing.length >= limits.integrationsPerApiMax) {
            throw limitExceeded("Integrations", limits.integrationsPerApiMax);
          }
          writeChild(tx, call, apiId, "webSocketIntegration", integrationId, integration);
        });
        return describeIntegration(integration);
      },
    },
    GetIntegration: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/integrations/${input.IntegrationId}`),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describeIntegration(await readIntegration(reader, call, input.ApiId ?? "", input.IntegrationId ?? "")),
        ),
    },
    GetIntegrations: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/integrations`),
      run: async (input, call) => {
        const integrations = await needs.store.read(async (reader) => {
          await readWebSocketApi(reader, call, input.ApiId ?? "");
          return listChildren(reader, call, input.ApiId ?? "", "webSocketIntegration");
        });
        const page = pageOf(integrations, (item) => item.integrationId, input.MaxResults, input.NextToken);
        return { ...page, Items: page.Items.map(describeIntegration) };
      },
    },
    UpdateIntegration: {
      authorize: (input, call) => may("PATCH", call, `/apis/${input.ApiId}/integrations/${input.IntegrationId}`),
      run: async (input, call) => {
        refuseMembers("UpdateIntegration", input, refused);
        const apiId = input.ApiId ?? "";
        const integration = await needs.store.transact(async (tx) => {
          const before = await readIntegration(tx, call, apiId, input.IntegrationId ?? "");
          const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
          const next = toIntegration(before.integrationId, { ...toInput(before), ...given }, isSelectionExpression);
          writeChild(tx, call, apiId, "webSocketIntegration", next.integrationId, next);
          await autoDeploy(needs, tx, call, apiId, call.now);
          return next;
        });
        return describeIntegration(integration);
      },
    },
    DeleteIntegration: {
      authorize: (input, call) => may("DELETE", call, `/apis/${input.ApiId}/integrations/${input.IntegrationId}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        await needs.store.transact(async (tx) => {
          const { integrationId } = await readIntegration(tx, call, apiId, input.IntegrationId ?? "");
          const routes = await listChildren(tx, call, apiId, "webSocketRoute");
          const user = routes.find((route) => route.integrationId === integrationId);
          if (user !== undefined) {
            throw conflict(
              `Cannot delete Integration '${integrationId}' as it is referenced by the route '${user.routeKey}'`,
            );
          }
          for (const response of await listChildren(tx, call, apiId, "integrationResponse")) {
            if (response.integrationId !== integrationId) continue;
            deleteChild(tx, call, apiId, "integrationResponse", response.integrationResponseId);
          }
          deleteChild(tx, call, apiId, "webSocketIntegration", integrationId);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

function toIntegration(
  integrationId: string,
  input: Input,
  isExpression: (text: string) => boolean,
): WebSocketIntegrationRecord {
  const type = input.IntegrationType;
  if (type === undefined) throw badRequest("IntegrationType is required");
  if (type !== "AWS_PROXY" && type !== "MOCK") {
    throw notImplemented(`An integration of type ${type} of a WebSocket API`);
  }
  if (input.ConnectionType !== undefined && input.ConnectionType !== "INTERNET") {
    throw notImplemented(`An integration with ConnectionType ${input.ConnectionType}`);
  }
  if (input.PayloadFormatVersion !== undefined && input.PayloadFormatVersion !== "1.0") {
    throw badRequest("PayloadFormatVersion 2.0 is only supported for HTTP APIs");
  }
  if (
    type === "AWS_PROXY" &&
    input.IntegrationMethod !== undefined &&
    !/^(?:POST|ANY)$/.test(input.IntegrationMethod)
  ) {
    throw badRequest("HttpMethod must be POST for AWS_PROXY IntegrationType");
  }
  const selection = parseTemplateSelection(input.TemplateSelectionExpression, isExpression);
  const templates = parseTemplates(input.RequestTemplates);
  if (type === "AWS_PROXY" && Object.keys(templates).length > 0) {
    throw badRequest("RequestTemplates are not supported for AWS_PROXY integrations");
  }
  return {
    integrationId,
    type,
    ...(type === "AWS_PROXY" ? { uri: parseFunctionUri(input.IntegrationUri) } : {}),
    timeoutMs: parseWebSocketTimeout(input.TimeoutInMillis),
    ...(input.Description === undefined ? {} : { description: input.Description }),
    requestTemplates: templates,
    ...(selection === undefined ? {} : { templateSelectionExpression: selection }),
    passthroughBehavior: parsePassthrough(input.PassthroughBehavior),
  };
}

function toInput(record: WebSocketIntegrationRecord): Input {
  return {
    IntegrationType: record.type,
    IntegrationUri: record.uri,
    TimeoutInMillis: record.timeoutMs,
    Description: record.description,
    RequestTemplates: record.requestTemplates,
    TemplateSelectionExpression: record.templateSelectionExpression,
    PassthroughBehavior: record.passthroughBehavior,
  };
}

function parseFunctionUri(uri: string | undefined): string {
  if (uri === undefined || uri === "") throw badRequest("IntegrationUri should be a valid integration uri");
  if (/^arn:[\w-]+:lambda:/.test(uri) || /^arn:[\w-]+:apigateway:[\w-]*:lambda:path\//.test(uri)) return uri;
  throw badRequest("IntegrationUri should be the invocation URI of a function for AWS_PROXY integrations");
}

function parsePassthrough(behavior: string | undefined): WebSocketIntegrationRecord["passthroughBehavior"] {
  switch (behavior) {
    case undefined:
      return "WHEN_NO_MATCH";
    case "WHEN_NO_MATCH":
    case "WHEN_NO_TEMPLATES":
    case "NEVER":
      return behavior;
    default:
      throw badRequest("PassthroughBehavior must be one of WHEN_NO_MATCH, WHEN_NO_TEMPLATES, NEVER");
  }
}

export async function readIntegration(
  reader: Reader,
  call: Call,
  apiId: string,
  integrationId: string,
): Promise<WebSocketIntegrationRecord> {
  await readWebSocketApi(reader, call, apiId);
  const integration = await findChild(reader, call, apiId, "webSocketIntegration", integrationId);
  if (integration === undefined) throw childNotFound("Integration");
  return integration;
}

/** Source: the documented answers of CreateIntegration for WebSocket APIs. */
function describeIntegration(integration: WebSocketIntegrationRecord) {
  const isProxy = integration.type === "AWS_PROXY";
  return {
    ConnectionType: "INTERNET" as const,
    ...(integration.description === undefined ? {} : { Description: integration.description }),
    IntegrationId: integration.integrationId,
    ...(isProxy ? { IntegrationMethod: "POST", IntegrationUri: integration.uri } : {}),
    IntegrationResponseSelectionExpression: isProxy
      ? "${integration.response.body.errorMessage}"
      : "${integration.response.statuscode}",
    IntegrationType: integration.type,
    PassthroughBehavior: integration.passthroughBehavior,
    PayloadFormatVersion: "1.0",
    ...(Object.keys(integration.requestTemplates).length === 0
      ? {}
      : { RequestTemplates: { ...integration.requestTemplates } }),
    ...(integration.templateSelectionExpression === undefined
      ? {}
      : { TemplateSelectionExpression: integration.templateSelectionExpression }),
    TimeoutInMillis: integration.timeoutMs,
  };
}
