import type * as sdk from "@aws-sdk/client-api-gateway";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import type { PatchOperation } from "../patch.ts";
import { retag } from "./api-key.ts";
import { numberOf, objectOf, objectsOf, oneOf, tagsOf, textOf, unlessGone } from "./properties.ts";

type Patch = PatchOperation & { readonly op: "add" | "replace" | "remove" };

export const usagePlanType: ResourceType = {
  type: "AWS::ApiGateway::UsagePlan",
  properties: [
    "ApiStages[].ApiId",
    "ApiStages[].Stage",
    "ApiStages[].Throttle.*.BurstLimit",
    "ApiStages[].Throttle.*.RateLimit",
    "Description",
    "Quota.Limit",
    "Quota.Offset",
    "Quota.Period",
    "Tags[].Key",
    "Tags[].Value",
    "Throttle.BurstLimit",
    "Throttle.RateLimit",
    "UsagePlanName",
  ],
  attributes: ["Id"],
  create: async (context) => {
    const { client, properties } = context;
    const throttle = objectOf(properties, "Throttle");
    const quota = objectOf(properties, "Quota");
    const { id = "" } = await client<typeof sdk>("apigateway", context.clientToken).CreateUsagePlan({
      name: textOf(properties, "UsagePlanName") ?? context.generateName(128),
      description: textOf(properties, "Description"),
      apiStages: objectsOf(properties, "ApiStages").map((stage) => ({
        apiId: textOf(stage, "ApiId"),
        stage: textOf(stage, "Stage"),
        throttle: Object.fromEntries(throttlesOf(stage).map(([method, each]) => [method, throttleFrom(each)])),
      })),
      ...(throttle === undefined ? {} : { throttle: throttleFrom(throttle) }),
      ...(quota === undefined
        ? {}
        : {
            quota: {
              limit: numberOf(quota, "Limit"),
              offset: numberOf(quota, "Offset"),
              period: oneOf(["DAY", "WEEK", "MONTH"] as const, quota, "Period"),
            },
          }),
      tags: { ...context.tags, ...tagsOf(properties) },
    });
    return { physicalId: id, attributes: { Id: id } };
  },
  update: async (context) => {
    const { client, properties, previous, state } = context;
    const patchOperations = [
      ...planPatches(properties, previous),
      ...stagePatches(objectsOf(properties, "ApiStages"), objectsOf(previous, "ApiStages")),
    ];
    const usagePlanId = state.physicalId;
    if (patchOperations.length > 0) {
      await client<typeof sdk>("apigateway").UpdateUsagePlan({ usagePlanId, patchOperations });
    }
    await retag(context, `/usageplans/${usagePlanId}`);
    return state;
  },
  delete: async ({ client: clientOf, state }) => {
    const client = clientOf<typeof sdk>("apigateway");
    const usagePlanId = state.physicalId;
    await unlessGone(
      (async () => {
        const { apiStages = [] } = await client.GetUsagePlan({ usagePlanId });
        const patchOperations = apiStages.map((stage): Patch => ({
          op: "remove",
          path: "/apiStages",
          value: nameOf(stage.apiId, stage.stage),
        }));
        if (patchOperations.length > 0) await client.UpdateUsagePlan({ usagePlanId, patchOperations });
        await client.DeleteUsagePlan({ usagePlanId });
      })(),
    );
  },
};

function planPatches(properties: Properties, previous: Properties): Patch[] {
  const patches: Patch[] = [];
  const name = textOf(properties, "UsagePlanName");
  if (name !== undefined) patches.push({ op: "replace", path: "/name", value: name });
  const description = textOf(properties, "Description");
  if (description !== textOf(previous, "Description")) {
    patches.push({ op: "replace", path: "/description", value: description ?? "" });
  }
  for (const [property, path, members] of [
    ["Throttle", "/throttle", { RateLimit: "rateLimit", BurstLimit: "burstLimit" }],
    ["Quota", "/quota", { Limit: "limit", Offset: "offset", Period: "period" }],
  ] as const) {
    const wanted = objectOf(properties, property);
    if (objectOf(previous, property) !== undefined) patches.push({ op: "remove", path });
    for (const [member, part] of Object.entries(members)) {
      const value = wanted === undefined ? undefined : textOf(wanted, member);
      if (value !== undefined) patches.push({ op: "replace", path: `${path}/${part}`, value });
    }
  }
  return patches;
}

function stagePatches(stages: readonly Properties[], before: readonly Properties[]): Patch[] {
  const patches: Patch[] = [];
  for (const stage of before) {
    if (!stages.some((wanted) => stageName(wanted) === stageName(stage))) {
      patches.push({ op: "remove", path: "/apiStages", value: stageName(stage) });
    }
  }
  for (const stage of stages) {
    const known = before.find((each) => stageName(each) === stageName(stage));
    if (known === undefined) patches.push({ op: "add", path: "/apiStages", value: stageName(stage) });
    else if (throttlesOf(known).length > 0)
      patches.push({ op: "remove", path: `/apiStages/${stageName(stage)}/throttle` });
    for (const [method, each] of throttlesOf(stage)) {
      const path = `/apiStages/${stageName(stage)}/throttle/${method.replaceAll("/", "~1")}`;
      for (const [member, part] of [
        ["RateLimit", "rateLimit"],
        ["BurstLimit", "burstLimit"],
      ] as const) {
        const value = textOf(each, member);
        if (value !== undefined) patches.push({ op: "replace", path: `${path}/${part}`, value });
      }
    }
  }
  return patches;
}

function throttlesOf(stage: Properties): [string, Properties][] {
  const throttles = objectOf(stage, "Throttle") ?? {};
  return Object.keys(throttles).map((method) => [method, objectOf(throttles, method) ?? {}]);
}

function throttleFrom(throttle: Properties) {
  return { rateLimit: numberOf(throttle, "RateLimit"), burstLimit: numberOf(throttle, "BurstLimit") };
}

function nameOf(apiId: string | undefined, stage: string | undefined): string {
  return `${apiId}:${stage}`;
}

function stageName(stage: Properties): string {
  return nameOf(textOf(stage, "ApiId"), textOf(stage, "Stage"));
}
