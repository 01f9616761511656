import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { deleteChild, findChild, listChildren, writeChild } from "../model.ts";
import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { pageOf, parseTarget, refuseMembers } from "../rules.ts";
import { readWebSocketApi } from "./protocol.ts";
import type { WebSocketRouteRecord } from "./records.ts";
import { parseResponseSelection, parseWebSocketAuthorization, parseWebSocketRouteKey } from "./rules.ts";

const refused = [
  "ApiKeyRequired",
  "AuthorizationScopes",
  "AuthorizerId",
  "ModelSelectionExpression",
  "RequestModels",
  "RequestParameters",
];

export function webSocketRouteOperations(needs: ApiGatewayV2Needs) {
  return {
    CreateRoute: {
      authorize: (input, call) => may("POST", call, `/apis/${input.ApiId}/routes`),
      run: async (input, call) => {
        refuseMembers("CreateRoute", input, refused);
        const apiId = input.ApiId ?? "";
        const routeKey = parseWebSocketRouteKey(input.RouteKey ?? "");
        const integrationId = parseTarget(input.Target);
        const selection = parseResponseSelection(input.RouteResponseSelectionExpression);
        const route: WebSocketRouteRecord = {
          routeId: needs.ids.random(7, lowerAlphanumeric),
          routeKey,
          authorizationType: parseWebSocketAuthorization(input.AuthorizationType, routeKey),
          ...(input.OperationName === undefined ? {} : { operationName: input.OperationName }),
          ...(integrationId === undefined ? {} : { integrationId }),
          ...(selection === undefined ? {} : { routeResponseSelectionExpression: selection }),
          responses: [],
        };
        await needs.store.transact(async (tx) => {
          await readWebSocketApi(tx, call, apiId);
          await checkRoute(tx, call, apiId, route, true);
          writeChild(tx, call, apiId, "webSocketRoute", route.routeId, route);
          await autoDeploy(needs, tx, call, apiId, call.now);
        });
        return describeRoute(route);
      },
    },
    GetRoute: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/routes/${input.RouteId}`),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describeRoute(await readRoute(reader, call, input.ApiId ?? "", input.RouteId ?? "")),
        ),
    },
    GetRoutes: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/routes`),
      run: async (input, call) => {
        const routes = await needs.store.read(async (reader) => {
          await readWebSocketApi(reader, call, input.ApiId ?? "");
          return listChildren(reader, call, input.ApiId ?? "", "webSocketRoute");
        });
        const page = pageOf(routes, (route) => route.routeId, input.MaxResults, input.NextToken);
        return { ...page, Items: page.Items.map(describeRoute) };
      },
    },
    UpdateRoute: {
      authorize: (input, call) => may("PATCH", call, `/apis/${input.ApiId}/routes/${input.RouteId}`),
      run: async (input, call) => {
        refuseMembers("UpdateRoute", input, refused);
        const apiId = input.ApiId ?? "";
        const integrationId = parseTarget(input.Target);
        const selection = parseResponseSelection(input.RouteResponseSelectionExpression);
        const route = await needs.store.transact(async (tx) => {
          const before = await readRoute(tx, call, apiId, input.RouteId ?? "");
          const routeKey = input.RouteKey === undefined ? before.routeKey : parseWebSocketRouteKey(input.RouteKey);
          const type = input.AuthorizationType ?? before.authorizationType;
          const next: WebSocketRouteRecord = {
            ...before,
            routeKey,
            authorizationType: parseWebSocketAuthorization(type, routeKey),
            ...(input.OperationName === undefined ? {} : { operationName: input.OperationName }),
            ...(integrationId === undefined ? {} : { integrationId }),
            ...(selection === undefined ? {} : { routeResponseSelectionExpression: selection }),
          };
          await checkRoute(tx, call, apiId, next, false);
          writeChild(tx, call, apiId, "webSocketRoute", next.routeId, next);
          await autoDeploy(needs, tx, call, apiId, call.now);
          return next;
        });
        return describeRoute(route);
      },
    },
    DeleteRoute: {
      authorize: (input, call) => may("DELETE", call, `/apis/${input.ApiId}/routes/${input.RouteId}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        await needs.store.transact(async (tx) => {
          const route = await readRoute(tx, call, apiId, input.RouteId ?? "");
          deleteChild(tx, call, apiId, "webSocketRoute", route.routeId);
          await autoDeploy(needs, tx, call, apiId, call.now);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

export async function readRoute(
  reader: Reader,
  call: Call,
  apiId: string,
  routeId: string,
): Promise<WebSocketRouteRecord> {
  await readWebSocketApi(reader, call, apiId);
  const route = await findChild(reader, call, apiId, "webSocketRoute", routeId);
  if (route === undefined) throw childNotFound("Route");
  return route;
}

async function checkRoute(
  tx: Transaction,
  call: Call,
  apiId: string,
  route: WebSocketRouteRecord,
  isNew: boolean,
): Promise<void> {
  const routes = await listChildren(tx, call, apiId, "webSocketRoute");
  if (isNew && routes.length >= limits.routesPerApiMax) throw limitExceeded("Routes", limits.routesPerApiMax);
  if (routes.some((other) => other.routeKey === route.routeKey && other.routeId !== route.routeId)) {
    throw conflict(`Route with key ${route.routeKey} already exists for this API`);
  }
  if (route.integrationId === undefined) return;
  if ((await findChild(tx, call, apiId, "webSocketIntegration", route.integrationId)) === undefined) {
    throw badRequest(`Invalid Integration identifier specified: ${route.integrationId}`);
  }
}

function describeRoute(route: WebSocketRouteRecord) {
  return {
    ApiKeyRequired: false,
    AuthorizationType: route.authorizationType,
    ...(route.operationName === undefined ? {} : { OperationName: route.operationName }),
    RouteId: route.routeId,
    RouteKey: route.routeKey,
    ...(route.routeResponseSelectionExpression === undefined
      ? {}
      : { RouteResponseSelectionExpression: route.routeResponseSelectionExpression }),
    ...(route.integrationId === undefined ? {} : { Target: `integrations/${route.integrationId}` }),
  };
}
