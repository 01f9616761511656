import type * as sdk from "@aws-sdk/client-api-gateway";
import { isMadeFor } from "../../../aws/stack-tags.ts";
import type { ClientOf } from "../../../wire/service.ts";
import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { accessLogPatchesOf, accessLogProperties } from "./access-log.ts";
import { certificatePatches } from "./certificate-patches.ts";
import {
  cacheAndCanaryPatches,
  methodSettingsPatches,
  type StagePatch,
  stageSettingProperties,
  stageSettingsInput,
} from "./stage-settings.ts";
import { flagOf, tagsOf, textOf, textsOf, unlessGone } from "./properties.ts";

export const stageType: ResourceType = {
  type: "AWS::ApiGateway::Stage",
  properties: [
    ...accessLogProperties,
    ...stageSettingProperties,
    "ClientCertificateId",
    "DeploymentId",
    "Description",
    "DocumentationVersion",
    "RestApiId",
    "StageName",
    "Tags[].Key",
    "Tags[].Value",
    "TracingEnabled",
    "Variables.*",
  ],
  attributes: [],
  create: async (context) => {
    const { properties, tags } = context;
    const client = context.client<typeof sdk>("apigateway");
    if (context.resumed === true) await deleteUnrecorded(client, context);
    const { stageName = "" } = await client.CreateStage({
      restApiId: textOf(properties, "RestApiId"),
      stageName: textOf(properties, "StageName"),
      deploymentId: textOf(properties, "DeploymentId"),
      description: textOf(properties, "Description"),
      documentationVersion: textOf(properties, "DocumentationVersion"),
      ...stageSettingsInput(properties),
      tracingEnabled: flagOf(properties, "TracingEnabled"),
      variables: textsOf(properties, "Variables"),
      tags: { ...tags, ...tagsOf(properties) },
    });
    const patchOperations: StagePatch[] = [
      ...certificatePatches(properties, {}),
      ...accessLogPatchesOf(properties, {}),
      ...methodSettingsPatches(properties, {}),
    ];
    if (patchOperations.length > 0) {
      const restApiId = textOf(properties, "RestApiId");
      try {
        await client.UpdateStage({ restApiId, stageName, patchOperations });
      } catch (error) {
        await client.DeleteStage({ restApiId, stageName });
        throw error;
      }
    }
    return { physicalId: stageName, attributes: {} };
  },
  update: async ({ client: clientOf, properties, previous, state, tags, region }) => {
    const client = clientOf<typeof sdk>("apigateway");
    const restApiId = textOf(properties, "RestApiId");
    const variables = textsOf(properties, "Variables");
    const patchOperations: StagePatch[] = [
      { op: "replace", path: "/deploymentId", value: textOf(properties, "DeploymentId") ?? "" },
      { op: "replace", path: "/description", value: textOf(properties, "Description") ?? "" },
    ];
    for (const [name, value] of Object.entries(variables)) {
      patchOperations.push({ op: "replace", path: `/variables/${name}`, value });
    }
    for (const name of Object.keys(textsOf(previous, "Variables"))) {
      if (!(name in variables)) patchOperations.push({ op: "remove", path: `/variables/${name}` });
    }
    if (flagOf(properties, "TracingEnabled") === true) {
      patchOperations.push({ op: "replace", path: "/tracingEnabled", value: "true" });
    }
    const documentationVersion = textOf(properties, "DocumentationVersion");
    if (documentationVersion !== textOf(previous, "DocumentationVersion")) {
      patchOperations.push({ op: "replace", path: "/documentationVersion", value: documentationVersion ?? "" });
    }
    patchOperations.push(
      ...certificatePatches(properties, previous),
      ...cacheAndCanaryPatches(properties, previous),
      ...methodSettingsPatches(properties, previous),
      ...accessLogPatchesOf(properties, previous),
    );
    await client.UpdateStage({ restApiId, stageName: state.physicalId, patchOperations });
    const resourceArn = `arn:aws:apigateway:${region}::/restapis/${restApiId}/stages/${state.physicalId}`;
    const wanted = { ...tags, ...tagsOf(properties) };
    const gone = Object.keys(tagsOf(previous)).filter((key) => !(key in wanted));
    if (gone.length > 0) await client.UntagResource({ resourceArn, tagKeys: gone });
    if (Object.keys(wanted).length > 0) await client.TagResource({ resourceArn, tags: wanted });
    return state;
  },
  delete: async ({ client, properties, state }) => {
    const restApiId = textOf(properties, "RestApiId");
    await unlessGone(client<typeof sdk>("apigateway").DeleteStage({ restApiId, stageName: state.physicalId }));
  },
};

/** A stage of this resource whose creation a crash has cut off: it is made anew. */
async function deleteUnrecorded(client: ClientOf<typeof sdk>, context: ResourceContext): Promise<void> {
  const restApiId = textOf(context.properties, "RestApiId");
  const stageName = textOf(context.properties, "StageName");
  const { item = [] } = await client.GetStages({ restApiId });
  const isOurs = item.some((stage) => stage.stageName === stageName && isMadeFor(context, stage.tags));
  if (isOurs) await unlessGone(client.DeleteStage({ restApiId, stageName }));
}
