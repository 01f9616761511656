import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { webSocketApiOperations } from "./apis.ts";
import { integrationResponseOperations } from "./integration-responses.ts";
import { webSocketIntegrationOperations } from "./integrations.ts";
import { modelOperations } from "./models.ts";
import { routeResponseOperations } from "./route-responses.ts";
import { webSocketRouteOperations } from "./routes.ts";
import { webSocketStageOperations } from "./stages.ts";

/** The operations of WebSocket APIs: those of their own, and those that HTTP APIs have as well. */
export function webSocketOperations(needs: ApiGatewayV2Needs) {
  return {
    ...webSocketApiOperations(needs),
    ...webSocketRouteOperations(needs),
    ...routeResponseOperations(needs),
    ...webSocketIntegrationOperations(needs),
    ...integrationResponseOperations(needs),
    ...webSocketStageOperations(needs),
    ...modelOperations(needs),
  };
}
