import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { publishStage } from "../deploy.ts";
import { childNotFound } from "../errors.ts";
import { findChild, type StageRecord, writeChild } from "../model.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";
import { readStage } from "./stages.ts";

export function routeSettingsOperations(needs: ApiGatewayV2Needs) {
  return {
    DeleteRouteSettings: {
      authorize: (input, call) =>
        may("DELETE", call, `/apis/${input.ApiId}/stages/${input.StageName}/routesettings/${input.RouteKey}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        await needs.store.transact(async (tx) => {
          const before = await readStage(tx, call, apiId, input.StageName ?? "");
          const { [input.RouteKey ?? ""]: gone, ...routeSettings } = before.routeSettings ?? {};
          if (gone === undefined) throw childNotFound("route settings");
          const stage: StageRecord = { ...before, routeSettings, updatedAt: call.now };
          writeChild(tx, call, apiId, "stage", stage.stageName, stage);
          const deployment = await findChild(tx, call, apiId, "deployment", stage.deploymentId ?? "");
          if (deployment !== undefined) publishStage(needs, tx, call, apiId, stage, deployment);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}
