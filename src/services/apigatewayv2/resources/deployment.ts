import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { ResourceType } from "../../cloudformation/port.ts";
import { textOf, unlessGone } from "./properties.ts";

export const deploymentType: ResourceType = {
  type: "AWS::ApiGatewayV2::Deployment",
  properties: ["ApiId", "Description", "StageName"],
  attributes: ["DeploymentId"],
  create: async (context) => {
    const { properties, clientToken } = context;
    const client = context.client<typeof sdk>("apigatewayv2", clientToken);
    const { DeploymentId = "" } = await client.CreateDeployment({
      ApiId: textOf(properties, "ApiId"),
      Description: textOf(properties, "Description"),
      StageName: textOf(properties, "StageName"),
    });
    return { physicalId: DeploymentId, attributes: { DeploymentId } };
  },
  update: async (context) => {
    const { properties, state } = context;
    const client = context.client<typeof sdk>("apigatewayv2");
    const ApiId = textOf(properties, "ApiId");
    const DeploymentId = state.physicalId;
    await client.UpdateDeployment({ ApiId, DeploymentId, Description: textOf(properties, "Description") });
    const StageName = textOf(properties, "StageName");
    if (StageName !== undefined) await client.UpdateStage({ ApiId, StageName, DeploymentId });
    return state;
  },
  delete: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    const ApiId = textOf(context.properties, "ApiId");
    await unlessGone(client.DeleteDeployment({ ApiId, DeploymentId: context.state.physicalId }));
  },
};
