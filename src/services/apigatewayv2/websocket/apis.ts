import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { badRequest } from "../errors.ts";
import { type ApiRecord, writeApi } from "../model.ts";
import { checkRoom, describeApi } from "../operations/apis.ts";
import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { checkTags } from "../operations/tags.ts";
import { readWebSocketApi } from "./protocol.ts";
import { parseApiKeySelectionExpression, parseRouteSelectionExpression } from "./rules.ts";

const httpOnly = new Set(["CorsConfiguration", "CredentialsArn", "RouteKey", "Target"]);

export function webSocketApiOperations(needs: ApiGatewayV2Needs) {
  const { isSelectionExpression } = needs;
  return {
    CreateApi: {
      authorize: (_input, call) => may("POST", call, "/apis"),
      run: async (input, call) => {
        refuseOfHttp(input);
        const api: ApiRecord = {
          version: 1,
          apiId: needs.ids.random(10, lowerAlphanumeric),
          name: input.Name ?? "",
          ...(input.Description === undefined ? {} : { description: input.Description }),
          ...(input.Version === undefined ? {} : { apiVersion: input.Version }),
          createdAt: call.now,
          disableExecuteApiEndpoint: input.DisableExecuteApiEndpoint ?? false,
          ipAddressType: input.IpAddressType ?? "ipv4",
          tags: checkTags(input.Tags ?? {}),
          webSocket: {
            routeSelectionExpression: parseRouteSelectionExpression(
              input.RouteSelectionExpression,
              isSelectionExpression,
            ),
            apiKeySelectionExpression: parseApiKeySelectionExpression(input.ApiKeySelectionExpression),
            ...(input.DisableSchemaValidation === undefined
              ? {}
              : { disableSchemaValidation: input.DisableSchemaValidation }),
          },
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
        const { ApiKeySelectionExpression, DisableSchemaValidation, RouteSelectionExpression } = input;
        const api = await needs.store.transact(async (tx) => {
          const before = await readWebSocketApi(tx, call, input.ApiId ?? "");
          const next: ApiRecord = {
            ...before,
            name: input.Name ?? before.name,
            ...(input.Description === undefined ? {} : { description: input.Description }),
            ...(input.Version === undefined ? {} : { apiVersion: input.Version }),
            disableExecuteApiEndpoint: input.DisableExecuteApiEndpoint ?? before.disableExecuteApiEndpoint,
            ipAddressType: input.IpAddressType ?? before.ipAddressType,
            webSocket: {
              routeSelectionExpression:
                RouteSelectionExpression === undefined
                  ? before.webSocket.routeSelectionExpression
                  : parseRouteSelectionExpression(RouteSelectionExpression, isSelectionExpression),
              apiKeySelectionExpression:
                ApiKeySelectionExpression === undefined
                  ? before.webSocket.apiKeySelectionExpression
                  : parseApiKeySelectionExpression(ApiKeySelectionExpression),
              ...(DisableSchemaValidation === undefined && before.webSocket.disableSchemaValidation === undefined
                ? {}
                : {
                    disableSchemaValidation:
                      DisableSchemaValidation ?? before.webSocket.disableSchemaValidation ?? false,
                  }),
            },
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

function refuseOfHttp(input: object): void {
  for (const [name, value] of Object.entries(input)) {
    if (httpOnly.has(name) && value !== undefined) throw badRequest(`${name} is only supported for HTTP APIs`);
  }
}
