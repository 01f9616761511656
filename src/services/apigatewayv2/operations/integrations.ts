import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { notImplemented } from "../../../aws/error.ts";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { deleteChild, findChild, type IntegrationRecord, listChildren, readApi, writeChild } from "../model.ts";
import { pageOf, parseIntegrationUri, parsePayloadFormatVersion, parseTimeout, refuseMembers } from "../rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";

const refused = [
  "ConnectionId",
  "ContentHandlingStrategy",
  "CredentialsArn",
  "IntegrationSubtype",
  "PassthroughBehavior",
  "RequestParameters",
  "RequestTemplates",
  "ResponseParameters",
  "TemplateSelectionExpression",
  "TlsConfig",
];

export function integrationOperations(needs: ApiGatewayV2Needs) {
  return {
    CreateIntegration: {
      authorize: (input, call) => may("POST", call, `/apis/${input.ApiId}/integrations`),
      run: async (input, call) => {
        checkMembers("CreateIntegration", input);
        const apiId = input.ApiId ?? "";
        const integration: IntegrationRecord = {
          integrationId: needs.ids.random(7, lowerAlphanumeric),
          uri: parseIntegrationUri(input.IntegrationUri),
          payloadFormatVersion: parsePayloadFormatVersion(input.PayloadFormatVersion),
          timeoutMs: parseTimeout(input.TimeoutInMillis),
          ...(input.Description === undefined ? {} : { description: input.Description }),
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
      authorize: (input, call) => may("PATCH", call, `/apis/${input.ApiId}/integrations/${input.IntegrationId}`),
      run: async (input, call) => {
        checkMembers("UpdateIntegration", input);
        const apiId = input.ApiId ?? "";
        const integration = await needs.store.transact(async (tx) => {
          const before = await readIntegration(tx, call, apiId, input.IntegrationId ?? "");
          const next: IntegrationRecord = {
            ...before,
            uri: input.IntegrationUri === undefined ? before.uri : parseIntegrationUri(input.IntegrationUri),
            payloadFormatVersion:
              input.PayloadFormatVersion === undefined
                ? before.payloadFormatVersion
                : parsePayloadFormatVersion(input.PayloadFormatVersion),
            timeoutMs: input.TimeoutInMillis === undefined ? before.timeoutMs : parseTimeout(input.TimeoutInMillis),
            ...(input.Description === undefined ? {} : { description: input.Description }),
          };
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

function checkMembers(
  operation: string,
  input: {
    readonly IntegrationType?: string | undefined;
    readonly IntegrationMethod?: string | undefined;
    readonly ConnectionType?: string | undefined;
  },
): void {
  refuseMembers(operation, input, refused);
  if (input.IntegrationType !== undefined && input.IntegrationType !== "AWS_PROXY") {
    throw notImplemented(`${operation} with IntegrationType ${input.IntegrationType}`);
  }
  if (input.ConnectionType !== undefined && input.ConnectionType !== "INTERNET") {
    throw notImplemented(`${operation} with ConnectionType ${input.ConnectionType}`);
  }
  // AWS: functions are always called with POST, whatever the method of the request.
  if (
    input.IntegrationMethod !== undefined &&
    input.IntegrationMethod !== "POST" &&
    input.IntegrationMethod !== "ANY"
  ) {
    throw badRequest("HttpMethod must be POST for AWS_PROXY IntegrationType");
  }
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
  return {
    ...(integration.managed ? { ApiGatewayManaged: true } : {}),
    ConnectionType: "INTERNET" as const,
    ...(integration.description === undefined ? {} : { Description: integration.description }),
    IntegrationId: integration.integrationId,
    IntegrationMethod: "POST",
    IntegrationType: "AWS_PROXY" as const,
    IntegrationUri: integration.uri,
    PayloadFormatVersion: integration.payloadFormatVersion,
    TimeoutInMillis: integration.timeoutMs,
  };
}
