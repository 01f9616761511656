import type * as sdk from "@aws-sdk/client-api-gateway";
import type { ClientOf } from "../../../wire/service.ts";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { badRequest } from "../errors.ts";
import { canaryInput } from "./stage-settings.ts";
import { objectOf, tagsOf, textOf, unlessGone } from "./properties.ts";
import { stageDescriptionInput, stageDescriptionPatches, stageDescriptionProperties } from "./stage-description.ts";

type Client = ClientOf<typeof sdk>;

export const deploymentType: ResourceType = {
  type: "AWS::ApiGateway::Deployment",
  properties: [
    "DeploymentCanarySettings.PercentTraffic",
    "DeploymentCanarySettings.StageVariableOverrides.*",
    "DeploymentCanarySettings.UseStageCache",
    "Description",
    "RestApiId",
    ...stageDescriptionProperties,
    "StageName",
  ],
  attributes: ["DeploymentId"],
  create: async (context) => {
    const { properties, clientToken } = context;
    const client = context.client<typeof sdk>("apigateway", clientToken);
    const restApiId = textOf(properties, "RestApiId");
    const stageName = textOf(properties, "StageName");
    const description = objectOf(properties, "StageDescription");
    if (description !== undefined && stageName === undefined) {
      throw badRequest("StageName must be specified where StageDescription is");
    }
    // AWS: a stage that is there has its own settings. One that a crash has left unrecorded is this resource's.
    if (description !== undefined && context.resumed !== true && (await hasStage(client, restApiId, stageName))) {
      throw badRequest("StageDescription cannot be specified when stage referenced by StageName already exists");
    }
    const { id = "" } = await client.CreateDeployment({
      restApiId,
      stageName,
      description: textOf(properties, "Description"),
      ...stageDescriptionInput(description ?? {}),
      ...canaryInput(objectOf(properties, "DeploymentCanarySettings")),
    });
    if (description !== undefined && stageName !== undefined) {
      try {
        await describeStage(client, context, stageName, {});
      } catch (error) {
        await unlessGone(client.DeleteStage({ restApiId, stageName }));
        await unlessGone(client.DeleteDeployment({ restApiId, deploymentId: id }));
        throw error;
      }
    }
    return { physicalId: id, attributes: { DeploymentId: id } };
  },
  update: async (context) => {
    const { properties, previous, state } = context;
    const client = context.client<typeof sdk>("apigateway");
    const restApiId = textOf(properties, "RestApiId");
    const deploymentId = state.physicalId;
    await client.UpdateDeployment({
      restApiId,
      deploymentId,
      patchOperations: [{ op: "replace", path: "/description", value: textOf(properties, "Description") ?? "" }],
    });
    const stageName = textOf(properties, "StageName");
    if (stageName === undefined) return state;
    const hadStage = await hasStage(client, restApiId, stageName);
    if (hadStage) {
      const patchOperations = [{ op: "replace" as const, path: "/deploymentId", value: deploymentId }];
      await client.UpdateStage({ restApiId, stageName, patchOperations });
    } else {
      await client.CreateStage({ restApiId, stageName, deploymentId });
    }
    const isSame = hadStage && stageName === textOf(previous, "StageName");
    await describeStage(client, context, stageName, isSame ? (objectOf(previous, "StageDescription") ?? {}) : {});
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

async function hasStage(client: Client, restApiId: string | undefined, stageName: string | undefined) {
  if (stageName === undefined) return false;
  const { item = [] } = await client.GetStages({ restApiId });
  return item.some((stage) => stage.stageName === stageName);
}

/** Give a stage what the template's `StageDescription` says, and take away what it said before and says no more. */
async function describeStage(
  client: Client,
  { properties, region }: ResourceContext,
  stageName: string,
  previous: Properties,
): Promise<void> {
  const restApiId = textOf(properties, "RestApiId");
  const description = objectOf(properties, "StageDescription") ?? {};
  const patchOperations = stageDescriptionPatches(description, previous);
  if (patchOperations.length > 0) await client.UpdateStage({ restApiId, stageName, patchOperations });
  const resourceArn = `arn:aws:apigateway:${region}::/restapis/${restApiId}/stages/${stageName}`;
  const tags = tagsOf(description);
  const gone = Object.keys(tagsOf(previous)).filter((key) => !(key in tags));
  if (gone.length > 0) await client.UntagResource({ resourceArn, tagKeys: gone });
  if (Object.keys(tags).length > 0) await client.TagResource({ resourceArn, tags });
}
