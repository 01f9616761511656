import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import { apiGatewayV2ConditionKeys } from "./condition-keys.ts";
import { usesClientCertificate } from "./client-certificates.ts";
import { apiMappingOperations } from "./operations/api-mappings.ts";
import { apiOperations } from "./operations/apis.ts";
import { authorizerOperations } from "./operations/authorizers.ts";
import { deploymentOperations } from "./operations/deployments.ts";
import { domainNameOperations } from "./operations/domain-names.ts";
import { exportOperations } from "./operations/exports.ts";
import { integrationOperations } from "./operations/integrations.ts";
import type { ApiGatewayV2Needs } from "./operations/needs.ts";
import { routeOperations } from "./operations/routes.ts";
import { routingRuleOperations } from "./operations/routing-rules.ts";
import { routeSettingsOperations } from "./operations/route-settings.ts";
import { stageOperations } from "./operations/stages.ts";
import { tagOperations } from "./operations/tags.ts";
import { byProtocol } from "./websocket/protocol.ts";
import { webSocketOperations } from "./websocket/operations.ts";
import { apiMappingType } from "./resources/api-mapping.ts";
import { apiType } from "./resources/api.ts";
import { domainNameType } from "./resources/domain-name.ts";
import { routingRuleType } from "./resources/routing-rule.ts";
import { authorizerType } from "./resources/authorizer.ts";
import { deploymentType } from "./resources/deployment.ts";
import { integrationResponseType } from "./resources/integration-response.ts";
import { integrationType } from "./resources/integration.ts";
import { modelType } from "./resources/model.ts";
import { routeResponseType } from "./resources/route-response.ts";
import { routeType } from "./resources/route.ts";
import { stageType } from "./resources/stage.ts";

export interface ApiGatewayV2 {
  readonly service: Service;
  readonly resourceTypes: readonly ResourceType[];
  /** Whether a stage shows its endpoints a client certificate. */
  readonly usesClientCertificate: typeof usesClientCertificate;
}

/** The control plane of HTTP APIs. What it deploys, the data plane answers from. */
export function createApiGatewayV2(needs: ApiGatewayV2Needs): ApiGatewayV2 {
  return {
    service: {
      name: "apigatewayv2",
      operations: byProtocol(
        needs.store,
        {
          ...apiOperations(needs),
          ...routeOperations(needs),
          ...authorizerOperations(needs),
          ...integrationOperations(needs),
          ...stageOperations(needs),
          ...routeSettingsOperations(needs),
          ...deploymentOperations(needs),
          ...tagOperations(needs),
          ...exportOperations(needs),
          ...domainNameOperations(needs),
          ...apiMappingOperations(needs),
          ...routingRuleOperations(needs),
        },
        webSocketOperations(needs),
      ),
      conditionKeys: apiGatewayV2ConditionKeys,
    },
    usesClientCertificate,
    resourceTypes: [
      domainNameType,
      apiMappingType,
      routingRuleType,
      authorizerType,
      modelType,
      apiType,
      routeType,
      routeResponseType,
      integrationType,
      integrationResponseType,
      stageType,
      deploymentType,
    ],
  };
}
