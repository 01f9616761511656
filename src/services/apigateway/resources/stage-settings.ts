import type { Properties } from "../../cloudformation/port.ts";
import { badRequest } from "../errors.ts";
import type { PatchOperation } from "../patch.ts";
import { flagOf, numberOf, objectOf, objectsOf, textOf, textsOf } from "./properties.ts";

export type StagePatch = PatchOperation & { readonly op: "replace" | "remove"; readonly path: string };

/** What a template says of a stage's cache, canary and methods. */
export const stageSettingProperties = [
  "CacheClusterEnabled",
  "CacheClusterSize",
  "CanarySetting.DeploymentId",
  "CanarySetting.PercentTraffic",
  "CanarySetting.StageVariableOverrides.*",
  "CanarySetting.UseStageCache",
  "MethodSettings[].CacheDataEncrypted",
  "MethodSettings[].CacheTtlInSeconds",
  "MethodSettings[].CachingEnabled",
  "MethodSettings[].DataTraceEnabled",
  "MethodSettings[].HttpMethod",
  "MethodSettings[].LoggingLevel",
  "MethodSettings[].MetricsEnabled",
  "MethodSettings[].ResourcePath",
  "MethodSettings[].ThrottlingBurstLimit",
  "MethodSettings[].ThrottlingRateLimit",
];

/** For CreateStage; methods have settings by patches alone. */
export function stageSettingsInput(properties: Properties) {
  const canary = objectOf(properties, "CanarySetting");
  const { canarySettings } = canaryInput(canary);
  return {
    ...cacheInput(properties),
    ...(canary === undefined || canarySettings === undefined
      ? {}
      : { canarySettings: { ...canarySettings, deploymentId: textOf(canary, "DeploymentId") } }),
  };
}

export function cacheInput(properties: Properties) {
  return {
    cacheClusterEnabled: flagOf(properties, "CacheClusterEnabled"),
    cacheClusterSize: cacheSizeOf(properties),
  };
}

export function canaryInput(canary: Properties | undefined) {
  if (canary === undefined) return {};
  return {
    canarySettings: {
      percentTraffic: numberOf(canary, "PercentTraffic"),
      stageVariableOverrides: textsOf(canary, "StageVariableOverrides"),
      useStageCache: flagOf(canary, "UseStageCache"),
    },
  };
}

/** How a stage comes to its methods' settings; those that the template had before and has no more are taken away. */
export function methodSettingsPatches(properties: Properties, previous: Properties): StagePatch[] {
  const wanted = objectsOf(properties, "MethodSettings").map((setting) => ({ path: pathOf(setting), setting }));
  const gone = objectsOf(previous, "MethodSettings").map(pathOf);
  // Each is made anew: what is not said any more is as it was before it was set.
  const removals = gone.map((path): StagePatch => ({ op: "remove", path }));
  const members = [
    ["CacheDataEncrypted", "caching/dataEncrypted"],
    ["CacheTtlInSeconds", "caching/ttlInSeconds"],
    ["CachingEnabled", "caching/enabled"],
    ["DataTraceEnabled", "logging/dataTrace"],
    ["LoggingLevel", "logging/loglevel"],
    ["MetricsEnabled", "metrics/enabled"],
    ["ThrottlingBurstLimit", "throttling/burstLimit"],
    ["ThrottlingRateLimit", "throttling/rateLimit"],
  ] as const;
  const replacements = wanted.flatMap(({ path, setting }) =>
    members.flatMap(([member, part]): StagePatch[] => {
      const value = textOf(setting, member);
      return value === undefined ? [] : [{ op: "replace", path: `${path}/${part}`, value }];
    }),
  );
  return [...removals, ...replacements];
}

/** How a stage's cache and canary change. */
export function cacheAndCanaryPatches(properties: Properties, previous: Properties): StagePatch[] {
  const patches: StagePatch[] = [];
  const replace = (path: string, value: string | undefined) => {
    if (value !== undefined) patches.push({ op: "replace", path, value });
  };
  const enabled = flagOf(properties, "CacheClusterEnabled") ?? false;
  if (enabled !== (flagOf(previous, "CacheClusterEnabled") ?? false)) replace("/cacheClusterEnabled", String(enabled));
  if (cacheSizeOf(properties) !== cacheSizeOf(previous)) replace("/cacheClusterSize", cacheSizeOf(properties));
  const canary = objectOf(properties, "CanarySetting");
  if (objectOf(previous, "CanarySetting") !== undefined) patches.push({ op: "remove", path: "/canarySettings" });
  if (canary === undefined) return patches;
  replace("/canarySettings/percentTraffic", textOf(canary, "PercentTraffic") ?? "0");
  replace("/canarySettings/deploymentId", textOf(canary, "DeploymentId"));
  replace("/canarySettings/useStageCache", textOf(canary, "UseStageCache"));
  for (const [name, value] of Object.entries(textsOf(canary, "StageVariableOverrides"))) {
    replace(`/canarySettings/stageVariableOverrides/${name}`, value);
  }
  return patches;
}

/** AWS: a path is written `/~1pets~1{id}`, that of the root `/`, and that of all methods `/*`. */
function pathOf(setting: Properties): string {
  return `${textOf(setting, "ResourcePath") ?? "/*"}/${textOf(setting, "HttpMethod") ?? "*"}`;
}

const sizes = ["0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"] as const;

/** Templates may write numbers in other ways than AWS does. Throws BadRequestException for a size that AWS has not. */
function cacheSizeOf(properties: Properties): (typeof sizes)[number] | undefined {
  const text = textOf(properties, "CacheClusterSize");
  if (text === undefined) return undefined;
  const size = sizes.find((known) => Number(known) === Number(text));
  if (size === undefined) throw badRequest(`Invalid CacheClusterSize ${text}: it must be one of ${sizes.join(", ")}`);
  return size;
}
