import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Reader } from "../../../kernel/store/store.ts";
import type { InputOf, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { badRequest, childNotFound } from "../errors.ts";
import { findChild, listChildren, type Place, writeChild } from "../model.ts";
import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { readRouteOf, type RouteProtocol, routeOperationsOf } from "../operations/route-operations.ts";
import { parseTarget } from "../rules.ts";
import { describeConstraints, parseRouteParameters } from "./parameter-rules.ts";
import { readWebSocketApi } from "./protocol.ts";
import type { WebSocketRouteRecord } from "./records.ts";
import {
  type IsExpression,
  parseApiKeyRequired,
  parseKeySelection,
  parseModelNames,
  parseResponseSelection,
  parseWebSocketAuthorization,
  parseWebSocketRouteKey,
} from "./rules.ts";

export function webSocketRouteOperations(needs: ApiGatewayV2Needs) {
  return {
    ...routeOperationsOf(needs, webSocketRoutes(needs.isSelectionExpression)),
    DeleteRouteRequestParameter: {
      authorize: (input, call) =>
        may(
          "DELETE",
          call,
          `/apis/${input.ApiId}/routes/${input.RouteId}/requestparameters/${input.RequestParameterKey}`,
        ),
      run: async (input, call) => {
        const { ApiId: apiId = "", RouteId: routeId = "", RequestParameterKey: key = "" } = input;
        await needs.store.transact(async (tx) => {
          const { requestParameters = {}, ...route } = await readRoute(tx, call, apiId, routeId);
          if (!Object.hasOwn(requestParameters, key)) throw childNotFound("RequestParameter");
          const { [key]: _gone, ...rest } = requestParameters;
          const kept = Object.keys(rest).length === 0 ? {} : { requestParameters: rest };
          writeChild(tx, call, apiId, "webSocketRoute", routeId, { ...route, ...kept });
          await autoDeploy(needs, tx, call, apiId, call.now);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

export function readRoute(reader: Reader, place: Place, apiId: string, routeId: string): Promise<WebSocketRouteRecord> {
  const routes = { kind: "webSocketRoute", readApi: readWebSocketApi } as const;
  return readRouteOf(routes, reader, place, { ApiId: apiId, RouteId: routeId });
}

function webSocketRoutes(isExpression: IsExpression): RouteProtocol<"webSocketRoute"> {
  return {
    kind: "webSocketRoute",
    integrationKind: "webSocketIntegration",
    readApi: readWebSocketApi,
    create: (routeId, input) => toRoute({ routeId, responses: [] }, input, isExpression),
    change: (before, input) => {
      // What a request gives replaces what there is.
      const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
      const { routeId, responses } = before;
      return toRoute({ routeId, responses }, { ...describeRoute(before), ...given }, isExpression);
    },
    check: async (reader, place, apiId, route) => {
      await checkAuthorizer(reader, place, apiId, route);
      await checkModels(reader, place, apiId, route);
    },
    describe: describeRoute,
  };
}

function toRoute(
  kept: Pick<WebSocketRouteRecord, "routeId" | "responses">,
  input: Omit<InputOf<typeof sdk, "UpdateRoute">, "ApiId" | "RouteId">,
  isExpression: IsExpression,
): WebSocketRouteRecord {
  if ((input.AuthorizationScopes ?? []).length > 0) {
    throw badRequest("AuthorizationScopes are only supported for HTTP protocol APIs");
  }
  const routeKey = parseWebSocketRouteKey(input.RouteKey ?? "");
  const authorizationType = parseWebSocketAuthorization(input.AuthorizationType, routeKey);
  const integrationId = parseTarget(input.Target);
  const selection = parseResponseSelection(input.RouteResponseSelectionExpression);
  const parameters = parseRouteParameters(input.RequestParameters, routeKey);
  const models = parseModelNames(input.RequestModels);
  const name = "ModelSelectionExpression";
  const modelSelection = parseKeySelection(name, input.ModelSelectionExpression, isExpression, "message");
  return {
    ...kept,
    routeKey,
    authorizationType,
    ...(authorizationType === "CUSTOM" && input.AuthorizerId ? { authorizerId: input.AuthorizerId } : {}),
    ...(parseApiKeyRequired(input.ApiKeyRequired, routeKey) ? { apiKeyRequired: true } : {}),
    ...(input.OperationName === undefined ? {} : { operationName: input.OperationName }),
    ...(integrationId === undefined ? {} : { integrationId }),
    ...(parameters === undefined ? {} : { requestParameters: parameters }),
    ...(models === undefined ? {} : { requestModels: models }),
    ...(modelSelection === undefined ? {} : { modelSelectionExpression: modelSelection }),
    ...(selection === undefined ? {} : { routeResponseSelectionExpression: selection }),
  };
}

async function checkAuthorizer(
  reader: Reader,
  place: Place,
  apiId: string,
  route: WebSocketRouteRecord,
): Promise<void> {
  if (route.authorizationType !== "CUSTOM") return;
  if ((await findChild(reader, place, apiId, "authorizer", route.authorizerId ?? "")) !== undefined) return;
  throw badRequest(
    "Invalid authorizer ID specified. Setting the authorization type to CUSTOM requires a valid authorizer.",
  );
}

async function checkModels(
  reader: Reader,
  place: Place,
  apiId: string,
  { requestModels = {} }: WebSocketRouteRecord,
): Promise<void> {
  const names = Object.values(requestModels);
  if (names.length === 0) return;
  const known = new Set((await listChildren(reader, place, apiId, "model")).map(({ name }) => name));
  const missing = names.find((name) => !known.has(name));
  if (missing !== undefined) throw badRequest(`Invalid model name specified: ${missing}`);
}

function describeRoute(route: WebSocketRouteRecord) {
  return {
    ApiKeyRequired: route.apiKeyRequired ?? false,
    AuthorizationType: route.authorizationType,
    ...(route.authorizerId === undefined ? {} : { AuthorizerId: route.authorizerId }),
    ...(route.modelSelectionExpression === undefined
      ? {}
      : { ModelSelectionExpression: route.modelSelectionExpression }),
    ...(route.operationName === undefined ? {} : { OperationName: route.operationName }),
    ...(route.requestModels === undefined ? {} : { RequestModels: { ...route.requestModels } }),
    ...(route.requestParameters === undefined
      ? {}
      : { RequestParameters: describeConstraints(route.requestParameters) }),
    RouteId: route.routeId,
    RouteKey: route.routeKey,
    ...(route.routeResponseSelectionExpression === undefined
      ? {}
      : { RouteResponseSelectionExpression: route.routeResponseSelectionExpression }),
    ...(route.integrationId === undefined ? {} : { Target: `integrations/${route.integrationId}` }),
  };
}
