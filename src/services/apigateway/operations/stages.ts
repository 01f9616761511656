import type * as sdk from "@aws-sdk/client-api-gateway";
import type { Reader } from "../../../kernel/store/store.ts";
import { notImplemented } from "../../../aws/error.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { writeStage } from "../deploy.ts";
import { badRequest, conflict, limitExceeded, stillMapped } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import { deleteChild, findChild, listChildren, type Place, readApi, readChild, type StageRecord } from "../model.ts";
import { applyPatch, parseFlag, type PatchTable } from "../patch.ts";
import { accessLogPatches, describeAccessLog } from "../stage-logging.ts";
import { checkStageName, checkTags, checkVariables, refuseMembers, wholeSecond } from "../rules.ts";
import { methodSettingPatches } from "./method-settings.ts";
import { leaveUsagePlans } from "../usage-model.ts";
import type { ApiGatewayNeeds } from "./needs.ts";
import {
  cachePatches,
  canaryPatches,
  describeCache,
  describeCanary,
  flushed,
  parseCacheCluster,
  parseCanary,
} from "./stage-settings.ts";

const refused = ["tracingEnabled"];

export function stageOperations(needs: ApiGatewayNeeds) {
  return {
    CreateStage: {
      authorize: (input, call) => may("POST", call, `/restapis/${input.restApiId}/stages`),
      run: async (input, call) => {
        refuseMembers("CreateStage", input, refused);
        const stage: StageRecord = {
          stageName: checkStageName(input.stageName),
          deploymentId: input.deploymentId ?? "",
          ...(input.description === undefined ? {} : { description: input.description }),
          variables: checkVariables(input.variables ?? {}),
          ...(input.documentationVersion ? { documentationVersion: input.documentationVersion } : {}),
          ...parseCacheCluster(needs.ids, input.cacheClusterEnabled, input.cacheClusterSize),
          ...(input.canarySettings === undefined
            ? {}
            : { canary: parseCanary(input.canarySettings, input.deploymentId ?? "") }),
          createdAt: call.now,
          updatedAt: call.now,
          tags: checkTags(input.tags ?? {}),
        };
        await needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, input.restApiId);
          const stages = await listChildren(tx, call, api.id, "stage");
          if (stages.some((other) => other.stageName === stage.stageName)) throw conflict("Stage already exists");
          if (stages.length >= limits.stagesPerApiMax)
            throw limitExceeded("stages for this API", limits.stagesPerApiMax);
          const deployment = await findChild(tx, call, api.id, "deployment", stage.deploymentId);
          if (deployment === undefined) throw badRequest("Deployment id does not exist");
          await checkDocumentationVersion(tx, call, api.id, stage);
          await writeStage(needs, tx, call, api.id, stage, deployment);
        });
        return describeStage(stage);
      },
    },
    GetStage: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/stages/${input.stageName}`),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describeStage(await readChild(reader, call, input.restApiId, "stage", input.stageName)),
        ),
    },
    GetStages: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/stages`),
      run: async (input, call) => {
        const stages = await needs.store.read(async (reader) => {
          const api = await readApi(reader, call, input.restApiId);
          return listChildren(reader, call, api.id, "stage");
        });
        const wanted = stages.filter((stage) => !input.deploymentId || stage.deploymentId === input.deploymentId);
        return { item: wanted.map(describeStage) };
      },
    },
    UpdateStage: {
      authorize: (input, call) => may("PATCH", call, `/restapis/${input.restApiId}/stages/${input.stageName}`),
      run: async (input, call) => {
        const stage = await needs.store.transact(async (tx) => {
          const before = await readChild(tx, call, input.restApiId, "stage", input.stageName);
          const next = { ...applyPatch(before, input.patchOperations, patches), updatedAt: call.now };
          checkVariables(next.variables);
          const deployment = await findChild(tx, call, input.restApiId ?? "", "deployment", next.deploymentId);
          if (deployment === undefined) throw badRequest("Deployment id does not exist");
          await checkDocumentationVersion(tx, call, input.restApiId ?? "", next);
          await writeStage(needs, tx, call, input.restApiId ?? "", next, deployment);
          return next;
        });
        return describeStage(stage);
      },
    },
    FlushStageCache: {
      authorize: (input, call) =>
        may("DELETE", call, `/restapis/${input.restApiId}/stages/${input.stageName}/cache/data`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const before = await readChild(tx, call, input.restApiId, "stage", input.stageName);
          const deployment = await readChild(tx, call, input.restApiId, "deployment", before.deploymentId);
          await writeStage(needs, tx, call, input.restApiId ?? "", flushed(before, needs.ids.uuid()), deployment);
        });
        return {};
      },
    },
    DeleteStage: {
      authorize: (input, call) => may("DELETE", call, `/restapis/${input.restApiId}/stages/${input.stageName}`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const { stageName } = await readChild(tx, call, input.restApiId, "stage", input.stageName);
          const mapped = await needs.domains.leadingTo(tx, call, input.restApiId ?? "", stageName);
          if (mapped.length > 0) throw stillMapped("stage", mapped);
          deleteChild(tx, call, input.restApiId ?? "", "stage", stageName);
          needs.publisher.withdraw(tx, input.restApiId ?? "", stageName);
          await leaveUsagePlans(tx, needs.usage, call, input.restApiId ?? "", stageName);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

/** Throws NotFoundException for documentation that there is none of. */
async function checkDocumentationVersion(
  reader: Reader,
  place: Place,
  apiId: string,
  { documentationVersion }: StageRecord,
): Promise<void> {
  if (documentationVersion === undefined) return;
  await readChild(reader, place, apiId, "documentation-version", documentationVersion);
}

const patches: PatchTable<StageRecord> = [
  {
    path: /^\/clientCertificateId$/,
    apply: {
      replace: ({ clientCertificateId: _before, ...stage }, value) => ({
        ...stage,
        ...(value === "" ? {} : { clientCertificateId: value }),
      }),
      remove: ({ clientCertificateId: _before, ...stage }) => stage,
    },
  },
  {
    path: /^\/documentationVersion$/,
    apply: {
      replace: ({ documentationVersion: _before, ...stage }, value) => ({
        ...stage,
        ...(value === "" ? {} : { documentationVersion: value }),
      }),
      remove: ({ documentationVersion: _before, ...stage }) => stage,
    },
  },
  ...cachePatches,
  ...canaryPatches,
  { path: /^\/deploymentId$/, apply: { replace: (stage, deploymentId) => ({ ...stage, deploymentId }) } },
  { path: /^\/description$/, apply: { replace: (stage, description) => ({ ...stage, description }) } },
  // Deployment tools say what is off, too.
  {
    path: /^\/tracingEnabled$/,
    apply: {
      replace: (stage, value) => {
        if (parseFlag(value)) throw notImplemented("UpdateStage with tracingEnabled");
        return stage;
      },
    },
  },
  {
    path: /^\/variables\/[^/]+$/,
    apply: {
      add: (stage, value, name) => ({ ...stage, variables: { ...stage.variables, [name]: value } }),
      replace: (stage, value, name) => ({ ...stage, variables: { ...stage.variables, [name]: value } }),
      remove: (stage, _value, name) => {
        const { [name]: _gone, ...variables } = stage.variables;
        return { ...stage, variables };
      },
    },
  },
  ...methodSettingPatches,
  ...accessLogPatches,
];

function describeStage(stage: StageRecord) {
  return {
    deploymentId: stage.deploymentId,
    stageName: stage.stageName,
    ...(stage.description === undefined ? {} : { description: stage.description }),
    ...(stage.clientCertificateId === undefined ? {} : { clientCertificateId: stage.clientCertificateId }),
    ...(stage.documentationVersion === undefined ? {} : { documentationVersion: stage.documentationVersion }),
    ...describeCache(stage),
    ...describeAccessLog(stage),
    methodSettings: { ...stage.methodSettings },
    ...(Object.keys(stage.variables).length === 0 ? {} : { variables: { ...stage.variables } }),
    ...describeCanary(stage),
    tracingEnabled: false,
    ...(Object.keys(stage.tags).length === 0 ? {} : { tags: { ...stage.tags } }),
    createdDate: wholeSecond(stage.createdAt),
    lastUpdatedDate: wholeSecond(stage.updatedAt),
  };
}
