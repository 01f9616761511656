import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { notImplemented } from "../../../aws/error.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { badRequest } from "../errors.ts";
import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { stageOperations } from "../operations/stages.ts";

/** Stages of WebSocket APIs are those of HTTP APIs, but for the settings that nothing acts on there. */
export function webSocketStageOperations(needs: ApiGatewayV2Needs) {
  const { CreateStage, UpdateStage } = stageOperations(needs);
  return {
    CreateStage: {
      authorize: CreateStage.authorize,
      run: (input, call) => {
        if (input.StageName === "$default") throw badRequest("Stage name $default is only supported for HTTP APIs");
        refuseSettings("CreateStage", input);
        return CreateStage.run(input, call);
      },
    },
    UpdateStage: {
      authorize: UpdateStage.authorize,
      run: (input, call) => {
        refuseSettings("UpdateStage", input);
        return UpdateStage.run(input, call);
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

function refuseSettings(operation: string, input: object): void {
  for (const [name, value] of Object.entries(input)) {
    if (settings.has(name) && asks(value)) throw notImplemented(`${operation} of a WebSocket API with ${name}`);
  }
}

const settings = new Set(["AccessLogSettings", "ClientCertificateId", "DefaultRouteSettings", "RouteSettings"]);

/** What is off, empty or absent asks for nothing. */
function asks(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).some(asks);
  return Boolean(value) && value !== "OFF";
}
