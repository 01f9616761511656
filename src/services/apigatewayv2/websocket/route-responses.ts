import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Call, InputOf, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { badRequest, childNotFound, conflict } from "../errors.ts";
import { findMade, madeBy } from "../../../wire/made.ts";
import { writeChild } from "../model.ts";
import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { pageOf } from "../rules.ts";
import { describeConstraints, parseRouteResponseParameters } from "./parameter-rules.ts";
import type { RouteResponseRecord, WebSocketRouteRecord } from "./records.ts";
import { readRoute } from "./routes.ts";
import { parseModelNames } from "./rules.ts";

export function routeResponseOperations(needs: ApiGatewayV2Needs) {
  /** Change a route's responses. */
  const change = (
    call: Call,
    apiId: string,
    routeId: string,
    next: (route: WebSocketRouteRecord) => readonly RouteResponseRecord[],
  ) =>
    needs.store.transact(async (tx: Transaction) => {
      const route = await readRoute(tx, call, apiId, routeId);
      writeChild(tx, call, apiId, "webSocketRoute", routeId, { ...route, responses: next(route) });
      await autoDeploy(needs, tx, call, apiId, call.now);
    });

  return {
    CreateRouteResponse: {
      authorize: (input, call) => may("POST", call, pathOf(input)),
      run: async (input, call) => {
        let response = { ...toResponse(needs.ids.random(7, lowerAlphanumeric), input), ...madeBy(call) };
        await change(call, input.ApiId ?? "", input.RouteId ?? "", ({ responses }) => {
          const earlier = findMade(responses, call);
          if (earlier !== undefined) {
            response = earlier;
            return responses;
          }
          if (responses.some(({ routeResponseKey }) => routeResponseKey === response.routeResponseKey)) {
            throw conflict(`Route response with key ${response.routeResponseKey} already exists for this route`);
          }
          return [...responses, response];
        });
        return describe(response);
      },
    },
    GetRouteResponse: {
      authorize: (input, call) => may("GET", call, `${pathOf(input)}/${input.RouteResponseId}`),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const route = await readRoute(reader, call, input.ApiId ?? "", input.RouteId ?? "");
          return describe(find(route, input.RouteResponseId));
        }),
    },
    GetRouteResponses: {
      authorize: (input, call) => may("GET", call, pathOf(input)),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const { responses } = await readRoute(reader, call, input.ApiId ?? "", input.RouteId ?? "");
          const page = pageOf(responses, (each) => each.routeResponseId, input.MaxResults, input.NextToken);
          return { ...page, Items: page.Items.map(describe) };
        }),
    },
    UpdateRouteResponse: {
      authorize: (input, call) => may("PATCH", call, `${pathOf(input)}/${input.RouteResponseId}`),
      run: async (input, call) => {
        const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
        let next: RouteResponseRecord = { routeResponseId: "", routeResponseKey: "" };
        await change(call, input.ApiId ?? "", input.RouteId ?? "", (route) => {
          const before = find(route, input.RouteResponseId);
          next = toResponse(before.routeResponseId, { ...describe(before), ...given });
          return route.responses.map((each) => (each === before ? next : each));
        });
        return describe(next);
      },
    },
    DeleteRouteResponse: {
      authorize: (input, call) => may("DELETE", call, `${pathOf(input)}/${input.RouteResponseId}`),
      run: async (input, call) => {
        await change(call, input.ApiId ?? "", input.RouteId ?? "", (route) => {
          const gone = find(route, input.RouteResponseId);
          return route.responses.filter((each) => each !== gone);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

function toResponse(
  routeResponseId: string,
  input: Omit<InputOf<typeof sdk, "UpdateRouteResponse">, "ApiId" | "RouteId" | "RouteResponseId">,
): RouteResponseRecord {
  if (input.RouteResponseKey !== "$default") throw badRequest("RouteResponseKey must be $default");
  const models = parseModelNames(input.ResponseModels);
  const parameters = parseRouteResponseParameters(input.ResponseParameters);
  return {
    routeResponseId,
    routeResponseKey: input.RouteResponseKey,
    ...(input.ModelSelectionExpression ? { modelSelectionExpression: input.ModelSelectionExpression } : {}),
    ...(models === undefined ? {} : { responseModels: models }),
    ...(parameters === undefined ? {} : { responseParameters: parameters }),
  };
}

function find(route: WebSocketRouteRecord, routeResponseId: string | undefined): RouteResponseRecord {
  const found = route.responses.find((each) => each.routeResponseId === routeResponseId);
  if (found === undefined) throw childNotFound("RouteResponse");
  return found;
}

function describe(response: RouteResponseRecord) {
  const { modelSelectionExpression, responseModels, responseParameters } = response;
  return {
    ...(modelSelectionExpression === undefined ? {} : { ModelSelectionExpression: modelSelectionExpression }),
    ...(responseModels === undefined ? {} : { ResponseModels: { ...responseModels } }),
    ...(responseParameters === undefined ? {} : { ResponseParameters: describeConstraints(responseParameters) }),
    RouteResponseId: response.routeResponseId,
    RouteResponseKey: response.routeResponseKey,
  };
}

function pathOf(input: { readonly ApiId?: string | undefined; readonly RouteId?: string | undefined }): string {
  return `/apis/${input.ApiId}/routes/${input.RouteId}/routeresponses`;
}
