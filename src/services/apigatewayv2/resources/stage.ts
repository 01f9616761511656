import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { flagOf, numberOf, objectOf, oneOf, textOf, textsOf, unlessGone } from "./properties.ts";

export const stageType: ResourceType = {
  type: "AWS::ApiGatewayV2::Stage",
  properties: [
    "AccessLogSettings.DestinationArn",
    "AccessLogSettings.Format",
    "ApiId",
    "AutoDeploy",
    "ClientCertificateId",
    "DefaultRouteSettings.DataTraceEnabled",
    "DefaultRouteSettings.DetailedMetricsEnabled",
    "DefaultRouteSettings.LoggingLevel",
    "DefaultRouteSettings.ThrottlingBurstLimit",
    "DefaultRouteSettings.ThrottlingRateLimit",
    "DeploymentId",
    "Description",
    "RouteSettings.*.DataTraceEnabled",
    "RouteSettings.*.DetailedMetricsEnabled",
    "RouteSettings.*.LoggingLevel",
    "RouteSettings.*.ThrottlingBurstLimit",
    "RouteSettings.*.ThrottlingRateLimit",
    "StageName",
    "StageVariables.*",
    "Tags.*",
  ],
  attributes: [],
  create: async (context) => {
    const { properties } = context;
    const client = context.client<typeof sdk>("apigatewayv2", context.clientToken);
    const { StageName = "" } = await client.CreateStage({
      ...inputOf(properties),
      Tags: { ...context.tags, ...textsOf(properties, "Tags") },
    });
    return { physicalId: StageName, attributes: {} };
  },
  update: async (context) => {
    const { properties, previous } = context;
    const client = context.client<typeof sdk>("apigatewayv2");
    const input = inputOf(properties);
    // An empty value removes a variable.
    const gone = Object.fromEntries(Object.keys(textsOf(previous, "StageVariables")).map((name) => [name, ""]));
    await client.UpdateStage({ ...input, StageVariables: { ...gone, ...input.StageVariables } });
    if (input.AccessLogSettings === undefined && objectOf(previous, "AccessLogSettings") !== undefined) {
      const { ApiId, StageName } = input;
      await client.DeleteAccessLogSettings({ ApiId, StageName });
    }
    const settings = objectOf(properties, "RouteSettings") ?? {};
    for (const RouteKey of Object.keys(objectOf(previous, "RouteSettings") ?? {})) {
      if (RouteKey in settings) continue;
      const { ApiId, StageName } = input;
      await unlessGone(client.DeleteRouteSettings({ ApiId, StageName, RouteKey }));
    }
    const ResourceArn = `arn:aws:apigateway:${context.region}::/apis/${input.ApiId}/stages/${input.StageName}`;
    const tags = textsOf(properties, "Tags");
    const goneTags = Object.keys(textsOf(previous, "Tags")).filter((key) => !(key in tags));
    if (goneTags.length > 0) await client.UntagResource({ ResourceArn, TagKeys: goneTags });
    await client.TagResource({ ResourceArn, Tags: { ...context.tags, ...tags } });
    return context.state;
  },
  delete: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    const ApiId = textOf(context.properties, "ApiId");
    await unlessGone(client.DeleteStage({ ApiId, StageName: context.state.physicalId }));
  },
};

function inputOf(properties: Properties) {
  return {
    ApiId: textOf(properties, "ApiId"),
    AutoDeploy: flagOf(properties, "AutoDeploy"),
    // What the template does not have any more is taken away by an empty value.
    ClientCertificateId: textOf(properties, "ClientCertificateId") ?? "",
    DeploymentId: textOf(properties, "DeploymentId"),
    Description: textOf(properties, "Description"),
    StageName: textOf(properties, "StageName"),
    StageVariables: textsOf(properties, "StageVariables"),
    ...routeSettingsOf(properties),
    ...accessLogOf(properties),
  };
}

function accessLogOf(properties: Properties) {
  const settings = objectOf(properties, "AccessLogSettings");
  if (settings === undefined) return {};
  return {
    AccessLogSettings: { DestinationArn: textOf(settings, "DestinationArn"), Format: textOf(settings, "Format") },
  };
}

function routeSettingsOf(properties: Properties) {
  const defaults = objectOf(properties, "DefaultRouteSettings");
  const routes = objectOf(properties, "RouteSettings");
  return {
    ...(defaults === undefined ? {} : { DefaultRouteSettings: settingsFrom(defaults) }),
    ...(routes === undefined
      ? {}
      : {
          RouteSettings: Object.fromEntries(
            Object.keys(routes).map((routeKey) => [routeKey, settingsFrom(objectOf(routes, routeKey) ?? {})]),
          ),
        }),
  };
}

function settingsFrom(settings: Properties) {
  return {
    DataTraceEnabled: flagOf(settings, "DataTraceEnabled"),
    LoggingLevel: oneOf(["ERROR", "INFO", "OFF"] as const, settings, "LoggingLevel"),
    DetailedMetricsEnabled: flagOf(settings, "DetailedMetricsEnabled"),
    ThrottlingBurstLimit: numberOf(settings, "ThrottlingBurstLimit"),
    ThrottlingRateLimit: numberOf(settings, "ThrottlingRateLimit"),
  };
}
