import { checkRouteAuthorizer } from "../authorizer-rules.ts";
import { readApi, type RouteRecord } from "../model.ts";
import { parseAuthorizationType, parseRouteKey, parseTarget, refuseMembers } from "../rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";
import { type RouteProtocol, routeOperationsOf } from "./route-operations.ts";

const refused = [
  "ApiKeyRequired",
  "ModelSelectionExpression",
  "RequestModels",
  "RequestParameters",
  "RouteResponseSelectionExpression",
];

const httpRoutes: RouteProtocol<"route"> = {
  kind: "route",
  integrationKind: "integration",
  readApi,
  create(routeId, input) {
    refuseMembers("CreateRoute", input, refused);
    const integrationId = parseTarget(input.Target);
    return {
      routeId,
      routeKey: parseRouteKey(input.RouteKey ?? ""),
      ...authorizationOf(input, { authorizationType: "NONE" }),
      ...(input.OperationName === undefined ? {} : { operationName: input.OperationName }),
      ...(integrationId === undefined ? {} : { integrationId }),
      managed: false,
    };
  },
  change(before, input) {
    refuseMembers("UpdateRoute", input, refused);
    const integrationId = parseTarget(input.Target);
    const { authorizerId: _authorizer, authorizationScopes: _scopes, ...rest } = before;
    return {
      ...rest,
      routeKey: input.RouteKey === undefined ? before.routeKey : parseRouteKey(input.RouteKey),
      ...authorizationOf(input, before),
      ...(input.OperationName === undefined ? {} : { operationName: input.OperationName }),
      ...(integrationId === undefined ? {} : { integrationId }),
    };
  },
  check: checkRouteAuthorizer,
  describe: (route) => ({
    ...(route.managed ? { ApiGatewayManaged: true } : {}),
    ApiKeyRequired: false,
    ...(route.authorizationScopes === undefined ? {} : { AuthorizationScopes: [...route.authorizationScopes] }),
    AuthorizationType: route.authorizationType,
    ...(route.authorizerId === undefined ? {} : { AuthorizerId: route.authorizerId }),
    ...(route.operationName === undefined ? {} : { OperationName: route.operationName }),
    RouteId: route.routeId,
    RouteKey: route.routeKey,
    ...(route.integrationId === undefined ? {} : { Target: `integrations/${route.integrationId}` }),
  }),
};

export function routeOperations(needs: ApiGatewayV2Needs) {
  return routeOperationsOf(needs, httpRoutes);
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
