import type { Reader } from "../../../kernel/store/store.ts";
import { deleteChild, listChildren, type Place } from "../model.ts";
import { integrationOperationsOf, readIntegrationOf } from "../operations/integration-operations.ts";
import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { toIntegration, type WebSocketIntegrationInput } from "./integration-rules.ts";
import { readWebSocketApi } from "./protocol.ts";
import type { WebSocketIntegrationRecord } from "./records.ts";

export function webSocketIntegrationOperations(needs: ApiGatewayV2Needs) {
  const { isSelectionExpression } = needs;
  return integrationOperationsOf(needs, {
    kind: "webSocketIntegration",
    routeKind: "webSocketRoute",
    readApi: readWebSocketApi,
    create: (integrationId, input) => toIntegration(integrationId, input, isSelectionExpression),
    change: (before, input) => {
      // What a request gives replaces what there is.
      const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
      return toIntegration(before.integrationId, { ...toInput(before), ...given }, isSelectionExpression);
    },
    deleted: async (tx, place, apiId, integrationId) => {
      for (const response of await listChildren(tx, place, apiId, "integrationResponse")) {
        if (response.integrationId !== integrationId) continue;
        deleteChild(tx, place, apiId, "integrationResponse", response.integrationResponseId);
      }
    },
    describe,
  });
}

export function readIntegration(
  reader: Reader,
  place: Place,
  apiId: string,
  integrationId: string,
): Promise<WebSocketIntegrationRecord> {
  const integrations = { kind: "webSocketIntegration", readApi: readWebSocketApi } as const;
  return readIntegrationOf(integrations, reader, place, { ApiId: apiId, IntegrationId: integrationId });
}

function toInput(record: WebSocketIntegrationRecord): WebSocketIntegrationInput {
  return {
    IntegrationType: record.type,
    IntegrationUri: record.uri,
    IntegrationMethod: record.method,
    CredentialsArn: record.credentials,
    TimeoutInMillis: record.timeoutMs,
    Description: record.description,
    RequestParameters: record.requestParameters,
    RequestTemplates: record.requestTemplates,
    TemplateSelectionExpression: record.templateSelectionExpression,
    PassthroughBehavior: record.passthroughBehavior,
    ContentHandlingStrategy: record.contentHandling,
  };
}

/** Source: the documented answers of CreateIntegration for WebSocket APIs. */
function describe(integration: WebSocketIntegrationRecord) {
  const { type, requestTemplates, uri = "" } = integration;
  const isFunction = type === "AWS_PROXY" || (type === "AWS" && /:lambda:/.test(uri));
  const method = type === "AWS_PROXY" ? "POST" : integration.method;
  return {
    ConnectionType: "INTERNET" as const,
    ...(integration.contentHandling === undefined ? {} : { ContentHandlingStrategy: integration.contentHandling }),
    ...(integration.credentials === undefined ? {} : { CredentialsArn: integration.credentials }),
    ...(integration.description === undefined ? {} : { Description: integration.description }),
    IntegrationId: integration.integrationId,
    ...(method === undefined ? {} : { IntegrationMethod: method }),
    ...(uri === "" ? {} : { IntegrationUri: uri }),
    IntegrationResponseSelectionExpression: isFunction
      ? "${integration.response.body.errorMessage}"
      : "${integration.response.statuscode}",
    IntegrationType: type,
    PassthroughBehavior: integration.passthroughBehavior,
    PayloadFormatVersion: "1.0",
    ...(integration.requestParameters === undefined ? {} : { RequestParameters: { ...integration.requestParameters } }),
    ...(Object.keys(requestTemplates).length === 0 ? {} : { RequestTemplates: { ...requestTemplates } }),
    ...(integration.templateSelectionExpression === undefined
      ? {}
      : { TemplateSelectionExpression: integration.templateSelectionExpression }),
    TimeoutInMillis: integration.timeoutMs,
  };
}
