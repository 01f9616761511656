import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Call, InputOf } from "../../wire/service.ts";
import type { PublishedCors } from "../execute-api/port.ts";
import type { ApiRecord } from "./model.ts";
import { checkTags } from "./operations/tags.ts";
import { apiEndpoint, routeSelectionExpression, wholeSecond } from "./rules.ts";

type ApiInput = Omit<InputOf<typeof sdk, "UpdateApi">, "ApiId">;

/** What APIs of every protocol are made with. */
export function newApi(
  apiId: string,
  input: ApiInput & Pick<InputOf<typeof sdk, "CreateApi">, "Tags">,
  now: number,
): ApiRecord {
  return {
    version: 1,
    apiId,
    name: input.Name ?? "",
    ...(input.Description === undefined ? {} : { description: input.Description }),
    ...(input.Version === undefined ? {} : { apiVersion: input.Version }),
    createdAt: now,
    disableExecuteApiEndpoint: input.DisableExecuteApiEndpoint ?? false,
    ipAddressType: input.IpAddressType ?? "ipv4",
    tags: checkTags(input.Tags ?? {}),
  };
}

/** What of APIs of every protocol can be changed. */
export function changedApi(before: ApiRecord, input: ApiInput): ApiRecord {
  return {
    ...before,
    name: input.Name ?? before.name,
    ...(input.Description === undefined ? {} : { description: input.Description }),
    ...(input.Version === undefined ? {} : { apiVersion: input.Version }),
    disableExecuteApiEndpoint: input.DisableExecuteApiEndpoint ?? before.disableExecuteApiEndpoint,
    ipAddressType: input.IpAddressType ?? before.ipAddressType,
  };
}

/** An API as AWS tells it. */
export function describeApi(api: ApiRecord, call: Call) {
  return {
    ApiEndpoint:
      api.webSocket === undefined
        ? apiEndpoint(call.endpoint, api.apiId, call.region)
        : apiEndpoint(call.endpoint, api.apiId, call.region).replace(/^http/, "ws"),
    ApiId: api.apiId,
    ApiKeySelectionExpression: api.webSocket?.apiKeySelectionExpression ?? "$request.header.x-api-key",
    ...(api.cors === undefined ? {} : { CorsConfiguration: describeCors(api.cors) }),
    CreatedDate: wholeSecond(api.createdAt),
    ...(api.description === undefined ? {} : { Description: api.description }),
    DisableExecuteApiEndpoint: api.disableExecuteApiEndpoint,
    IpAddressType: api.ipAddressType,
    Name: api.name,
    ...(api.webSocket?.disableSchemaValidation === undefined
      ? {}
      : { DisableSchemaValidation: api.webSocket.disableSchemaValidation }),
    ProtocolType: api.webSocket === undefined ? ("HTTP" as const) : ("WEBSOCKET" as const),
    RouteSelectionExpression: api.webSocket?.routeSelectionExpression ?? routeSelectionExpression,
    Tags: { ...api.tags },
    ...(api.apiVersion === undefined ? {} : { Version: api.apiVersion }),
  };
}

function describeCors(cors: PublishedCors) {
  return {
    ...(cors.allowCredentials === undefined ? {} : { AllowCredentials: cors.allowCredentials }),
    ...(cors.allowHeaders === undefined ? {} : { AllowHeaders: [...cors.allowHeaders] }),
    ...(cors.allowMethods === undefined ? {} : { AllowMethods: [...cors.allowMethods] }),
    ...(cors.allowOrigins === undefined ? {} : { AllowOrigins: [...cors.allowOrigins] }),
    ...(cors.exposeHeaders === undefined ? {} : { ExposeHeaders: [...cors.exposeHeaders] }),
    ...(cors.maxAgeSeconds === undefined ? {} : { MaxAge: cors.maxAgeSeconds }),
  };
}
