import { lowerAlphanumeric, type Ids } from "../../kernel/ids.ts";
import type { Transaction } from "../../kernel/store/store.ts";
import type { PublishedMethod, StagePublisher } from "../execute-api/port.ts";
import { badRequest } from "./errors.ts";
import {
  type DeploymentRecord,
  type IntegrationRecord,
  listChildren,
  type Place,
  type ResourceRecord,
  type RestApiRecord,
  type StageRecord,
  writeChild,
} from "./model.ts";

export interface DeployNeeds {
  readonly ids: Ids;
  readonly publisher: StagePublisher;
}

/** Freeze an API as a deployment. Throws BadRequestException when there is nothing to deploy, or a method does nothing. */
export async function createDeployment(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  api: RestApiRecord,
  now: number,
  description: string | undefined,
): Promise<DeploymentRecord> {
  const resources = await listChildren(tx, place, api.id, "resource");
  const methods = resources.flatMap(publishedMethods);
  if (methods.length === 0) throw badRequest("The REST API doesn't contain any methods");
  const deployment: DeploymentRecord = {
    id: needs.ids.random(6, lowerAlphanumeric),
    ...(description === undefined ? {} : { description }),
    createdAt: now,
    snapshot: {
      apiName: api.name,
      binaryMediaTypes: api.binaryMediaTypes,
      disableExecuteApiEndpoint: api.disableExecuteApiEndpoint,
      gatewayResponses: await listChildren(tx, place, api.id, "gateway-response"),
      methods,
    },
  };
  writeChild(tx, place, api.id, "deployment", deployment.id, deployment);
  return deployment;
}

/** Write a stage and put on the air what its deployment froze. */
export function writeStage(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  apiId: string,
  stage: StageRecord,
  deployment: DeploymentRecord,
): void {
  writeChild(tx, place, apiId, "stage", stage.stageName, stage);
  needs.publisher.publish(tx, {
    ...deployment.snapshot,
    kind: "rest",
    version: 1,
    account: place.account,
    region: place.region,
    apiId,
    stageName: stage.stageName,
    deploymentId: deployment.id,
    variables: stage.variables,
  });
}

function publishedMethods(resource: ResourceRecord): PublishedMethod[] {
  const published: PublishedMethod[] = [];
  for (const method of Object.values(resource.methods)) {
    if (method.integration === undefined) throw badRequest("No integration defined for method");
    published.push({
      resourceId: resource.id,
      path: resource.path,
      httpMethod: method.httpMethod,
      ...(method.operationName === undefined ? {} : { operationName: method.operationName }),
      authorizationType: method.authorizationType,
      integration: publishedIntegration(method.integration),
    });
  }
  return published;
}

function publishedIntegration(integration: IntegrationRecord): PublishedMethod["integration"] {
  if (integration.type === "AWS_PROXY") {
    return {
      type: "AWS_PROXY",
      uri: integration.uri ?? "",
      timeoutMs: integration.timeoutMs,
      ...(integration.credentials === undefined ? {} : { asCaller: true }),
    };
  }
  const responses = [];
  for (const response of Object.values(integration.responses)) {
    responses.push({
      statusCode: response.statusCode,
      ...(response.selectionPattern === undefined ? {} : { selectionPattern: response.selectionPattern }),
      responseParameters: response.responseParameters ?? {},
      responseTemplates: response.responseTemplates ?? {},
    });
  }
  return {
    type: "MOCK",
    requestTemplates: integration.requestTemplates ?? {},
    passthroughBehavior: integration.passthroughBehavior,
    responses,
  };
}
