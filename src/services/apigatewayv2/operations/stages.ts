import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { deployStage, publishStage, takeSnapshot } from "../deploy.ts";
import { describeAccessLog, parseAccessLog } from "../access-log.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { findMade, madeBy } from "../../../wire/made.ts";
import {
  type ApiRecord,
  deleteChild,
  findChild,
  listChildren,
  readApi,
  type StageRecord,
  writeChild,
} from "../model.ts";
import { pageOf, parseStageName, wholeSecond } from "../rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";
import { describeRouteSettings, logsExecutions, parseRouteSettings, refuseLogging } from "../route-settings.ts";
import { checkTags } from "./tags.ts";

export function stageOperations(needs: ApiGatewayV2Needs) {
  return {
    CreateStage: {
      authorize: (input, call) => may("POST", call, `/apis/${input.ApiId}/stages`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        const wanted: StageRecord = {
          stageName: parseStageName(input.StageName ?? ""),
          ...(input.Description === undefined ? {} : { description: input.Description }),
          autoDeploy: input.AutoDeploy ?? false,
          ...(input.DeploymentId === undefined ? {} : { deploymentId: input.DeploymentId }),
          variables: checkVariables(input.StageVariables ?? {}),
          ...parseRouteSettings("CreateStage", input),
          ...parseAccessLog(input.AccessLogSettings, call),
          createdAt: call.now,
          updatedAt: call.now,
          tags: checkTags(input.Tags ?? {}),
          managed: false,
          ...madeBy(call),
        };
        const stage = await needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, apiId);
          const stages = await listChildren(tx, call, apiId, "stage");
          const earlier = findMade(stages, call);
          if (earlier !== undefined) return earlier;
          await checkLogging(needs, tx, call, api, wanted);
          const certificate = await readCertificate(needs, tx, call, api, input.ClientCertificateId);
          if (stages.some((other) => other.stageName === wanted.stageName)) throw conflict("Stage already exists");
          if (stages.length >= limits.stagesPerApiMax) throw limitExceeded("Stages", limits.stagesPerApiMax);
          return apply(needs, tx, call, apiId, { ...wanted, ...certificate });
        });
        return describeStage(stage);
      },
    },
    GetStage: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/stages/${input.StageName}`),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describeStage(await readStage(reader, call, input.ApiId ?? "", input.StageName ?? "")),
        ),
    },
    GetStages: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/stages`),
      run: async (input, call) => {
        const stages = await needs.store.read(async (reader) => {
          await readApi(reader, call, input.ApiId ?? "");
          return listChildren(reader, call, input.ApiId ?? "", "stage");
        });
        const page = pageOf(stages, (stage) => stage.stageName, input.MaxResults, input.NextToken);
        return { ...page, Items: page.Items.map(describeStage) };
      },
    },
    UpdateStage: {
      authorize: (input, call) => may("PATCH", call, `/apis/${input.ApiId}/stages/${input.StageName}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        const stage = await needs.store.transact(async (tx) => {
          const before = await readStage(tx, call, apiId, input.StageName ?? "");
          const api = await readApi(tx, call, apiId);
          const { clientCertificate, ...unchanged } = before;
          const certificate =
            input.ClientCertificateId === undefined
              ? clientCertificate && { clientCertificate }
              : await readCertificate(needs, tx, call, api, input.ClientCertificateId);
          const next: StageRecord = {
            ...unchanged,
            ...certificate,
            ...(input.Description === undefined ? {} : { description: input.Description }),
            autoDeploy: input.AutoDeploy ?? before.autoDeploy,
            ...(input.DeploymentId === undefined ? {} : { deploymentId: input.DeploymentId }),
            // AWS: variables are merged; one with an empty value is removed.
            variables: withoutEmpty({ ...before.variables, ...checkVariables(input.StageVariables ?? {}) }),
            updatedAt: call.now,
            ...parseRouteSettings("UpdateStage", input, before),
            ...parseAccessLog(input.AccessLogSettings, call, before),
          };
          await checkLogging(needs, tx, call, api, next);
          return apply(needs, tx, call, apiId, next);
        });
        return describeStage(stage);
      },
    },
    DeleteAccessLogSettings: {
      authorize: (input, call) =>
        may("DELETE", call, `/apis/${input.ApiId}/stages/${input.StageName}/accesslogsettings`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        await needs.store.transact(async (tx) => {
          const { accessLog: _gone, ...stage } = await readStage(tx, call, apiId, input.StageName ?? "");
          await apply(needs, tx, call, apiId, { ...stage, updatedAt: call.now });
        });
        return {};
      },
    },
    DeleteStage: {
      authorize: (input, call) => may("DELETE", call, `/apis/${input.ApiId}/stages/${input.StageName}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        await needs.store.transact(async (tx) => {
          const stage = await readStage(tx, call, apiId, input.StageName ?? "");
          deleteChild(tx, call, apiId, "stage", stage.stageName);
          needs.publisher.withdraw(tx, apiId, stage.stageName);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

/**
 * Throws BadRequestException.
 *
 * AWS: HTTP APIs have no execution logs, and need no role to log with. WebSocket APIs have both kinds of logs, as REST APIs do.
 */
async function checkLogging(
  needs: ApiGatewayV2Needs,
  reader: Reader,
  call: Call,
  { webSocket }: ApiRecord,
  stage: StageRecord,
): Promise<void> {
  if (webSocket === undefined) return refuseLogging(stage);
  if (stage.accessLog === undefined && !logsExecutions(stage)) return;
  if (await needs.hasLoggingRole(reader, call)) return;
  throw badRequest("CloudWatch Logs role ARN must be set in account settings to enable logging");
}

/** What endpoints are shown; nothing for an empty identifier. Throws NotFoundException, and BadRequestException for an HTTP API. */
async function readCertificate(
  needs: ApiGatewayV2Needs,
  reader: Reader,
  call: Call,
  { webSocket }: ApiRecord,
  id: string | undefined,
): Promise<Pick<StageRecord, "clientCertificate">> {
  if (!id) return {};
  if (webSocket === undefined) throw badRequest("ClientCertificateId is only supported for WebSocket APIs");
  return { clientCertificate: { id, ...(await needs.readClientCertificate(reader, call, id)) } };
}

/** Write a stage and put on the air what it now stands for. */
async function apply(
  needs: ApiGatewayV2Needs,
  tx: Transaction,
  call: Call,
  apiId: string,
  stage: StageRecord,
): Promise<StageRecord> {
  if (stage.autoDeploy) {
    return deployStage(needs, tx, call, apiId, stage, call.now, await takeSnapshot(tx, call, apiId));
  }
  writeChild(tx, call, apiId, "stage", stage.stageName, stage);
  if (stage.deploymentId !== undefined) {
    const deployment = await findChild(tx, call, apiId, "deployment", stage.deploymentId);
    if (deployment === undefined) throw childNotFound("Deployment");
    publishStage(needs, tx, call, apiId, stage, deployment);
  }
  return stage;
}

export async function readStage(reader: Reader, call: Call, apiId: string, stageName: string): Promise<StageRecord> {
  await readApi(reader, call, apiId);
  const stage = await findChild(reader, call, apiId, "stage", stageName);
  if (stage === undefined) throw childNotFound("stage");
  return stage;
}

function checkVariables(variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(variables)) {
    if (!/^\w{1,64}$/.test(name)) throw badRequest("Stage variable names can only have alphanumeric characters and _");
    if (value.length > 512 || !/^[\w.~:/?#&=,@-]*$/.test(value)) {
      throw badRequest(`Stage variable ${name} has a value with characters outside [A-Za-z0-9-._~:/?#&=,@]`);
    }
  }
  return variables;
}

function withoutEmpty(variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
}

function describeStage(stage: StageRecord) {
  return {
    ...(stage.managed ? { ApiGatewayManaged: true } : {}),
    AutoDeploy: stage.autoDeploy,
    ...(stage.clientCertificate === undefined ? {} : { ClientCertificateId: stage.clientCertificate.id }),
    CreatedDate: wholeSecond(stage.createdAt),
    ...describeAccessLog(stage),
    ...describeRouteSettings(stage),
    ...(stage.deploymentId === undefined ? {} : { DeploymentId: stage.deploymentId }),
    ...(stage.description === undefined ? {} : { Description: stage.description }),
    ...(stage.statusMessage === undefined ? {} : { LastDeploymentStatusMessage: stage.statusMessage }),
    LastUpdatedDate: wholeSecond(stage.updatedAt),
    StageName: stage.stageName,
    StageVariables: { ...stage.variables },
    Tags: { ...stage.tags },
  };
}
