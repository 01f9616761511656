import { resourceTagKeys, type ConditionKeys, type ResourceFacts } from "../../access/further-keys.ts";
import { parseArn } from "../../aws/arn.ts";
import { AwsError } from "../../aws/error.ts";
import type { Reader, Store } from "../../kernel/store/store.ts";
import { findChild, readApi, type Place } from "./model.ts";
import type { AccessLogRecord } from "./stage-logging.ts";
import { readApiKey, readUsagePlan } from "./usage-model.ts";

/**
 * What there is at a path of API Gateway's own interface, of REST APIs, API keys and usage plans: tags (of the API, where what
 * is below it has none of that name), and the settings that `apigateway:Resource/…` tells of.
 */
export function apiGatewayFacts(store: Store): ResourceFacts {
  return {
    service: "apigateway",
    read: async ({ arn, account, region }) => {
      const [, ...path] = (parseArn(arn)?.resource ?? "").split("/");
      const place = { account, region };
      try {
        return await store.read((reader) => readFacts(reader, place, path));
      } catch (error) {
        // What does not exist: the operation says so.
        if (error instanceof AwsError && error.status === 404) return {};
        throw error;
      }
    },
  };
}

async function readFacts(reader: Reader, place: Place, path: readonly string[]): Promise<ConditionKeys> {
  const [collection, id, kind, childId, , method] = path;
  if (id === undefined) return {};
  if (collection === "apikeys") return resourceTagKeys((await readApiKey(reader, place, id)).tags);
  if (collection === "usageplans") return resourceTagKeys((await readUsagePlan(reader, place, id)).tags);
  if (collection !== "restapis") return {};
  const api = await readApi(reader, place, id);
  const ofApi = resourceTagKeys(api.tags);
  if (kind === undefined) {
    return {
      ...ofApi,
      "apigateway:Resource/ApiName": [api.name],
      "apigateway:Resource/DisableExecuteApiEndpoint": [String(api.disableExecuteApiEndpoint)],
      "apigateway:Resource/EndpointType": [api.endpointType],
    };
  }
  if (childId === undefined) return ofApi;
  if (kind === "stages") {
    const stage = await findChild(reader, place, id, "stage", childId);
    return {
      ...ofApi,
      ...resourceTagKeys(stage?.tags ?? {}),
      ...(stage?.accessLog && loggingKeys(stage.accessLog)),
    };
  }
  if (kind === "authorizers") {
    const authorizer = await findChild(reader, place, id, "authorizer", childId);
    return { ...ofApi, ...(authorizer && { "apigateway:Resource/AuthorizerType": [authorizer.type] }) };
  }
  if (kind === "resources" && method !== undefined) {
    const resource = await findChild(reader, place, id, "resource", childId);
    const found = resource?.methods[method];
    return {
      ...ofApi,
      ...(found && {
        "apigateway:Resource/ApiKeyRequired": [String(found.apiKeyRequired ?? false)],
        "apigateway:Resource/RouteAuthorizationType": [found.authorizationType],
      }),
    };
  }
  return ofApi;
}

function loggingKeys({ destinationArn, format }: AccessLogRecord): ConditionKeys {
  return {
    ...(destinationArn !== undefined && { "apigateway:Resource/AccessLoggingDestination": [destinationArn] }),
    ...(format !== undefined && { "apigateway:Resource/AccessLoggingFormat": [format] }),
  };
}
