import { publishedAccessLog } from "./access-log.ts";
import { lowerAlphanumeric, type Ids } from "../../kernel/ids.ts";
import type { Transaction } from "../../kernel/store/store.ts";
import type { PublishedRoute, StagePublisher } from "../execute-api/port.ts";
import { publishedAuthorizer } from "./authorizer-record.ts";
import { publishedRouteSettings, publishedWebSocketSettings } from "./route-settings.ts";
import {
  type ApiSnapshot,
  deleteChild,
  type DeploymentRecord,
  findChild,
  listChildren,
  type Place,
  readApi,
  type StageRecord,
  writeChild,
} from "./model.ts";
import { webSocketSnapshot } from "./websocket/snapshot.ts";
import { publishedIntegration } from "./published-integration.ts";

export interface DeployNeeds {
  readonly ids: Ids;
  readonly publisher: StagePublisher;
}

/** Freeze the API as it is now. */
export async function takeSnapshot(tx: Transaction, place: Place, apiId: string): Promise<ApiSnapshot> {
  const api = await readApi(tx, place, apiId);
  if (api.webSocket !== undefined) {
    const webSocket = await webSocketSnapshot(tx, place, apiId, api.webSocket);
    return { disableExecuteApiEndpoint: api.disableExecuteApiEndpoint, routes: [], webSocket };
  }
  const routes = await listChildren(tx, place, apiId, "route");
  const integrations = await listChildren(tx, place, apiId, "integration");
  const authorizers = await listChildren(tx, place, apiId, "authorizer");
  const byId = new Map(integrations.map((integration) => [integration.integrationId, integration]));
  const published: PublishedRoute[] = [];
  for (const route of routes) {
    const integration = byId.get(route.integrationId ?? "");
    if (integration === undefined) continue;
    published.push({
      routeKey: route.routeKey,
      authorizationType: route.authorizationType,
      ...(route.authorizerId === undefined ? {} : { authorizerId: route.authorizerId }),
      ...(route.authorizationScopes === undefined ? {} : { authorizationScopes: route.authorizationScopes }),
      ...(route.operationName === undefined ? {} : { operationName: route.operationName }),
      integration: publishedIntegration(integration),
    });
  }
  return {
    ...(api.cors === undefined ? {} : { cors: api.cors }),
    disableExecuteApiEndpoint: api.disableExecuteApiEndpoint,
    routes: published,
    ...(authorizers.length === 0 ? {} : { authorizers: authorizers.map(publishedAuthorizer) }),
  };
}

export function newDeployment(
  ids: Ids,
  now: number,
  snapshot: ApiSnapshot,
  autoDeployed: boolean,
  description: string | undefined,
): DeploymentRecord {
  return {
    deploymentId: ids.random(6, lowerAlphanumeric),
    ...(description === undefined ? {} : { description }),
    createdAt: now,
    autoDeployed,
    snapshot,
  };
}

/** Put what a stage's deployment froze on the air under the stage's name and variables. */
export function publishStage(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  apiId: string,
  stage: StageRecord,
  deployment: DeploymentRecord,
): void {
  const { webSocket, ...snapshot } = deployment.snapshot;
  const base = {
    version: 1,
    account: place.account,
    region: place.region,
    apiId,
    stageName: stage.stageName,
    deploymentId: deployment.deploymentId,
    variables: stage.variables,
    ...(stage.authorizersFlushedAt === undefined ? {} : { authorizersFlushedAt: stage.authorizersFlushedAt }),
  } as const;
  if (webSocket === undefined)
    needs.publisher.publish(tx, {
      ...snapshot,
      ...base,
      ...publishedRouteSettings(stage),
      ...publishedAccessLog(stage, place),
      kind: "http",
    });
  else {
    const { disableExecuteApiEndpoint } = snapshot;
    const { clientCertificate } = stage;
    needs.publisher.publish(tx, {
      ...webSocket,
      ...base,
      ...publishedWebSocketSettings(stage),
      ...(clientCertificate && {
        clientCertificate: { cert: clientCertificate.cert, sealedKey: clientCertificate.sealedKey },
      }),
      ...publishedAccessLog(stage, place),
      kind: "websocket",
      disableExecuteApiEndpoint,
    });
  }
}

/** After a change of an API: what deploys itself is deployed, in the same transaction. */
export async function autoDeploy(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  apiId: string,
  now: number,
): Promise<void> {
  const stages = (await listChildren(tx, place, apiId, "stage")).filter((stage) => stage.autoDeploy);
  if (stages.length === 0) return;
  const snapshot = await takeSnapshot(tx, place, apiId);
  for (const stage of stages) await deployStage(needs, tx, place, apiId, stage, now, snapshot);
}

/** Deploy one stage that deploys itself, replacing its last automatic deployment. */
export async function deployStage(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  apiId: string,
  stage: StageRecord,
  now: number,
  snapshot: ApiSnapshot,
): Promise<StageRecord> {
  const previous =
    stage.deploymentId === undefined ? undefined : await findChild(tx, place, apiId, "deployment", stage.deploymentId);
  if (previous?.autoDeployed === true) deleteChild(tx, place, apiId, "deployment", previous.deploymentId);
  const description = "Automatic deployment triggered by changes to the Api configuration";
  const deployment = newDeployment(needs.ids, now, snapshot, true, description);
  const deployed: StageRecord = {
    ...stage,
    deploymentId: deployment.deploymentId,
    updatedAt: now,
    statusMessage: `Successfully deployed stage with deployment ID '${deployment.deploymentId}'`,
  };
  writeChild(tx, place, apiId, "deployment", deployment.deploymentId, deployment);
  writeChild(tx, place, apiId, "stage", stage.stageName, deployed);
  publishStage(needs, tx, place, apiId, deployed, deployment);
  return deployed;
}
