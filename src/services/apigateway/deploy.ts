import { lowerAlphanumeric, type Ids } from "../../kernel/ids.ts";
import type { Call } from "../../wire/service.ts";
import type { Reader, Transaction } from "../../kernel/store/store.ts";
import type { ModelChecker, PublishedGatewayResponse, PublishedMethod, StagePublisher } from "../execute-api/port.ts";
import { type AuthorizerRecord, publishedAuthorizer } from "./authorizer-record.ts";
import { publishedCertificate, readClientCertificate } from "./client-certificates.ts";
import { badRequest } from "./errors.ts";
import { publishedMethodSettings } from "./operations/method-settings.ts";
import { publishedCache, publishedCanary } from "./operations/stage-settings.ts";
import {
  type DeploymentRecord,
  findChild,
  listChildren,
  type Place,
  type ResourceRecord,
  type RestApiRecord,
  type StageRecord,
  writeChild,
} from "./model.ts";

import { type FrozenValidation, freezeValidation } from "./models.ts";
import type { FrozenApiRecord, ModelRecord, RequestValidatorRecord } from "./records.ts";
import { publishedCacheKey, publishedIntegration } from "./published-integration.ts";
import { checkLogging, publishedAccessLog } from "./stage-logging.ts";

export interface DeployNeeds {
  readonly ids: Ids;
  readonly publisher: StagePublisher;
  readonly models: ModelChecker;
}

/** Freeze an API as a deployment. Throws BadRequestException when there is nothing to deploy, or a method does nothing. */
export async function createDeployment(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  api: RestApiRecord,
  { now, creationToken }: Pick<Call, "now" | "creationToken">,
  description: string | undefined,
): Promise<DeploymentRecord> {
  const resources = await listChildren(tx, place, api.id, "resource");
  const parts = await readParts(tx, place, api);
  const { models, validators, authorizers, gatewayResponses } = parts;
  const snapshot = freezeApi(needs, parts, resources);
  if (snapshot.methods.length === 0) throw badRequest("The REST API doesn't contain any methods");
  const deployment: DeploymentRecord = {
    id: needs.ids.random(6, lowerAlphanumeric),
    ...(description === undefined ? {} : { description }),
    createdAt: now,
    ...(creationToken === undefined ? {} : { creationToken }),
    snapshot,
  };
  const frozen: FrozenApiRecord = {
    deploymentId: deployment.id,
    api,
    authorizers,
    resources,
    models,
    validators,
    gatewayResponses,
  };
  writeChild(tx, place, api.id, "frozen-api", deployment.id, frozen);
  writeChild(tx, place, api.id, "deployment", deployment.id, deployment);
  return deployment;
}

/** What methods refer to. */
interface ApiParts {
  readonly api: RestApiRecord;
  readonly models: readonly ModelRecord[];
  readonly validators: readonly RequestValidatorRecord[];
  readonly authorizers: readonly AuthorizerRecord[];
  readonly gatewayResponses: readonly PublishedGatewayResponse[];
}

export async function readParts(reader: Reader, place: Place, api: RestApiRecord): Promise<ApiParts> {
  return {
    api,
    models: await listChildren(reader, place, api.id, "model"),
    validators: await listChildren(reader, place, api.id, "request-validator"),
    authorizers: await listChildren(reader, place, api.id, "authorizer"),
    gatewayResponses: await listChildren(reader, place, api.id, "gateway-response"),
  };
}

/** An API as stages answer with it, or some of its resources. Throws BadRequestException for a method that does nothing. */
export function freezeApi(
  needs: Pick<DeployNeeds, "models">,
  { api, models, validators, authorizers, gatewayResponses }: ApiParts,
  resources: readonly ResourceRecord[],
): DeploymentRecord["snapshot"] {
  const validation = freezeValidation(needs.models, models, validators);
  const methods = resources.flatMap((resource) => publishedMethods(resource, validation));
  return {
    apiName: api.name,
    binaryMediaTypes: api.binaryMediaTypes,
    disableExecuteApiEndpoint: api.disableExecuteApiEndpoint,
    endpointType: api.endpointType,
    ...(api.apiKeySource === "HEADER" ? {} : { apiKeySource: api.apiKeySource }),
    gatewayResponses,
    methods,
    models: validation.schemas(),
    ...(authorizers.length === 0 ? {} : { authorizers: authorizers.map(publishedAuthorizer) }),
    ...(api.policy === undefined ? {} : { policy: api.policy }),
    ...(api.minimumCompressionSize === undefined ? {} : { minimumCompressionSize: api.minimumCompressionSize }),
  };
}

/** Write a stage and put on the air what its deployment froze, and its canary's. Throws BadRequestException without that. */
export async function writeStage(
  needs: DeployNeeds,
  tx: Transaction,
  place: Place,
  apiId: string,
  stage: StageRecord,
  deployment: DeploymentRecord,
): Promise<void> {
  const canaryId = stage.canary?.deploymentId;
  const canary = canaryId === undefined ? undefined : await findChild(tx, place, apiId, "deployment", canaryId);
  if (canaryId !== undefined && canary === undefined) throw badRequest("Canary deployment id does not exist");
  await checkLogging(tx, place, stage);
  const { clientCertificateId } = stage;
  const certificate =
    clientCertificateId === undefined ? undefined : await readClientCertificate(tx, place, clientCertificateId);
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
    ...(stage.authorizersFlushedAt === undefined ? {} : { authorizersFlushedAt: stage.authorizersFlushedAt }),
    ...(stage.methodSettings === undefined ? {} : { methodSettings: publishedMethodSettings(stage.methodSettings) }),
    ...publishedAccessLog(stage, place),
    ...(certificate === undefined ? {} : { clientCertificate: publishedCertificate(certificate) }),
    ...publishedCache(stage),
    ...publishedCanary(stage, canary),
  });
}

function publishedMethods(resource: ResourceRecord, validation: FrozenValidation): PublishedMethod[] {
  const published: PublishedMethod[] = [];
  for (const method of Object.values(resource.methods)) {
    if (method.integration === undefined) throw badRequest("No integration defined for method");
    const validated = validation.validationOf(method);
    published.push({
      resourceId: resource.id,
      path: resource.path,
      httpMethod: method.httpMethod,
      ...(method.apiKeyRequired === true ? { apiKeyRequired: true } : {}),
      ...(method.operationName === undefined ? {} : { operationName: method.operationName }),
      authorizationType: method.authorizationType,
      ...(method.authorizerId === undefined ? {} : { authorizerId: method.authorizerId }),
      ...(method.authorizationScopes === undefined ? {} : { authorizationScopes: method.authorizationScopes }),
      ...(validated === undefined ? {} : { validation: validated }),
      ...publishedCacheKey(method.integration),
      integration: publishedIntegration(method.integration),
    });
  }
  return published;
}
