import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Call, InputOf, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { findMade, madeBy } from "../../../wire/made.ts";
import { type Child, deleteChild, findChild, listChildren, type Place, writeChild } from "../model.ts";
import { pageOf } from "../rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";

type RouteKind = "route" | "webSocketRoute";

/** What routes of HTTP APIs and of WebSocket APIs do differently. */
export interface RouteProtocol<K extends RouteKind> {
  readonly kind: K;
  readonly integrationKind: K extends "route" ? "integration" : "webSocketIntegration";
  /** Throws NotFoundException, and BadRequestException for an API of the other protocol. */
  readApi(reader: Reader, place: Place, apiId: string): Promise<unknown>;
  create(routeId: string, input: InputOf<typeof sdk, "CreateRoute">): Child<K>;
  change(before: Child<K>, input: InputOf<typeof sdk, "UpdateRoute">): Child<K>;
  /** What the route names must be there. Throws BadRequestException. */
  check(reader: Reader, place: Place, apiId: string, route: Child<K>): Promise<void>;
  describe(route: Child<K>): sdk.Route;
}

export function routeOperationsOf<K extends RouteKind>(needs: ApiGatewayV2Needs, protocol: RouteProtocol<K>) {
  const { kind, describe } = protocol;
  const write = async (tx: Transaction, call: Call, apiId: string, route: Child<K>, isNew: boolean) => {
    const routes = await listChildren(tx, call, apiId, kind);
    if (isNew && routes.length >= limits.routesPerApiMax) throw limitExceeded("Routes", limits.routesPerApiMax);
    if (routes.some((other) => other.routeKey === route.routeKey && other.routeId !== route.routeId)) {
      throw conflict(`Route with key ${route.routeKey} already exists for this API`);
    }
    await protocol.check(tx, call, apiId, route);
    const { integrationId } = route;
    if (
      integrationId !== undefined &&
      (await findChild(tx, call, apiId, protocol.integrationKind, integrationId)) === undefined
    ) {
      throw badRequest(`Invalid Integration identifier specified: ${integrationId}`);
    }
    writeChild(tx, call, apiId, kind, route.routeId, route);
    await autoDeploy(needs, tx, call, apiId, call.now);
  };
  const read = (reader: Reader, call: Call, input: RoutePath) => readRouteOf(protocol, reader, call, input);

  return {
    CreateRoute: {
      authorize: (input, call) => may("POST", call, `/apis/${input.ApiId}/routes`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        const wanted = { ...protocol.create(needs.ids.random(7, lowerAlphanumeric), input), ...madeBy(call) };
        const route = await needs.store.transact(async (tx) => {
          await protocol.readApi(tx, call, apiId);
          const earlier = findMade(await listChildren(tx, call, apiId, kind), call);
          if (earlier !== undefined) return earlier;
          await write(tx, call, apiId, wanted, true);
          return wanted;
        });
        return describe(route);
      },
    },
    GetRoute: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/routes/${input.RouteId}`),
      run: (input, call) => needs.store.read(async (reader) => describe(await read(reader, call, input))),
    },
    GetRoutes: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/routes`),
      run: async (input, call) => {
        const routes = await needs.store.read(async (reader) => {
          await protocol.readApi(reader, call, input.ApiId ?? "");
          return listChildren(reader, call, input.ApiId ?? "", kind);
        });
        const page = pageOf(routes, (route) => route.routeId, input.MaxResults, input.NextToken);
        return { ...page, Items: page.Items.map(describe) };
      },
    },
    UpdateRoute: {
      authorize: (input, call) => may("PATCH", call, `/apis/${input.ApiId}/routes/${input.RouteId}`),
      run: async (input, call) => {
        const route = await needs.store.transact(async (tx) => {
          const next = protocol.change(await read(tx, call, input), input);
          await write(tx, call, input.ApiId ?? "", next, false);
          return next;
        });
        return describe(route);
      },
    },
    DeleteRoute: {
      authorize: (input, call) => may("DELETE", call, `/apis/${input.ApiId}/routes/${input.RouteId}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        await needs.store.transact(async (tx) => {
          const route = await read(tx, call, input);
          deleteChild(tx, call, apiId, kind, route.routeId);
          await autoDeploy(needs, tx, call, apiId, call.now);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

interface RoutePath {
  readonly ApiId?: string | undefined;
  readonly RouteId?: string | undefined;
}

/** Throws NotFoundException. */
export async function readRouteOf<K extends RouteKind>(
  protocol: Pick<RouteProtocol<K>, "kind" | "readApi">,
  reader: Reader,
  place: Place,
  { ApiId = "", RouteId = "" }: RoutePath,
): Promise<Child<K>> {
  await protocol.readApi(reader, place, ApiId);
  const route = await findChild(reader, place, ApiId, protocol.kind, RouteId);
  if (route === undefined) throw childNotFound("Route");
  return route;
}
