import type * as sdk from "@aws-sdk/client-api-gateway";
import type { Ids } from "../../../kernel/ids.ts";
import type { PublishedCache, PublishedCanary } from "../../execute-api/port.ts";
import type { DeploymentRecord, StageCacheRecord, StageCanaryRecord, StageRecord } from "../model.ts";
import { badRequest } from "../errors.ts";
import type { PatchTable } from "../patch.ts";
import { checkVariables } from "../rules.ts";

/** GB, as AWS writes and sells them. */
const cacheSizes = ["0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"] as const;

type CacheSize = (typeof cacheSizes)[number];

/** The cache of a new stage, or of one that a deployment is given to. */
export function parseCacheCluster(
  ids: Ids,
  enabled: boolean | undefined,
  size: string | undefined,
): Pick<StageRecord, "cacheCluster"> {
  if (enabled === undefined && size === undefined) return {};
  return { cacheCluster: withCache(ids.uuid(), undefined, { enabled: enabled ?? false, size }) };
}

export function parseCanary(
  input: Omit<sdk.CanarySettings, "deploymentId"> & { readonly deploymentId?: string | undefined },
  deploymentId: string,
): StageCanaryRecord {
  return {
    percentTraffic: checkPercent(input.percentTraffic ?? 0),
    deploymentId: input.deploymentId ?? deploymentId,
    stageVariableOverrides: checkVariables(input.stageVariableOverrides ?? {}),
    useStageCache: input.useStageCache ?? false,
  };
}

export const cachePatches: PatchTable<StageRecord> = [
  {
    path: /^\/cacheClusterEnabled$/,
    apply: {
      replace: (stage, value) => ({
        ...stage,
        cacheCluster: withCache("", stage.cacheCluster, { enabled: value.toLowerCase() === "true" }),
      }),
    },
  },
  {
    path: /^\/cacheClusterSize$/,
    apply: {
      replace: (stage, size) => ({ ...stage, cacheCluster: withCache("", stage.cacheCluster, { size }) }),
    },
  },
];

export const canaryPatches: PatchTable<StageRecord> = [
  {
    path: /^\/canarySettings$/,
    apply: {
      remove: (stage) => {
        const { canary: _gone, ...rest } = stage;
        return rest;
      },
    },
  },
  {
    path: /^\/canarySettings\/percentTraffic$/,
    apply: { replace: (stage, value) => withCanary(stage, { percentTraffic: checkPercent(Number(value)) }) },
  },
  {
    path: /^\/canarySettings\/deploymentId$/,
    apply: { replace: (stage, deploymentId) => withCanary(stage, { deploymentId }) },
  },
  {
    path: /^\/canarySettings\/useStageCache$/,
    apply: { replace: (stage, value) => withCanary(stage, { useStageCache: value.toLowerCase() === "true" }) },
  },
  {
    path: /^\/canarySettings\/stageVariableOverrides\/[^/]+$/,
    apply: {
      add: (stage, value, name) => withOverride(stage, name, value),
      replace: (stage, value, name) => withOverride(stage, name, value),
      remove: (stage, _value, name) => {
        const { [name]: _gone, ...stageVariableOverrides } = canaryOf(stage).stageVariableOverrides;
        return withCanary(stage, { stageVariableOverrides });
      },
    },
  },
  {
    // A canary is promoted by copying what it has to the stage.
    path: /^\/deploymentId$/,
    apply: {
      copy: (stage, from) => {
        if (from !== "/canarySettings/deploymentId")
          throw badRequest(`Invalid patch operation: cannot copy ${from} to /deploymentId`);
        return { ...stage, deploymentId: canaryOf(stage).deploymentId };
      },
    },
  },
  {
    path: /^\/variables$/,
    apply: {
      copy: (stage, from) => {
        if (from !== "/canarySettings/stageVariableOverrides")
          throw badRequest(`Invalid patch operation: cannot copy ${from} to /variables`);
        return { ...stage, variables: { ...stage.variables, ...canaryOf(stage).stageVariableOverrides } };
      },
    },
  },
];

/** Another generation makes what was cached before void, on every node. */
export function flushed(stage: StageRecord, generation: string): StageRecord {
  return stage.cacheCluster === undefined ? stage : { ...stage, cacheCluster: { ...stage.cacheCluster, generation } };
}

export function publishedCache(stage: StageRecord): { readonly cache?: PublishedCache } {
  const { cacheCluster } = stage;
  if (cacheCluster?.enabled !== true) return {};
  return { cache: { sizeBytes: Number(cacheCluster.size) * 1024 ** 3, generation: cacheCluster.generation } };
}

/** @param deployment the canary's, which may be the stage's own */
export function publishedCanary(
  stage: StageRecord,
  deployment: DeploymentRecord | undefined,
): { readonly canary?: PublishedCanary } {
  const { canary } = stage;
  if (canary === undefined) return {};
  return {
    canary: {
      percentTraffic: canary.percentTraffic,
      deploymentId: canary.deploymentId,
      variables: { ...stage.variables, ...canary.stageVariableOverrides },
      useStageCache: canary.useStageCache,
      ...(deployment === undefined || canary.deploymentId === stage.deploymentId
        ? {}
        : { snapshot: deployment.snapshot }),
    },
  };
}

export function describeCache(stage: StageRecord) {
  const { cacheCluster } = stage;
  const size = cacheSizes.find((known) => known === cacheCluster?.size);
  return {
    cacheClusterEnabled: cacheCluster?.enabled ?? false,
    ...(size === undefined ? {} : { cacheClusterSize: size }),
    cacheClusterStatus: cacheCluster?.enabled === true ? ("AVAILABLE" as const) : ("NOT_AVAILABLE" as const),
  };
}

export function describeCanary({ canary }: StageRecord) {
  if (canary === undefined) return {};
  const { percentTraffic, deploymentId, stageVariableOverrides, useStageCache } = canary;
  return {
    canarySettings: {
      percentTraffic,
      deploymentId,
      ...(Object.keys(stageVariableOverrides).length === 0
        ? {}
        : { stageVariableOverrides: { ...stageVariableOverrides } }),
      useStageCache,
    },
  };
}

function withCache(
  generation: string,
  before: StageCacheRecord | undefined,
  change: { readonly enabled?: boolean; readonly size?: string | undefined },
): StageCacheRecord {
  const size: CacheSize | undefined =
    change.size === undefined ? undefined : cacheSizes.find((known) => Number(known) === Number(change.size));
  if (change.size !== undefined && size === undefined) {
    throw badRequest(`Invalid cache cluster size, must be one of ${cacheSizes.join(", ")}`);
  }
  return {
    enabled: change.enabled ?? before?.enabled ?? false,
    size: size ?? before?.size ?? "0.5",
    generation: before?.generation ?? generation,
  };
}

function canaryOf(stage: StageRecord): StageCanaryRecord {
  if (stage.canary === undefined) throw badRequest("The stage has no canary");
  return stage.canary;
}

function withCanary(stage: StageRecord, change: Partial<StageCanaryRecord>): StageRecord {
  const before = stage.canary ?? {
    percentTraffic: 0,
    deploymentId: stage.deploymentId,
    stageVariableOverrides: {},
    useStageCache: false,
  };
  return { ...stage, canary: { ...before, ...change } };
}

function withOverride(stage: StageRecord, name: string, value: string): StageRecord {
  const overrides = stage.canary?.stageVariableOverrides ?? {};
  return withCanary(stage, { stageVariableOverrides: checkVariables({ ...overrides, [name]: value }) });
}

function checkPercent(percent: number): number {
  if (percent >= 0 && percent <= 100) return percent;
  throw badRequest("Canary percent traffic must be between 0.0 and 100.0");
}
