import { type IntegrationRecord, readApi } from "../model.ts";
import { parseIntegration } from "../integration-rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";
import { integrationOperationsOf } from "./integration-operations.ts";

export function integrationOperations(needs: ApiGatewayV2Needs) {
  return integrationOperationsOf(needs, {
    kind: "integration",
    routeKind: "route",
    readApi,
    create: (integrationId, input) => ({
      integrationId,
      ...parseIntegration("CreateIntegration", input, undefined, needs.integrable),
      managed: false,
    }),
    change: (before, input) => ({
      integrationId: before.integrationId,
      ...parseIntegration("UpdateIntegration", input, before, needs.integrable),
      managed: before.managed,
    }),
    deleted: async () => {},
    describe,
  });
}

function describe(integration: IntegrationRecord) {
  const { type = "AWS_PROXY", requestParameters, responseParameters, serverName, subtype, uri } = integration;
  const method = integration.method ?? (subtype === undefined ? "POST" : undefined);
  return {
    ...(integration.managed ? { ApiGatewayManaged: true } : {}),
    ConnectionType: "INTERNET" as const,
    ...(integration.credentials === undefined ? {} : { CredentialsArn: integration.credentials }),
    ...(integration.description === undefined ? {} : { Description: integration.description }),
    IntegrationId: integration.integrationId,
    ...(method === undefined ? {} : { IntegrationMethod: type === "AWS_PROXY" ? "POST" : method }),
    ...(subtype === undefined ? {} : { IntegrationSubtype: subtype }),
    IntegrationType: type,
    ...(uri === "" ? {} : { IntegrationUri: uri }),
    PayloadFormatVersion: integration.payloadFormatVersion,
    ...(requestParameters === undefined ? {} : { RequestParameters: { ...requestParameters } }),
    ...(responseParameters === undefined
      ? {}
      : {
          ResponseParameters: Object.fromEntries(
            Object.entries(responseParameters).map(([status, parameters]) => [status, { ...parameters }]),
          ),
        }),
    TimeoutInMillis: integration.timeoutMs,
    ...(serverName === undefined ? {} : { TlsConfig: { ServerNameToVerify: serverName } }),
  };
}
