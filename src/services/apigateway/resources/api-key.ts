import type * as sdk from "@aws-sdk/client-api-gateway";
import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import type { PatchOperation } from "../patch.ts";
import { flagOf, objectsOf, tagsOf, textOf, unlessGone } from "./properties.ts";

export const apiKeyType: ResourceType = {
  type: "AWS::ApiGateway::ApiKey",
  properties: [
    "CustomerId",
    "Description",
    "Enabled",
    "GenerateDistinctId",
    "Name",
    "StageKeys[].RestApiId",
    "StageKeys[].StageName",
    "Tags[].Key",
    "Tags[].Value",
    "Value",
  ],
  attributes: ["APIKeyId"],
  create: async (context) => {
    const { client: clientOf, properties } = context;
    const client = clientOf<typeof sdk>("apigateway");
    const name = textOf(properties, "Name") ?? context.generateName(128);
    const tags = { ...context.tags, ...tagsOf(properties) };
    const id =
      (context.resumed === true ? await findMade(context, name) : undefined) ??
      (
        await client.CreateApiKey({
          name,
          customerId: textOf(properties, "CustomerId"),
          description: textOf(properties, "Description"),
          enabled: flagOf(properties, "Enabled"),
          generateDistinctId: flagOf(properties, "GenerateDistinctId"),
          value: textOf(properties, "Value"),
          stageKeys: objectsOf(properties, "StageKeys").map((stage) => ({
            restApiId: textOf(stage, "RestApiId"),
            stageName: textOf(stage, "StageName"),
          })),
          tags,
        })
      ).id ??
      "";
    return { physicalId: id, attributes: { APIKeyId: id } };
  },
  update: async (context) => {
    const { client: clientOf, properties, previous, state } = context;
    const client = clientOf<typeof sdk>("apigateway");
    const patchOperations: (PatchOperation & { readonly op: "add" | "replace" | "remove" })[] = [
      { op: "replace", path: "/customerId", value: textOf(properties, "CustomerId") ?? "" },
      { op: "replace", path: "/description", value: textOf(properties, "Description") ?? "" },
      { op: "replace", path: "/enabled", value: textOf(properties, "Enabled") ?? "false" },
    ];
    const stages = stageKeysOf(properties);
    const before = stageKeysOf(previous);
    for (const value of before)
      if (!stages.includes(value)) patchOperations.push({ op: "remove", path: "/stages", value });
    for (const value of stages)
      if (!before.includes(value)) patchOperations.push({ op: "add", path: "/stages", value });
    await client.UpdateApiKey({ apiKey: state.physicalId, patchOperations });
    await retag(context, `/apikeys/${state.physicalId}`);
    return state;
  },
  delete: async ({ client, state }) => {
    await unlessGone(client<typeof sdk>("apigateway").DeleteApiKey({ apiKey: state.physicalId }));
  },
};

/** Give a resource the tags of its template and stack, and take from it those that the template had before. */
export async function retag(
  context: Pick<ResourceContext, "client" | "properties" | "region" | "tags"> & {
    readonly previous: ResourceContext["properties"];
  },
  path: string,
): Promise<void> {
  const client = context.client<typeof sdk>("apigateway");
  const resourceArn = `arn:aws:apigateway:${context.region}::${path}`;
  const tags = { ...context.tags, ...tagsOf(context.properties) };
  const gone = Object.keys(tagsOf(context.previous)).filter((key) => !(key in tags));
  if (gone.length > 0) await client.UntagResource({ resourceArn, tagKeys: gone });
  if (Object.keys(tags).length > 0) await client.TagResource({ resourceArn, tags });
}

function stageKeysOf(properties: ResourceContext["properties"]): string[] {
  return objectsOf(properties, "StageKeys").map(
    (stage) => `${textOf(stage, "RestApiId")}/${textOf(stage, "StageName")}`,
  );
}

/** What the same step has made before the process died. */
async function findMade(context: ResourceContext, name: string): Promise<string | undefined> {
  const client = context.client<typeof sdk>("apigateway");
  const { items = [] } = await client.GetApiKeys({ nameQuery: name, limit: 500 });
  return items.find(
    ({ tags }) =>
      tags?.["aws:cloudformation:stack-id"] === context.stackId &&
      tags["aws:cloudformation:logical-id"] === context.logicalId,
  )?.id;
}
