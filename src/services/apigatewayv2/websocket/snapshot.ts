import type { Transaction } from "../../../kernel/store/store.ts";
import type { PublishedWebSocketIntegration, PublishedWebSocketRoute } from "../../execute-api/port.ts";
import { deleteChild, listChildren, type Place } from "../model.ts";
import type { IntegrationResponseRecord, WebSocketIntegrationRecord, WebSocketRouteRecord } from "./records.ts";

/** The routes of a WebSocket API as they are now, with their integrations; those without one are left out. */
export async function webSocketRoutes(
  tx: Transaction,
  place: Place,
  apiId: string,
): Promise<readonly PublishedWebSocketRoute[]> {
  const routes = await listChildren(tx, place, apiId, "webSocketRoute");
  const integrations = await listChildren(tx, place, apiId, "webSocketIntegration");
  const responses = await listChildren(tx, place, apiId, "integrationResponse");
  const byId = new Map(integrations.map((integration) => [integration.integrationId, integration]));
  return routes.flatMap((route) => {
    const integration = byId.get(route.integrationId ?? "");
    if (integration === undefined) return [];
    const own = responses.filter(({ integrationId }) => integrationId === integration.integrationId);
    return [toPublished(route, integration, own)];
  });
}

function toPublished(
  route: WebSocketRouteRecord,
  integration: WebSocketIntegrationRecord,
  responses: readonly IntegrationResponseRecord[],
): PublishedWebSocketRoute {
  return {
    routeKey: route.routeKey,
    ...(route.operationName === undefined ? {} : { operationName: route.operationName }),
    authorizationType: route.authorizationType,
    // AWS: two-way communication needs the expression and the response.
    responds: route.routeResponseSelectionExpression === "$default" && route.responses.length > 0,
    integration: toIntegration(integration, responses),
  };
}

function toIntegration(
  integration: WebSocketIntegrationRecord,
  responses: readonly IntegrationResponseRecord[],
): PublishedWebSocketIntegration {
  const { timeoutMs, type, uri = "" } = integration;
  if (type === "AWS_PROXY") return { type, uri, timeoutMs };
  const { passthroughBehavior, requestTemplates, templateSelectionExpression } = integration;
  return {
    type,
    timeoutMs,
    requestTemplates,
    passthroughBehavior,
    ...(templateSelectionExpression === undefined ? {} : { templateSelectionExpression }),
    responses: responses.map((response) => ({
      key: response.integrationResponseKey,
      templates: response.responseTemplates,
      ...(response.templateSelectionExpression === undefined
        ? {}
        : { templateSelectionExpression: response.templateSelectionExpression }),
    })),
  };
}

/** Remove what is a WebSocket API's own. */
export async function deleteWebSocketChildren(tx: Transaction, place: Place, apiId: string): Promise<void> {
  for (const { routeId } of await listChildren(tx, place, apiId, "webSocketRoute")) {
    deleteChild(tx, place, apiId, "webSocketRoute", routeId);
  }
  for (const { integrationId } of await listChildren(tx, place, apiId, "webSocketIntegration")) {
    deleteChild(tx, place, apiId, "webSocketIntegration", integrationId);
  }
  for (const { modelId } of await listChildren(tx, place, apiId, "model")) {
    deleteChild(tx, place, apiId, "model", modelId);
  }
  for (const { integrationResponseId } of await listChildren(tx, place, apiId, "integrationResponse")) {
    deleteChild(tx, place, apiId, "integrationResponse", integrationResponseId);
  }
}
