import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { numberOf, objectOf, oneOf, textOf, textsOf, unlessGone } from "./properties.ts";

export const integrationType: ResourceType = {
  type: "AWS::ApiGatewayV2::Integration",
  properties: [
    "ApiId",
    "ConnectionId",
    "ConnectionType",
    "ContentHandlingStrategy",
    "CredentialsArn",
    "Description",
    "IntegrationMethod",
    "IntegrationSubtype",
    "IntegrationType",
    "IntegrationUri",
    "PassthroughBehavior",
    "PayloadFormatVersion",
    "RequestParameters.*",
    "RequestTemplates.*",
    "ResponseParameters.*",
    "TemplateSelectionExpression",
    "TimeoutInMillis",
    "TlsConfig.ServerNameToVerify",
  ],
  attributes: ["IntegrationId"],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2", context.clientToken);
    const { IntegrationId = "" } = await client.CreateIntegration(inputOf(context.properties));
    return { physicalId: IntegrationId, attributes: { IntegrationId } };
  },
  update: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    await client.UpdateIntegration({ ...inputOf(context.properties), IntegrationId: context.state.physicalId });
    return context.state;
  },
  delete: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    const ApiId = textOf(context.properties, "ApiId");
    await unlessGone(client.DeleteIntegration({ ApiId, IntegrationId: context.state.physicalId }));
  },
};

const types = ["AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"] as const;
const passthroughs = ["NEVER", "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES"] as const;
const connections = ["INTERNET", "VPC_LINK"] as const;
const conversions = ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"] as const;

function inputOf(properties: Properties) {
  return {
    ApiId: textOf(properties, "ApiId"),
    // Refused, as there are no VPC links.
    ConnectionId: textOf(properties, "ConnectionId"),
    ConnectionType: oneOf(connections, properties, "ConnectionType"),
    ContentHandlingStrategy: oneOf(conversions, properties, "ContentHandlingStrategy"),
    Description: textOf(properties, "Description"),
    IntegrationMethod: textOf(properties, "IntegrationMethod"),
    IntegrationSubtype: textOf(properties, "IntegrationSubtype"),
    IntegrationType: oneOf(types, properties, "IntegrationType"),
    IntegrationUri: textOf(properties, "IntegrationUri"),
    PassthroughBehavior: oneOf(passthroughs, properties, "PassthroughBehavior"),
    PayloadFormatVersion: formatOf(properties),
    // What the template does not have any more is taken away by an empty value.
    CredentialsArn: textOf(properties, "CredentialsArn") ?? "",
    RequestTemplates: textsOf(properties, "RequestTemplates"),
    TemplateSelectionExpression: textOf(properties, "TemplateSelectionExpression") ?? "",
    ...parametersOf(properties),
    TimeoutInMillis: numberOf(properties, "TimeoutInMillis"),
    ...(properties["TlsConfig"] === undefined
      ? {}
      : { TlsConfig: { ServerNameToVerify: textOf(objectOf(properties, "TlsConfig") ?? {}, "ServerNameToVerify") } }),
  };
}

function parametersOf(properties: Properties) {
  const byStatus = objectOf(properties, "ResponseParameters") ?? {};
  return {
    RequestParameters: textsOf(properties, "RequestParameters"),
    ...(properties["ResponseParameters"] === undefined
      ? {}
      : {
          ResponseParameters: Object.fromEntries(
            Object.keys(byStatus).map((status) => [status, responseOf(byStatus, status)]),
          ),
        }),
  };
}

/** AWS: a map, or a list of `Destination` and `Source` below `ResponseParameters`. */
function responseOf(byStatus: Properties, status: string): Record<string, string> {
  const given = objectOf(byStatus, status) ?? {};
  if (!Array.isArray(given["ResponseParameters"])) return textsOf(byStatus, status);
  const listed: Record<string, string> = {};
  for (const item of given["ResponseParameters"]) {
    const { Destination, Source } = objectOf({ item }, "item") ?? {};
    listed[String(Destination)] = String(Source);
  }
  return listed;
}

/** YAML reads an unquoted 2.0 as the number 2. */
function formatOf(properties: Properties): string | undefined {
  const version = textOf(properties, "PayloadFormatVersion");
  return version !== undefined && /^\d$/.test(version) ? `${version}.0` : version;
}
