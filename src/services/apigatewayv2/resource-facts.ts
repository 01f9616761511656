import { resourceTagKeys, type ConditionKeys, type ResourceFacts } from "../../access/further-keys.ts";
import { parseArn } from "../../aws/arn.ts";
import { AwsError } from "../../aws/error.ts";
import type { Reader, Store } from "../../kernel/store/store.ts";
import { findChild, readApi, type Place } from "./model.ts";

/** What there is at a path of HTTP and WebSocket APIs: tags, and the settings that `apigateway:Resource/…` tells of. */
export function apiGatewayV2Facts(store: Store): ResourceFacts {
  return {
    service: "apigateway",
    read: async ({ arn, account, region }) => {
      const [, ...path] = (parseArn(arn)?.resource ?? "").split("/");
      if (path[0] !== "apis") return {};
      try {
        return await store.read((reader) => readFacts(reader, { account, region }, path));
      } catch (error) {
        // What does not exist: the operation says so.
        if (error instanceof AwsError && error.status === 404) return {};
        throw error;
      }
    },
  };
}

async function readFacts(reader: Reader, place: Place, path: readonly string[]): Promise<ConditionKeys> {
  const [, apiId, kind, childId] = path;
  if (apiId === undefined) return {};
  const api = await readApi(reader, place, apiId);
  const ofApi = resourceTagKeys(api.tags);
  if (kind === undefined) {
    return {
      ...ofApi,
      "apigateway:Resource/ApiName": [api.name],
      "apigateway:Resource/DisableExecuteApiEndpoint": [String(api.disableExecuteApiEndpoint)],
      "apigateway:Resource/EndpointType": ["REGIONAL"],
    };
  }
  if (childId === undefined) return ofApi;
  if (kind === "stages") {
    const stage = await findChild(reader, place, apiId, "stage", childId);
    const { destinationArn, format } = stage?.accessLog ?? {};
    return {
      ...ofApi,
      ...resourceTagKeys(stage?.tags ?? {}),
      ...(destinationArn !== undefined && { "apigateway:Resource/AccessLoggingDestination": [destinationArn] }),
      ...(format !== undefined && { "apigateway:Resource/AccessLoggingFormat": [format] }),
    };
  }
  if (kind === "authorizers") {
    const authorizer = await findChild(reader, place, apiId, "authorizer", childId);
    return { ...ofApi, ...(authorizer && { "apigateway:Resource/AuthorizerType": [authorizer.type] }) };
  }
  if (kind === "routes") {
    const http = await findChild(reader, place, apiId, "route", childId);
    const webSocket = http ? undefined : await findChild(reader, place, apiId, "webSocketRoute", childId);
    const found = http ?? webSocket;
    return {
      ...ofApi,
      ...(found && {
        "apigateway:Resource/ApiKeyRequired": [String(webSocket?.apiKeyRequired ?? false)],
        "apigateway:Resource/RouteAuthorizationType": [found.authorizationType],
      }),
    };
  }
  return ofApi;
}
