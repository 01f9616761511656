import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { OperationsOf } from "../../../wire/service.ts";
import { badRequest } from "../errors.ts";
import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { stageOperations } from "../operations/stages.ts";

/** Stages of WebSocket APIs are those of HTTP APIs, but that none of them is `$default`. */
export function webSocketStageOperations(needs: ApiGatewayV2Needs) {
  const { CreateStage } = stageOperations(needs);
  return {
    CreateStage: {
      authorize: CreateStage.authorize,
      run: (input, call) => {
        if (input.StageName === "$default") throw badRequest("Stage name $default is only supported for HTTP APIs");
        return CreateStage.run(input, call);
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}
