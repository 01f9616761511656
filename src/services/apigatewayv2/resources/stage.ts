import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { flagOf, textOf, textsOf, unlessGone } from "./properties.ts";

export const stageType: ResourceType = {
  type: "AWS::ApiGatewayV2::Stage",
  properties: ["ApiId", "AutoDeploy", "DeploymentId", "Description", "StageName", "StageVariables.*", "Tags.*"],
  attributes: [],
  create: async (context) => {
    const { properties } = context;
    const client = context.client<typeof sdk>("apigatewayv2");
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
    DeploymentId: textOf(properties, "DeploymentId"),
    Description: textOf(properties, "Description"),
    StageName: textOf(properties, "StageName"),
    StageVariables: textsOf(properties, "StageVariables"),
  };
}
