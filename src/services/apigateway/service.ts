import type { Reader } from "../../kernel/store/store.ts";
import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import type { PublishedClientCertificate } from "../execute-api/port.ts";
import { apiGatewayConditionKeys } from "./condition-keys.ts";
import { publishedCertificate, readClientCertificate, sealClientCertificates } from "./client-certificates.ts";
import type { Place } from "./model.ts";
import { accountOperations } from "./operations/account.ts";
import { apiKeyOperations } from "./operations/api-keys.ts";
import { authorizerOperations } from "./operations/authorizers.ts";
import { basePathMappingOperations } from "./operations/base-path-mappings.ts";
import { domainNameOperations } from "./operations/domain-names.ts";
import { deploymentOperations } from "./operations/deployments.ts";
import { clientCertificateOperations } from "./operations/client-certificates.ts";
import { documentationPartOperations } from "./operations/documentation-parts.ts";
import { documentationVersionOperations } from "./operations/documentation-versions.ts";
import { exportOperations } from "./operations/exports.ts";
import { gatewayResponseOperations } from "./operations/gateway-responses.ts";
import { importOperations } from "./operations/imports.ts";
import { integrationResponseOperations } from "./operations/integration-responses.ts";
import { integrationOperations } from "./operations/integrations.ts";
import { methodResponseOperations } from "./operations/method-responses.ts";
import { methodOperations } from "./operations/methods.ts";
import { modelOperations } from "./operations/models.ts";
import type { ApiGatewayNeeds } from "./operations/needs.ts";
import { requestValidatorOperations } from "./operations/request-validators.ts";
import { resourceOperations } from "./operations/resources.ts";
import { restApiOperations } from "./operations/rest-apis.ts";
import { sdkTypeOperations } from "./operations/sdk-types.ts";
import { stageOperations } from "./operations/stages.ts";
import { testMethodOperations } from "./operations/test-methods.ts";
import { tagOperations } from "./operations/tags.ts";
import { usageOperations } from "./operations/usage.ts";
import { usagePlanOperations } from "./operations/usage-plans.ts";
import { apiKeyType } from "./resources/api-key.ts";
import { usagePlanKeyType } from "./resources/usage-plan-key.ts";
import { usagePlanType } from "./resources/usage-plan.ts";
import { accountType } from "./resources/account.ts";
import { basePathMappingType } from "./resources/base-path-mapping.ts";
import { domainNameType } from "./resources/domain-name.ts";
import { authorizerType } from "./resources/authorizer.ts";
import { deploymentType } from "./resources/deployment.ts";
import { gatewayResponseType } from "./resources/gateway-response.ts";
import { clientCertificateType } from "./resources/client-certificate.ts";
import { documentationPartType, documentationVersionType } from "./resources/documentation.ts";
import { methodType } from "./resources/method.ts";
import { modelType } from "./resources/model.ts";
import { requestValidatorType } from "./resources/request-validator.ts";
import { resourceType } from "./resources/resource.ts";
import { restApiType } from "./resources/rest-api.ts";
import { stageType } from "./resources/stage.ts";
import { hasLoggingRole } from "./stage-logging.ts";

export interface ApiGateway {
  readonly service: Service;
  readonly resourceTypes: readonly ResourceType[];
  /** Before requests come: seal what an earlier version has kept in clear. */
  recover(): Promise<void>;
  /** Whether an account has a role in a region that API Gateway may log with. */
  readonly hasLoggingRole: typeof hasLoggingRole;
  /** What endpoints are shown of a client certificate. Throws NotFoundException. */
  readonly readClientCertificate: (reader: Reader, place: Place, id: string) => Promise<PublishedClientCertificate>;
}

/** The control plane of REST APIs. What it deploys, the data plane answers from. */
export function createApiGateway(needs: ApiGatewayNeeds): ApiGateway {
  return {
    service: {
      name: "apigateway",
      operations: {
        ...restApiOperations(needs),
        ...importOperations(needs),
        ...resourceOperations(needs),
        ...methodOperations(needs),
        ...authorizerOperations(needs),
        ...methodResponseOperations(needs),
        ...integrationOperations(needs),
        ...integrationResponseOperations(needs),
        ...deploymentOperations(needs),
        ...stageOperations(needs),
        ...gatewayResponseOperations(needs),
        ...testMethodOperations(needs),
        ...tagOperations(needs),
        ...apiKeyOperations(needs),
        ...usagePlanOperations(needs),
        ...usageOperations(needs),
        ...accountOperations(needs),
        ...domainNameOperations(needs),
        ...basePathMappingOperations(needs),
        ...modelOperations(needs),
        ...exportOperations(needs),
        ...clientCertificateOperations(needs),
        ...sdkTypeOperations(),
        ...documentationPartOperations(needs),
        ...documentationVersionOperations(needs),
        ...requestValidatorOperations(needs),
      },
      conditionKeys: apiGatewayConditionKeys,
    },
    hasLoggingRole,
    readClientCertificate: async (reader, place, id) =>
      publishedCertificate(await readClientCertificate(reader, place, id)),
    recover: () => sealClientCertificates(needs.store, needs.seal),
    resourceTypes: [
      domainNameType,
      basePathMappingType,
      authorizerType,
      restApiType,
      resourceType,
      methodType,
      deploymentType,
      stageType,
      gatewayResponseType,
      accountType,
      modelType,
      requestValidatorType,
      clientCertificateType,
      documentationPartType,
      documentationVersionType,
      apiKeyType,
      usagePlanType,
      usagePlanKeyType,
    ],
  };
}
