import type { Transaction } from "../../../kernel/store/store.ts";
import type { PublishedWebSocketIntegration, PublishedWebSocketRoute } from "../../execute-api/port.ts";
import { publishedLambdaAuthorizer } from "../authorizer-record.ts";
import { type ApiSnapshot, type ChildKind, deleteChild, listChildren, type Place } from "../model.ts";
import type {
  IntegrationResponseRecord,
  WebSocketIntegrationRecord,
  WebSocketRouteRecord,
  WebSocketSettings,
} from "./records.ts";

/** A WebSocket API as it is now. Routes without an integration are left out, but for `$connect`: it decides who is let in. */
export async function webSocketSnapshot(
  tx: Transaction,
  place: Place,
  apiId: string,
  settings: WebSocketSettings,
): Promise<NonNullable<ApiSnapshot["webSocket"]>> {
  const routes = await listChildren(tx, place, apiId, "webSocketRoute");
  const integrations = await listChildren(tx, place, apiId, "webSocketIntegration");
  const responses = await listChildren(tx, place, apiId, "integrationResponse");
  const authorizers = await listChildren(tx, place, apiId, "authorizer");
  const models = await listChildren(tx, place, apiId, "model");
  const byId = new Map(integrations.map((integration) => [integration.integrationId, integration]));
  const lambdaAuthorizers = authorizers.flatMap((each) =>
    each.type === "REQUEST" ? [publishedLambdaAuthorizer(each)] : [],
  );
  const fromAuthorizer = settings.apiKeySelectionExpression === "$context.authorizer.usageIdentifierKey";
  return {
    routeSelectionExpression: settings.routeSelectionExpression,
    ...(fromAuthorizer ? { apiKeySource: "AUTHORIZER" } : {}),
    routes: routes.flatMap((route) => {
      const integration = byId.get(route.integrationId ?? "");
      if (integration === undefined) return route.routeKey === "$connect" ? [toPublished(route)] : [];
      const own = responses.filter(({ integrationId }) => integrationId === integration.integrationId);
      return [{ ...toPublished(route), integration: toIntegration(integration, own) }];
    }),
    ...(lambdaAuthorizers.length === 0 ? {} : { authorizers: lambdaAuthorizers }),
    ...(models.length === 0 ? {} : { models: Object.fromEntries(models.map(({ name, schema }) => [name, schema])) }),
  };
}

function toPublished(route: WebSocketRouteRecord): PublishedWebSocketRoute {
  const { authorizerId, modelSelectionExpression, operationName, requestModels, requestParameters = {} } = route;
  const required = Object.entries(requestParameters).flatMap(([name, each]) => (each.required ? [name] : []));
  return {
    routeKey: route.routeKey,
    ...(operationName === undefined ? {} : { operationName }),
    authorizationType: route.authorizationType,
    ...(authorizerId === undefined ? {} : { authorizerId }),
    ...(route.apiKeyRequired === true ? { apiKeyRequired: true } : {}),
    ...(required.length === 0 ? {} : { requiredParameters: required }),
    ...(requestModels === undefined ? {} : { requestModels }),
    ...(modelSelectionExpression === undefined ? {} : { modelSelectionExpression }),
    // AWS: two-way communication needs the expression and the response.
    responds: route.routeResponseSelectionExpression === "$default" && route.responses.length > 0,
  };
}

function toIntegration(
  integration: WebSocketIntegrationRecord,
  responses: readonly IntegrationResponseRecord[],
): PublishedWebSocketIntegration {
  const { contentHandling, credentials, method = "POST", timeoutMs, type, uri = "" } = integration;
  if (type === "AWS_PROXY") {
    const asCaller = credentials !== undefined && /^arn:[\w-]+:iam::\*:user\/\*$/.test(credentials);
    return {
      type,
      uri,
      timeoutMs,
      ...(asCaller ? { asCaller } : credentials === undefined ? {} : { credentials }),
    };
  }
  const { passthroughBehavior, requestTemplates, templateSelectionExpression } = integration;
  const mapping = {
    timeoutMs,
    requestTemplates,
    passthroughBehavior,
    ...(templateSelectionExpression === undefined ? {} : { templateSelectionExpression }),
    responses: responses.map(toResponse),
  };
  if (type === "MOCK") return { type, ...mapping };
  return {
    type,
    uri,
    httpMethod: method,
    ...(credentials === undefined ? {} : { credentials }),
    requestParameters: integration.requestParameters ?? {},
    ...(contentHandling === undefined ? {} : { contentHandling }),
    ...mapping,
  };
}

function toResponse(response: IntegrationResponseRecord) {
  const { contentHandling, responseParameters, templateSelectionExpression } = response;
  return {
    key: response.integrationResponseKey,
    templates: response.responseTemplates,
    ...(templateSelectionExpression === undefined ? {} : { templateSelectionExpression }),
    ...(responseParameters === undefined ? {} : { parameters: responseParameters }),
    ...(contentHandling === undefined ? {} : { contentHandling }),
  };
}

/** Remove what is a WebSocket API's own. */
export async function deleteWebSocketChildren(tx: Transaction, place: Place, apiId: string): Promise<void> {
  const remove = (kind: ChildKind, ids: readonly string[]) => {
    for (const id of ids) deleteChild(tx, place, apiId, kind, id);
  };
  const routes = await listChildren(tx, place, apiId, "webSocketRoute");
  const integrations = await listChildren(tx, place, apiId, "webSocketIntegration");
  const responses = await listChildren(tx, place, apiId, "integrationResponse");
  const models = await listChildren(tx, place, apiId, "model");
  remove(
    "webSocketRoute",
    routes.map(({ routeId }) => routeId),
  );
  remove(
    "webSocketIntegration",
    integrations.map(({ integrationId }) => integrationId),
  );
  remove(
    "integrationResponse",
    responses.map(({ integrationResponseId }) => integrationResponseId),
  );
  remove(
    "model",
    models.map(({ modelId }) => modelId),
  );
}
