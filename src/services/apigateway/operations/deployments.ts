import type * as sdk from "@aws-sdk/client-api-gateway";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { createDeployment, writeStage } from "../deploy.ts";
import { badRequest, limitExceeded } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import {
  deleteChild,
  type DeploymentRecord,
  findChild,
  listChildren,
  readApi,
  readChild,
  type StageRecord,
  writeChild,
} from "../model.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import { checkStageName, checkVariables, pageOf, refuseMembers, wholeSecond } from "../rules.ts";
import { findMade } from "../../../wire/made.ts";
import type { ApiGatewayNeeds } from "./needs.ts";
import { parseCacheCluster, parseCanary } from "./stage-settings.ts";

const refused = ["tracingEnabled"];

export function deploymentOperations(needs: ApiGatewayNeeds) {
  return {
    CreateDeployment: {
      authorize: (input, call) => may("POST", call, `/restapis/${input.restApiId}/deployments`),
      run: async (input, call) => {
        refuseMembers("CreateDeployment", input, refused);
        const stageName = input.stageName ? checkStageName(input.stageName) : undefined;
        const variables = checkVariables(input.variables ?? {});
        const deployment = await needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, input.restApiId);
          const existing = await listChildren(tx, call, api.id, "deployment");
          const earlier = findMade(existing, call);
          if (earlier !== undefined) return earlier;
          if (existing.length >= limits.deploymentsPerApiMax) {
            throw limitExceeded("deployments for this API", limits.deploymentsPerApiMax);
          }
          const made = await createDeployment(needs, tx, call, api, call, input.description);
          if (stageName !== undefined) {
            await pointStage(needs, tx, call, api.id, stageName, made, {
              variables,
              description: input.stageDescription,
              canary: input.canarySettings,
              ...parseCacheCluster(needs.ids, input.cacheClusterEnabled, input.cacheClusterSize),
            });
          }
          return made;
        });
        return describeDeployment(deployment);
      },
    },
    GetDeployment: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/deployments/${input.deploymentId}`),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const deployment = await readChild(reader, call, input.restApiId, "deployment", input.deploymentId);
          const embed = input.embed?.some((part) => part.toLowerCase() === "apisummary") === true;
          return embed
            ? { ...describeDeployment(deployment), apiSummary: summarize(deployment) }
            : describeDeployment(deployment);
        }),
    },
    GetDeployments: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/deployments`),
      run: async (input, call) => {
        const deployments = await needs.store.read(async (reader) => {
          const api = await readApi(reader, call, input.restApiId);
          return listChildren(reader, call, api.id, "deployment");
        });
        const page = pageOf(deployments, (item) => item.id, input.limit, input.position);
        return { ...page, items: page.items.map(describeDeployment) };
      },
    },
    UpdateDeployment: {
      authorize: (input, call) => may("PATCH", call, `/restapis/${input.restApiId}/deployments/${input.deploymentId}`),
      run: async (input, call) => {
        const deployment = await needs.store.transact(async (tx) => {
          const before = await readChild(tx, call, input.restApiId, "deployment", input.deploymentId);
          const next = applyPatch(before, input.patchOperations, patches, ["/description"]);
          writeChild(tx, call, input.restApiId ?? "", "deployment", next.id, next);
          return next;
        });
        return describeDeployment(deployment);
      },
    },
    DeleteDeployment: {
      authorize: (input, call) => may("DELETE", call, `/restapis/${input.restApiId}/deployments/${input.deploymentId}`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const { id } = await readChild(tx, call, input.restApiId, "deployment", input.deploymentId);
          const stages = await listChildren(tx, call, input.restApiId ?? "", "stage");
          if (stages.some((stage) => stage.deploymentId === id || stage.canary?.deploymentId === id)) {
            throw badRequest("Active stages pointing to this deployment must be moved or deleted");
          }
          deleteChild(tx, call, input.restApiId ?? "", "deployment", id);
          deleteChild(tx, call, input.restApiId ?? "", "frozen-api", id);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<DeploymentRecord> = [
  { path: /^\/description$/, apply: { replace: (deployment, description) => ({ ...deployment, description }) } },
];

/** A deployment that names a stage moves it, or makes it. */
async function pointStage(
  needs: ApiGatewayNeeds,
  tx: Transaction,
  call: Call,
  apiId: string,
  stageName: string,
  deployment: DeploymentRecord,
  settings: Pick<StageRecord, "variables" | "cacheCluster"> & {
    readonly description: string | undefined;
    readonly canary: sdk.DeploymentCanarySettings | undefined;
  },
): Promise<void> {
  const { variables, description, cacheCluster } = settings;
  const before = await findChild(tx, call, apiId, "stage", stageName);
  const stages = await listChildren(tx, call, apiId, "stage");
  if (before === undefined && stages.length >= limits.stagesPerApiMax) {
    throw limitExceeded("stages for this API", limits.stagesPerApiMax);
  }
  if (before !== undefined && settings.canary !== undefined) {
    // AWS: a canary deployment leaves the stage's own as it is.
    const canary = parseCanary({ ...settings.canary, deploymentId: deployment.id }, deployment.id);
    const own = await readChild(tx, call, apiId, "deployment", before.deploymentId);
    await writeStage(needs, tx, call, apiId, { ...before, canary, updatedAt: call.now }, own);
    return;
  }
  if (settings.canary !== undefined) throw badRequest("A canary deployment needs a stage that has been deployed");
  const stage: StageRecord = {
    ...(before ?? { stageName, createdAt: call.now, tags: {} }),
    deploymentId: deployment.id,
    ...(cacheCluster === undefined ? {} : { cacheCluster }),
    ...(description === undefined ? {} : { description }),
    variables: { ...before?.variables, ...variables },
    updatedAt: call.now,
  };
  await writeStage(needs, tx, call, apiId, stage, deployment);
}

function describeDeployment(deployment: DeploymentRecord) {
  return {
    id: deployment.id,
    ...(deployment.description === undefined ? {} : { description: deployment.description }),
    createdDate: wholeSecond(deployment.createdAt),
  };
}

function summarize(deployment: DeploymentRecord) {
  const summary: Record<string, Record<string, { authorizationType: string; apiKeyRequired: boolean }>> = {};
  for (const method of deployment.snapshot.methods) {
    const methods = (summary[method.path] ??= {});
    methods[method.httpMethod] = {
      authorizationType: method.authorizationType,
      apiKeyRequired: method.apiKeyRequired ?? false,
    };
  }
  return summary;
}
