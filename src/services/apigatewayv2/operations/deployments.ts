import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { newDeployment, publishStage, takeSnapshot } from "../deploy.ts";
import { readDefinition } from "../definition.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { findMade, madeBy } from "../../../wire/made.ts";
import { deleteChild, type DeploymentRecord, findChild, listChildren, readApi, writeChild } from "../model.ts";
import { pageOf, wholeSecond } from "../rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";
import { readStage } from "./stages.ts";

export function deploymentOperations(needs: ApiGatewayV2Needs) {
  return {
    CreateDeployment: {
      authorize: (input, call) => may("POST", call, `/apis/${input.ApiId}/deployments`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        const deployment = await needs.store.transact(async (tx) => {
          const snapshot = await takeSnapshot(tx, call, apiId);
          if ((snapshot.webSocket ?? snapshot).routes.length === 0) {
            throw badRequest("Unable to deploy API because no routes exist in this API");
          }
          const existing = await listChildren(tx, call, apiId, "deployment");
          const earlier = findMade(existing, call);
          if (earlier !== undefined) return earlier;
          if (existing.length >= limits.deploymentsPerApiMax) {
            throw limitExceeded("Deployments", limits.deploymentsPerApiMax);
          }
          const api = await readApi(tx, call, apiId);
          const made: DeploymentRecord = {
            ...newDeployment(needs.ids, call.now, snapshot, false, input.Description),
            ...madeBy(call),
            ...(api.webSocket === undefined ? { definition: await readDefinition(tx, call, api) } : {}),
          };
          writeChild(tx, call, apiId, "deployment", made.deploymentId, made);
          if (input.StageName !== undefined) {
            const before = await readStage(tx, call, apiId, input.StageName);
            if (before.autoDeploy) throw badRequest("Deployment ID cannot be set on a stage with autoDeploy enabled");
            const stage = { ...before, deploymentId: made.deploymentId, updatedAt: call.now };
            writeChild(tx, call, apiId, "stage", stage.stageName, stage);
            publishStage(needs, tx, call, apiId, stage, made);
          }
          return made;
        });
        return describeDeployment(deployment);
      },
    },
    GetDeployment: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/deployments/${input.DeploymentId}`),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describeDeployment(await readDeployment(reader, call, input.ApiId ?? "", input.DeploymentId ?? "")),
        ),
    },
    GetDeployments: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/deployments`),
      run: async (input, call) => {
        const deployments = await needs.store.read(async (reader) => {
          await readApi(reader, call, input.ApiId ?? "");
          return listChildren(reader, call, input.ApiId ?? "", "deployment");
        });
        const page = pageOf(deployments, (item) => item.deploymentId, input.MaxResults, input.NextToken);
        return { ...page, Items: page.Items.map(describeDeployment) };
      },
    },
    UpdateDeployment: {
      authorize: (input, call) => may("PATCH", call, `/apis/${input.ApiId}/deployments/${input.DeploymentId}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        const deployment = await needs.store.transact(async (tx) => {
          const before = await readDeployment(tx, call, apiId, input.DeploymentId ?? "");
          const next = input.Description === undefined ? before : { ...before, description: input.Description };
          writeChild(tx, call, apiId, "deployment", next.deploymentId, next);
          return next;
        });
        return describeDeployment(deployment);
      },
    },
    DeleteDeployment: {
      authorize: (input, call) => may("DELETE", call, `/apis/${input.ApiId}/deployments/${input.DeploymentId}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        await needs.store.transact(async (tx) => {
          const { deploymentId } = await readDeployment(tx, call, apiId, input.DeploymentId ?? "");
          const stages = await listChildren(tx, call, apiId, "stage");
          if (stages.some((stage) => stage.deploymentId === deploymentId)) {
            throw conflict("Active stages pointing to this deployment must be moved or deleted");
          }
          deleteChild(tx, call, apiId, "deployment", deploymentId);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

async function readDeployment(
  reader: Reader,
  call: Call,
  apiId: string,
  deploymentId: string,
): Promise<DeploymentRecord> {
  await readApi(reader, call, apiId);
  const deployment = await findChild(reader, call, apiId, "deployment", deploymentId);
  if (deployment === undefined) throw childNotFound("Deployment");
  return deployment;
}

function describeDeployment(deployment: DeploymentRecord) {
  return {
    AutoDeployed: deployment.autoDeployed,
    CreatedDate: wholeSecond(deployment.createdAt),
    DeploymentId: deployment.deploymentId,
    DeploymentStatus: "DEPLOYED" as const,
    ...(deployment.description === undefined ? {} : { Description: deployment.description }),
  };
}
