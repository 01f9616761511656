import type * as sdk from "@aws-sdk/client-api-gateway";
import type { ResourceType } from "../../cloudformation/port.ts";
import { flagOf, tagsOf, textOf, textsOf, unlessGone } from "./properties.ts";

export const stageType: ResourceType = {
  type: "AWS::ApiGateway::Stage",
  properties: [
    // True is refused by the operation, by name.
    "CacheClusterEnabled",
    "DeploymentId",
    "Description",
    "RestApiId",
    "StageName",
    "Tags[].Key",
    "Tags[].Value",
    "TracingEnabled",
    "Variables.*",
  ],
  attributes: [],
  create: async ({ client, properties, tags }) => {
    const { stageName = "" } = await client<typeof sdk>("apigateway").CreateStage({
      restApiId: textOf(properties, "RestApiId"),
      stageName: textOf(properties, "StageName"),
      deploymentId: textOf(properties, "DeploymentId"),
      description: textOf(properties, "Description"),
      cacheClusterEnabled: flagOf(properties, "CacheClusterEnabled"),
      tracingEnabled: flagOf(properties, "TracingEnabled"),
      variables: textsOf(properties, "Variables"),
      tags: { ...tags, ...tagsOf(properties) },
    });
    return { physicalId: stageName, attributes: {} };
  },
  update: async ({ client: clientOf, properties, previous, state, tags, region }) => {
    const client = clientOf<typeof sdk>("apigateway");
    const restApiId = textOf(properties, "RestApiId");
    const variables = textsOf(properties, "Variables");
    const patchOperations: { op: "replace" | "remove"; path: string; value?: string }[] = [
      { op: "replace", path: "/deploymentId", value: textOf(properties, "DeploymentId") ?? "" },
      { op: "replace", path: "/description", value: textOf(properties, "Description") ?? "" },
    ];
    for (const [name, value] of Object.entries(variables)) {
      patchOperations.push({ op: "replace", path: `/variables/${name}`, value });
    }
    for (const name of Object.keys(textsOf(previous, "Variables"))) {
      if (!(name in variables)) patchOperations.push({ op: "remove", path: `/variables/${name}` });
    }
    for (const [name, path] of [
      ["TracingEnabled", "/tracingEnabled"],
      ["CacheClusterEnabled", "/cacheClusterEnabled"],
    ] as const) {
      if (flagOf(properties, name) === true) patchOperations.push({ op: "replace", path, value: "true" });
    }
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
