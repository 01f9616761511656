import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { InputOf, OperationsOf } from "../../../wire/service.ts";
import { changedApi, describeApi, newApi } from "../api-record.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { badRequest } from "../errors.ts";
import { type ApiRecord, writeApi } from "../model.ts";
import { checkRoom } from "../operations/apis.ts";
import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { readWebSocketApi } from "./protocol.ts";
import type { WebSocketSettings } from "./records.ts";
import { type IsExpression, parseApiKeySelectionExpression, parseRouteSelectionExpression } from "./rules.ts";

const httpOnly = new Set(["CorsConfiguration", "CredentialsArn", "RouteKey", "Target"]);

export function webSocketApiOperations(needs: ApiGatewayV2Needs) {
  return {
    CreateApi: {
      authorize: (_input, call) => may("POST", call, "/apis"),
      run: async (input, call) => {
        refuseOfHttp(input);
        const api: ApiRecord = {
          ...newApi(needs.ids.random(10, lowerAlphanumeric), input, call.now),
          webSocket: toSettings(input, needs.isSelectionExpression),
        };
        await needs.store.transact(async (tx) => {
          await checkRoom(tx, call);
          writeApi(tx, call, api);
        });
        return describeApi(api, call);
      },
    },
    UpdateApi: {
      authorize: (input, call) => may("PATCH", call, `/apis/${input.ApiId}`),
      run: async (input, call) => {
        refuseOfHttp(input);
        const api = await needs.store.transact(async (tx) => {
          const before = await readWebSocketApi(tx, call, input.ApiId ?? "");
          const { apiKeySelectionExpression, disableSchemaValidation, routeSelectionExpression } = before.webSocket;
          const settings = {
            RouteSelectionExpression: input.RouteSelectionExpression ?? routeSelectionExpression,
            ApiKeySelectionExpression: input.ApiKeySelectionExpression ?? apiKeySelectionExpression,
            DisableSchemaValidation: input.DisableSchemaValidation ?? disableSchemaValidation,
          };
          const next: ApiRecord = {
            ...changedApi(before, input),
            webSocket: toSettings(settings, needs.isSelectionExpression),
          };
          writeApi(tx, call, next);
          await autoDeploy(needs, tx, call, next.apiId, call.now);
          return next;
        });
        return describeApi(api, call);
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

function toSettings(
  input: Pick<
    InputOf<typeof sdk, "UpdateApi">,
    "ApiKeySelectionExpression" | "DisableSchemaValidation" | "RouteSelectionExpression"
  >,
  isExpression: IsExpression,
): WebSocketSettings {
  return {
    routeSelectionExpression: parseRouteSelectionExpression(input.RouteSelectionExpression, isExpression),
    apiKeySelectionExpression: parseApiKeySelectionExpression(input.ApiKeySelectionExpression),
    ...(input.DisableSchemaValidation === undefined ? {} : { disableSchemaValidation: input.DisableSchemaValidation }),
  };
}

function refuseOfHttp(input: object): void {
  for (const [name, value] of Object.entries(input)) {
    if (httpOnly.has(name) && value !== undefined) throw badRequest(`${name} is only supported for HTTP APIs`);
  }
}
