import type * as sdk from "@aws-sdk/client-api-gateway";
import type { ResourceType } from "../../cloudformation/port.ts";
import { textOf, unlessGone } from "./properties.ts";

export const deploymentType: ResourceType = {
  type: "AWS::ApiGateway::Deployment",
  properties: ["Description", "RestApiId", "StageName"],
  attributes: ["DeploymentId"],
  create: async ({ client, properties }) => {
    const { id = "" } = await client<typeof sdk>("apigateway").CreateDeployment({
      restApiId: textOf(properties, "RestApiId"),
      stageName: textOf(properties, "StageName"),
      description: textOf(properties, "Description"),
    });
    return { physicalId: id, attributes: { DeploymentId: id } };
  },
  update: async ({ client: clientOf, properties, state }) => {
    const client = clientOf<typeof sdk>("apigateway");
    const restApiId = textOf(properties, "RestApiId");
    await client.UpdateDeployment({
      restApiId,
      deploymentId: state.physicalId,
      patchOperations: [{ op: "replace", path: "/description", value: textOf(properties, "Description") ?? "" }],
    });
    const stageName = textOf(properties, "StageName");
    if (stageName !== undefined) {
      const { item = [] } = await client.GetStages({ restApiId });
      const patchOperations = [{ op: "replace" as const, path: "/deploymentId", value: state.physicalId }];
      if (item.some((stage) => stage.stageName === stageName)) {
        await client.UpdateStage({ restApiId, stageName, patchOperations });
      } else {
        await client.CreateStage({ restApiId, stageName, deploymentId: state.physicalId });
      }
    }
    return state;
  },
  delete: async ({ client: clientOf, properties, state }) => {
    const client = clientOf<typeof sdk>("apigateway");
    const restApiId = textOf(properties, "RestApiId");
    const deploymentId = state.physicalId;
    const stageName = textOf(properties, "StageName");
    await unlessGone(
      (async () => {
        // A stage that came with the deployment, and was not moved to a later one, goes with it.
        const { item = [] } = await client.GetStages({ restApiId, deploymentId });
        if (stageName !== undefined && item.some((stage) => stage.stageName === stageName)) {
          await client.DeleteStage({ restApiId, stageName });
        }
        await client.DeleteDeployment({ restApiId, deploymentId });
      })(),
    );
  },
};
