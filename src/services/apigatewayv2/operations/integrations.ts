import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { deleteChild, findChild, type IntegrationRecord, listChildren, readApi, writeChild } from "../model.ts";
import { parseIntegration, passedRole } from "../integration-rules.ts";
import { pageOf } from "../rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";

export function integrationOperations(needs: ApiGatewayV2Needs) {
  return {
    CreateIntegration: {
      authorize: (input, call) => [
        ...may("POST", call, `/apis/${input.ApiId}/integrations`),
        ...passedRole(needs.iam, input.CredentialsArn, call.account),
      ],
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        const integration: IntegrationRecord = {
          integrationId: needs.ids.random(7, lowerAlphanumeric),
          ...parseIntegration("CreateIntegration", input, undefined, needs.integrable),
          managed: false,
        };
        await needs.store.transact(async (tx) => {
          await readApi(tx, call, apiId);
          const existing = await listChildren(tx, call, apiId, "integration");
          if (existing.length >= limits.integrationsPerApiMax) {
            throw limitExceeded("Integrations", limits.integrationsPerApiMax);
          }
          writeChild(tx, call, apiId, "integration", integration.integrationId, integration);
        });
        return describeIntegration(integration);
      },
    },
    GetIntegration: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/integrations/${input.IntegrationId}`),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describeIntegration(await readIntegration(reader, call, input.ApiId ?? "", input.IntegrationId ?? "")),
        ),
    },
    GetIntegrations: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/integrations`),
      run: async (input, call) => {
        const integrations = await needs.store.read(async (reader) => {
          await readApi(reader, call, input.ApiId ?? "");
          return listChildren(reader, call, input.ApiId ?? "", "integration");
        });
        const page = pageOf(integrations, (item) => item.integrationId, input.MaxResults, input.NextToken);
        return { ...page, Items: page.Items.map(describeIntegration) };
      },
    },
    UpdateIntegration: {
      authorize: (input, call) => [
        ...may("PATCH", call, `/apis/${input.ApiId}/integrations/${input.IntegrationId}`),
        ...passedRole(needs.iam, input.CredentialsArn, call.account),
      ],
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        const integration = await needs.store.transact(async (tx) => {
          const before = await readIntegration(tx, call, apiId, input.IntegrationId ?? "");
          const { integrationId, managed } = before;
          const settings = parseIntegration("UpdateIntegration", input, before, needs.integrable);
          const next: IntegrationRecord = { integrationId, ...settings, managed };
          writeChild(tx, call, apiId, "integration", next.integrationId, next);
          await autoDeploy(needs, tx, call, apiId, call.now);
          return next;
        });
        return describeIntegration(integration);
      },
    },
    DeleteIntegration: {
      authorize: (input, call) => may("DELETE", call, `/apis/${input.ApiId}/integrations/${input.IntegrationId}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        await needs.store.transact(async (tx) => {
          const { integrationId } = await readIntegration(tx, call, apiId, input.IntegrationId ?? "");
          const routes = await listChildren(tx, call, apiId, "route");
          const user = routes.find((route) => route.integrationId === integrationId);
          if (user !== undefined) {
            throw conflict(
              `Cannot delete Integration '${integrationId}' as it is referenced by the route '${user.routeKey}'`,
            );
          }
          deleteChild(tx, call, apiId, "integration", integrationId);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

async function readIntegration(
  reader: Reader,
  call: Call,
  apiId: string,
  integrationId: string,
): Promise<IntegrationRecord> {
  await readApi(reader, call, apiId);
  const integration = await findChild(reader, call, apiId, "integration", integrationId);
  if (integration === undefined) throw childNotFound("Integration");
  return integration;
}

function describeIntegration(integration: IntegrationRecord) {
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
