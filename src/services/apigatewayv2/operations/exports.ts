import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { stringify } from "yaml";
import { notImplemented } from "../../../aws/error.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { readDefinition } from "../definition.ts";
import { badRequest } from "../errors.ts";
import { exportApi } from "../export.ts";
import { findChild, type FrozenDefinition, type Place, readApi } from "../model.ts";
import { apiEndpoint } from "../rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";
import { readStage } from "./stages.ts";

export function exportOperations(needs: ApiGatewayV2Needs) {
  return {
    ExportApi: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/exports/${input.Specification}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        if (input.Specification !== "OAS30") throw badRequest("Specification must be OAS30");
        if (input.OutputType !== "JSON" && input.OutputType !== "YAML") {
          throw badRequest("OutputType must be JSON or YAML");
        }
        if (input.ExportVersion !== undefined && input.ExportVersion !== "1.0") {
          throw badRequest("ExportVersion must be 1.0");
        }
        const document = await needs.store.read(async (reader) => {
          const api = await readApi(reader, call, apiId);
          if (api.webSocket !== undefined) throw badRequest("Only HTTP APIs can be exported");
          const stage =
            input.StageName === undefined ? undefined : await readStage(reader, call, apiId, input.StageName);
          const exported =
            stage === undefined || stage.autoDeploy
              ? await readDefinition(reader, call, api)
              : await readDeployed(reader, call, apiId, stage.deploymentId);
          const url = apiEndpoint(call.endpoint, apiId, call.region);
          const server = { url, ...(stage === undefined ? {} : { stageName: stage.stageName }) };
          return exportApi(exported, server, input.IncludeExtensions !== false);
        });
        const text = input.OutputType === "YAML" ? stringify(document) : JSON.stringify(document, null, 2);
        return { body: Buffer.from(text, "utf8") };
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

/** What a stage has deployed, whatever the API has become since. */
async function readDeployed(
  reader: Reader,
  place: Place,
  apiId: string,
  deploymentId: string | undefined,
): Promise<FrozenDefinition> {
  if (deploymentId === undefined) throw badRequest("The stage has no deployment");
  const deployment = await findChild(reader, place, apiId, "deployment", deploymentId);
  if (deployment?.definition !== undefined) return deployment.definition;
  throw notImplemented("ExportApi of a deployment from before definitions were kept with deployments");
}
