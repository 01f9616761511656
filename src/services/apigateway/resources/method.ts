import type * as sdk from "@aws-sdk/client-api-gateway";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { flagOf, numberOf, objectOf, objectsOf, oneOf, stringsOf, textOf, textsOf, unlessGone } from "./properties.ts";

export const methodType: ResourceType = {
  type: "AWS::ApiGateway::Method",
  properties: [
    "ApiKeyRequired",
    "AuthorizationScopes",
    "AuthorizationType",
    "AuthorizerId",
    "HttpMethod",
    "Integration.CacheKeyParameters[]",
    "Integration.CacheNamespace",
    "Integration.ConnectionType",
    "Integration.ContentHandling",
    "Integration.Credentials",
    "Integration.IntegrationHttpMethod",
    "Integration.IntegrationResponses[].ContentHandling",
    "Integration.IntegrationResponses[].ResponseParameters.*",
    "Integration.IntegrationResponses[].ResponseTemplates.*",
    "Integration.IntegrationResponses[].SelectionPattern",
    "Integration.IntegrationResponses[].StatusCode",
    "Integration.PassthroughBehavior",
    "Integration.RequestParameters.*",
    "Integration.RequestTemplates.*",
    "Integration.ResponseTransferMode",
    "Integration.TimeoutInMillis",
    "Integration.Type",
    "Integration.Uri",
    "MethodResponses[].ResponseModels.*",
    "MethodResponses[].ResponseParameters.*",
    "MethodResponses[].StatusCode",
    "OperationName",
    "RequestModels.*",
    "RequestParameters.*",
    "RequestValidatorId",
    "ResourceId",
    "RestApiId",
  ],
  attributes: [],
  create: async (context) => {
    // One that a crash has left in part is put anew.
    const client = context.client<typeof sdk>("apigateway");
    if (context.resumed === true) await unlessGone(client.DeleteMethod(addressOf(context.properties)));
    await putMethod(context);
    const { restApiId, resourceId, httpMethod } = addressOf(context.properties);
    return { physicalId: `${restApiId}|${resourceId}|${httpMethod}`, attributes: {} };
  },
  update: async (context) => {
    const client = context.client<typeof sdk>("apigateway");
    // A method has parts that can only be put once: it is put anew. Deployed stages do not notice.
    await unlessGone(client.DeleteMethod(addressOf(context.previous)));
    await putMethod(context);
    return context.state;
  },
  delete: async ({ client, properties }) => {
    await unlessGone(client<typeof sdk>("apigateway").DeleteMethod(addressOf(properties)));
  },
};

async function putMethod({ client: clientOf, properties }: ResourceContext): Promise<void> {
  const client = clientOf<typeof sdk>("apigateway");
  const address = addressOf(properties);
  await client.PutMethod({
    ...address,
    apiKeyRequired: flagOf(properties, "ApiKeyRequired"),
    authorizationType: textOf(properties, "AuthorizationType") ?? "NONE",
    authorizationScopes: stringsOf(properties, "AuthorizationScopes"),
    authorizerId: textOf(properties, "AuthorizerId"),
    operationName: textOf(properties, "OperationName"),
    requestParameters: flagsOf(objectOf(properties, "RequestParameters")),
    requestModels: mapOf(properties, "RequestModels"),
    requestValidatorId: textOf(properties, "RequestValidatorId"),
  });
  try {
    for (const response of objectsOf(properties, "MethodResponses")) {
      await client.PutMethodResponse({
        ...address,
        statusCode: textOf(response, "StatusCode"),
        responseParameters: flagsOf(objectOf(response, "ResponseParameters")),
        responseModels: mapOf(response, "ResponseModels"),
      });
    }
    const integration = objectOf(properties, "Integration");
    if (integration === undefined) return;
    await client.PutIntegration({ ...address, ...integrationOf(integration) });
    for (const response of objectsOf(integration, "IntegrationResponses")) {
      await client.PutIntegrationResponse({
        ...address,
        statusCode: textOf(response, "StatusCode"),
        selectionPattern: textOf(response, "SelectionPattern"),
        responseParameters: textsOf(response, "ResponseParameters"),
        responseTemplates: textsOf(response, "ResponseTemplates"),
        contentHandling: oneOf(handlings, response, "ContentHandling"),
      });
    }
  } catch (error) {
    await unlessGone(client.DeleteMethod(address));
    throw error;
  }
}

const handlings = ["CONVERT_TO_TEXT", "CONVERT_TO_BINARY"] as const;
const types = ["HTTP", "AWS", "MOCK", "HTTP_PROXY", "AWS_PROXY"] as const;

function integrationOf(integration: Properties) {
  const templates = textsOf(integration, "RequestTemplates");
  const parameters = textsOf(integration, "RequestParameters");
  return {
    cacheKeyParameters: stringsOf(integration, "CacheKeyParameters"),
    cacheNamespace: textOf(integration, "CacheNamespace"),
    type: oneOf(types, integration, "Type"),
    connectionType: oneOf(["INTERNET", "VPC_LINK"] as const, integration, "ConnectionType"),
    contentHandling: oneOf(handlings, integration, "ContentHandling"),
    credentials: textOf(integration, "Credentials"),
    integrationHttpMethod: textOf(integration, "IntegrationHttpMethod"),
    passthroughBehavior: textOf(integration, "PassthroughBehavior"),
    ...(Object.keys(parameters).length === 0 ? {} : { requestParameters: parameters }),
    ...(Object.keys(templates).length === 0 ? {} : { requestTemplates: templates }),
    responseTransferMode: oneOf(["BUFFERED", "STREAM"] as const, integration, "ResponseTransferMode"),
    timeoutInMillis: numberOf(integration, "TimeoutInMillis"),
    uri: textOf(integration, "Uri"),
  };
}

function addressOf(properties: Properties) {
  return {
    restApiId: textOf(properties, "RestApiId"),
    resourceId: textOf(properties, "ResourceId"),
    httpMethod: textOf(properties, "HttpMethod"),
  };
}

function mapOf(properties: Properties, name: string): Record<string, string> | undefined {
  return properties[name] === undefined ? undefined : textsOf(properties, name);
}

function flagsOf(parameters: Properties | undefined): Record<string, boolean> | undefined {
  if (parameters === undefined) return undefined;
  return Object.fromEntries(Object.keys(parameters).map((name) => [name, flagOf(parameters, name) ?? false]));
}
