import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { checkRouteAuthorizer } from "../authorizer-rules.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { deleteChild, findChild, listChildren, readApi, type RouteRecord, writeChild } from "../model.ts";
import { pageOf, parseAuthorizationType, parseRouteKey, parseTarget, refuseMembers } from "../rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";

const refused = [
  "ApiKeyRequired",
  "ModelSelectionExpression",
  "RequestModels",
  "RequestParameters",
  "RouteResponseSelectionExpression",
];

export function routeOperations(needs: ApiGatewayV2Needs) {
  return {
    CreateRoute: {
      authorize: (input, call) => may("POST", call, `/apis/${input.ApiId}/routes`),
      run: async (input, call) => {
        refuseMembers("CreateRoute", input, refused);
        const apiId = input.ApiId ?? "";
        const integrationId = parseTarget(input.Target);
        const route: RouteRecord = {
          routeId: needs.ids.random(7, lowerAlphanumeric),
          routeKey: parseRouteKey(input.RouteKey ?? ""),
          ...authorizationOf(input, { authorizationType: "NONE" }),
          ...(input.OperationName === undefined ? {} : { operationName: input.OperationName }),
          ...(integrationId === undefined ? {} : { integrationId }),
          managed: false,
        };
        await needs.store.transact(async (tx) => {
          await readApi(tx, call, apiId);
          await checkRoute(tx, call, apiId, route, true);
          writeChild(tx, call, apiId, "route", route.routeId, route);
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
          await readApi(reader, call, input.ApiId ?? "");
          return listChildren(reader, call, input.ApiId ?? "", "route");
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
        const route = await needs.store.transact(async (tx) => {
          const before = await readRoute(tx, call, apiId, input.RouteId ?? "");
          const { authorizerId: _authorizer, authorizationScopes: _scopes, ...rest } = before;
          const next: RouteRecord = {
            ...rest,
            routeKey: input.RouteKey === undefined ? before.routeKey : parseRouteKey(input.RouteKey),
            ...authorizationOf(input, before),
            ...(input.OperationName === undefined ? {} : { operationName: input.OperationName }),
            ...(integrationId === undefined ? {} : { integrationId }),
          };
          await checkRoute(tx, call, apiId, next, false);
          writeChild(tx, call, apiId, "route", next.routeId, next);
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
          deleteChild(tx, call, apiId, "route", route.routeId);
          await autoDeploy(needs, tx, call, apiId, call.now);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

async function readRoute(reader: Reader, call: Call, apiId: string, routeId: string): Promise<RouteRecord> {
  await readApi(reader, call, apiId);
  const route = await findChild(reader, call, apiId, "route", routeId);
  if (route === undefined) throw childNotFound("Route");
  return route;
}

async function checkRoute(
  tx: Transaction,
  call: Call,
  apiId: string,
  route: RouteRecord,
  isNew: boolean,
): Promise<void> {
  const routes = await listChildren(tx, call, apiId, "route");
  if (isNew && routes.length >= limits.routesPerApiMax) throw limitExceeded("Routes", limits.routesPerApiMax);
  if (routes.some((other) => other.routeKey === route.routeKey && other.routeId !== route.routeId)) {
    throw conflict(`Route with key ${route.routeKey} already exists for this API`);
  }
  await checkRouteAuthorizer(tx, call, apiId, route);
  if (route.integrationId === undefined) return;
  if ((await findChild(tx, call, apiId, "integration", route.integrationId)) === undefined) {
    throw badRequest(`Invalid Integration identifier specified: ${route.integrationId}`);
  }
}

type Authorization = Pick<RouteRecord, "authorizationType" | "authorizerId" | "authorizationScopes">;

/** Who may call: what the request says of it over what there was, as far as it still means something. */
function authorizationOf(
  input: {
    readonly AuthorizationType?: string | undefined;
    readonly AuthorizerId?: string | undefined;
    readonly AuthorizationScopes?: readonly string[] | undefined;
  },
  before: Authorization,
): Authorization {
  const authorizationType =
    input.AuthorizationType === undefined ? before.authorizationType : parseAuthorizationType(input.AuthorizationType);
  const isAuthorized = authorizationType === "CUSTOM" || authorizationType === "JWT";
  const authorizerId = input.AuthorizerId ?? (isAuthorized ? before.authorizerId : undefined);
  const scopes = input.AuthorizationScopes ?? (authorizationType === "JWT" ? before.authorizationScopes : undefined);
  return {
    authorizationType,
    ...(authorizerId && isAuthorized ? { authorizerId } : {}),
    ...(scopes === undefined || scopes.length === 0 ? {} : { authorizationScopes: scopes }),
  };
}

function describeRoute(route: RouteRecord) {
  return {
    ...(route.managed ? { ApiGatewayManaged: true } : {}),
    ApiKeyRequired: false,
    ...(route.authorizationScopes === undefined ? {} : { AuthorizationScopes: [...route.authorizationScopes] }),
    AuthorizationType: route.authorizationType,
    ...(route.authorizerId === undefined ? {} : { AuthorizerId: route.authorizerId }),
    ...(route.operationName === undefined ? {} : { OperationName: route.operationName }),
    RouteId: route.routeId,
    RouteKey: route.routeKey,
    ...(route.integrationId === undefined ? {} : { Target: `integrations/${route.integrationId}` }),
  };
}
