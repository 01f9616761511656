import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { notImplemented } from "../../../aws/error.ts";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { changedApi, describeApi, newApi } from "../api-record.ts";
import { may } from "../authorize.ts";
import { autoDeploy, deployStage, takeSnapshot } from "../deploy.ts";
import { badRequest, conflict, limitExceeded } from "../errors.ts";
import { type IntegrationSettings, parseIntegration, passedRole } from "../integration-rules.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import {
  type ApiRecord,
  deleteApiRecord,
  deleteChild,
  listApis,
  listChildren,
  readApi,
  writeApi,
  writeChild,
} from "../model.ts";
import { type ApiDefinition, type BasePathMode, parseApiDefinition } from "../openapi.ts";
import { checkRouteSelectionExpression, pageOf, parseCors, parseRouteKey, refuseMembers } from "../rules.ts";
import { deleteWebSocketChildren } from "../websocket/snapshot.ts";
import { checkTags } from "./tags.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";

const refused = ["ApiKeySelectionExpression", "DisableSchemaValidation"];

export function apiOperations(needs: ApiGatewayV2Needs) {
  return {
    CreateApi: {
      authorize: (input, call) => [
        ...may("POST", call, "/apis"),
        ...passedRole(needs.iam, input.CredentialsArn, call.account),
      ],
      run: async (input, call) => {
        refuseMembers("CreateApi", input, refused);
        if (input.ProtocolType !== "HTTP") throw notImplemented(`CreateApi with ProtocolType ${input.ProtocolType}`);
        checkRouteSelectionExpression(input.RouteSelectionExpression);
        if (input.RouteKey !== undefined && input.Target === undefined) {
          throw badRequest("RouteKey can only be specified with Target");
        }
        const cors = parseCors(input.CorsConfiguration);
        const api: ApiRecord = {
          ...newApi(needs.ids.random(10, lowerAlphanumeric), input, call.now),
          ...(cors === undefined ? {} : { cors }),
        };
        const target = input.Target === undefined ? undefined : quickIntegration(needs, input);
        const routeKey = parseRouteKey(input.RouteKey ?? "$default");
        await needs.store.transact(async (tx) => {
          await checkRoom(tx, call);
          writeApi(tx, call, api);
          if (target !== undefined) await quickCreate(needs, tx, call, api.apiId, target, routeKey);
        });
        return describeApi(api, call);
      },
    },
    ImportApi: {
      authorize: (_input, call) => may("PUT", call, "/apis"),
      run: async (input, call) => {
        const definition = parseApiDefinition(input.Body ?? "", parseBasePath(input.Basepath));
        checkWarnings(input.FailOnWarnings, definition);
        await authorizeRoles(needs, call, definition);
        const api = importedApi(definition, needs.ids.random(10, lowerAlphanumeric), call.now);
        await needs.store.transact(async (tx) => {
          await checkRoom(tx, call);
          writeApi(tx, call, api);
          writeDefinition(needs, tx, call, api.apiId, definition);
        });
        return { ...describeApi(api, call), ...describeWarnings(definition) };
      },
    },
    ReimportApi: {
      authorize: (input, call) => may("PUT", call, `/apis/${input.ApiId}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        const definition = parseApiDefinition(input.Body ?? "", parseBasePath(input.Basepath));
        checkWarnings(input.FailOnWarnings, definition);
        await authorizeRoles(needs, call, definition);
        const api = await needs.store.transact(async (tx) => {
          const before = await readApi(tx, call, apiId);
          const next: ApiRecord = {
            ...importedApi(definition, apiId, before.createdAt),
            ipAddressType: before.ipAddressType,
            tags: { ...before.tags, ...definition.tags },
          };
          writeApi(tx, call, next);
          for (const route of await listChildren(tx, call, apiId, "route")) {
            deleteChild(tx, call, apiId, "route", route.routeId);
          }
          for (const integration of await listChildren(tx, call, apiId, "integration")) {
            deleteChild(tx, call, apiId, "integration", integration.integrationId);
          }
          for (const authorizer of await listChildren(tx, call, apiId, "authorizer")) {
            deleteChild(tx, call, apiId, "authorizer", authorizer.authorizerId);
          }
          writeDefinition(needs, tx, call, apiId, definition);
          await autoDeploy(needs, tx, call, apiId, call.now);
          return next;
        });
        return { ...describeApi(api, call), ...describeWarnings(definition) };
      },
    },
    GetApi: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}`),
      run: (input, call) =>
        needs.store.read(async (reader) => describeApi(await readApi(reader, call, input.ApiId ?? ""), call)),
    },
    GetApis: {
      authorize: (_input, call) => may("GET", call, "/apis"),
      run: async (input, call) => {
        const apis = await needs.store.read((reader) => listApis(reader, call));
        const page = pageOf(apis, (api) => api.apiId, input.MaxResults, input.NextToken);
        return { ...page, Items: page.Items.map((api) => describeApi(api, call)) };
      },
    },
    UpdateApi: {
      authorize: (input, call) => [
        ...may("PATCH", call, `/apis/${input.ApiId}`),
        ...passedRole(needs.iam, input.CredentialsArn, call.account),
      ],
      run: async (input, call) => {
        refuseMembers("UpdateApi", input, refused);
        checkRouteSelectionExpression(input.RouteSelectionExpression);
        const cors = parseCors(input.CorsConfiguration);
        const api = await needs.store.transact(async (tx) => {
          const before = await readApi(tx, call, input.ApiId ?? "");
          const next: ApiRecord = { ...changedApi(before, input), ...(cors === undefined ? {} : { cors }) };
          writeApi(tx, call, next);
          await changeQuickCreated(needs, tx, call, next.apiId, input);
          await autoDeploy(needs, tx, call, next.apiId, call.now);
          return next;
        });
        return describeApi(api, call);
      },
    },
    DeleteApi: {
      authorize: (input, call) => may("DELETE", call, `/apis/${input.ApiId}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        await needs.store.transact(async (tx) => {
          await readApi(tx, call, apiId);
          for (const stage of await listChildren(tx, call, apiId, "stage")) {
            deleteChild(tx, call, apiId, "stage", stage.stageName);
            needs.publisher.withdraw(tx, apiId, stage.stageName);
          }
          for (const route of await listChildren(tx, call, apiId, "route")) {
            deleteChild(tx, call, apiId, "route", route.routeId);
          }
          for (const integration of await listChildren(tx, call, apiId, "integration")) {
            deleteChild(tx, call, apiId, "integration", integration.integrationId);
          }
          for (const authorizer of await listChildren(tx, call, apiId, "authorizer")) {
            deleteChild(tx, call, apiId, "authorizer", authorizer.authorizerId);
          }
          for (const deployment of await listChildren(tx, call, apiId, "deployment")) {
            deleteChild(tx, call, apiId, "deployment", deployment.deploymentId);
          }
          await deleteWebSocketChildren(tx, call, apiId);
          deleteApiRecord(tx, call, apiId);
        });
        return {};
      },
    },
    DeleteCorsConfiguration: {
      authorize: (input, call) => may("DELETE", call, `/apis/${input.ApiId}/cors`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const { cors: _cors, ...rest } = await readApi(tx, call, input.ApiId ?? "");
          writeApi(tx, call, rest);
          await autoDeploy(needs, tx, call, rest.apiId, call.now);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

/** Throws when the account has as many APIs as it may have. */
export async function checkRoom(tx: Transaction, call: Call): Promise<void> {
  const apis = await listApis(tx, call);
  if (apis.length >= limits.apisPerRegionMax) throw limitExceeded("APIs for this account", limits.apisPerRegionMax);
}

function parseBasePath(mode: string | undefined): BasePathMode {
  if (mode === undefined || mode === "ignore" || mode === "prepend" || mode === "split") return mode ?? "ignore";
  throw badRequest(`Invalid basepath mode ${mode}: must be one of ignore, prepend, split`);
}

function checkWarnings(failOnWarnings: boolean | undefined, definition: ApiDefinition): void {
  if (failOnWarnings === true && definition.warnings.length > 0) {
    throw badRequest(`Warnings found during import:\n\t${definition.warnings.join("\n\t")}`);
  }
}

function describeWarnings({ warnings }: ApiDefinition): { Warnings?: string[] } {
  return warnings.length === 0 ? {} : { Warnings: [...warnings] };
}

function importedApi(definition: ApiDefinition, apiId: string, createdAt: number): ApiRecord {
  return {
    version: 1,
    apiId,
    name: definition.name,
    ...(definition.description === undefined ? {} : { description: definition.description }),
    ...(definition.apiVersion === undefined ? {} : { apiVersion: definition.apiVersion }),
    createdAt,
    disableExecuteApiEndpoint: definition.disableExecuteApiEndpoint,
    ipAddressType: "ipv4",
    ...(definition.cors === undefined ? {} : { cors: definition.cors }),
    tags: checkTags(definition.tags),
  };
}

function writeDefinition(
  needs: ApiGatewayV2Needs,
  tx: Transaction,
  call: Call,
  apiId: string,
  definition: ApiDefinition,
): void {
  // AWS: routes with the same integration share one.
  const integrations = new Map<string, string>();
  const authorizerIds = new Map<string, string>();
  if (definition.authorizers.size > limits.authorizersPerApiMax) {
    throw limitExceeded("Authorizers", limits.authorizersPerApiMax);
  }
  for (const [name, authorizer] of definition.authorizers) {
    const authorizerId = needs.ids.random(6, lowerAlphanumeric);
    authorizerIds.set(name, authorizerId);
    writeChild(tx, call, apiId, "authorizer", authorizerId, { ...authorizer, authorizerId });
  }
  for (const { integration, authorizer, ...route } of definition.routes) {
    const authorizerId = authorizerIds.get(authorizer ?? "");
    let integrationId: string | undefined;
    if (integration !== undefined) {
      const key = JSON.stringify(integration);
      integrationId = integrations.get(key);
      if (integrationId === undefined) {
        integrationId = needs.ids.random(7, lowerAlphanumeric);
        integrations.set(key, integrationId);
        const settings = parseIntegration("ImportApi", integration, undefined, needs.integrable);
        writeChild(tx, call, apiId, "integration", integrationId, { integrationId, ...settings, managed: false });
      }
    }
    const routeId = needs.ids.random(7, lowerAlphanumeric);
    writeChild(tx, call, apiId, "route", routeId, {
      routeId,
      ...route,
      ...(authorizerId === undefined ? {} : { authorizerId }),
      ...(integrationId === undefined ? {} : { integrationId }),
      managed: false,
    });
  }
}

/** Whoever imports integrations must be allowed to give them their roles. */
async function authorizeRoles(needs: ApiGatewayV2Needs, call: Call, { routes }: ApiDefinition): Promise<void> {
  const roles = new Set(routes.map(({ integration }) => integration?.CredentialsArn));
  for (const role of roles) {
    for (const request of passedRole(needs.iam, role, call.account)) await call.authorize(request);
  }
}

/** AWS: quick create of a function uses the newest format, that of an endpoint passes every method on. */
function quickIntegration(
  needs: ApiGatewayV2Needs,
  { Target = "", CredentialsArn }: { Target?: string | undefined; CredentialsArn?: string | undefined },
): IntegrationSettings {
  const uri = { IntegrationUri: Target, CredentialsArn };
  const kind = /^https?:/.test(Target)
    ? { IntegrationType: "HTTP_PROXY", IntegrationMethod: "ANY" }
    : { PayloadFormatVersion: "2.0" };
  return parseIntegration("CreateApi", { ...uri, ...kind }, undefined, needs.integrable);
}

/** Change the target and the route that quick create has made. Throws BadRequestException for an API without them. */
async function changeQuickCreated(
  needs: ApiGatewayV2Needs,
  tx: Transaction,
  call: Call,
  apiId: string,
  input: { Target?: string | undefined; RouteKey?: string | undefined; CredentialsArn?: string | undefined },
): Promise<void> {
  if (input.Target === undefined && input.RouteKey === undefined && input.CredentialsArn === undefined) return;
  const integration = (await listChildren(tx, call, apiId, "integration")).find(({ managed }) => managed);
  const routes = await listChildren(tx, call, apiId, "route");
  const route = routes.find(({ managed }) => managed);
  if (integration === undefined || route === undefined) {
    throw badRequest("RouteKey, Target and CredentialsArn can only be updated for APIs made by quick create");
  }
  if (input.Target !== undefined || input.CredentialsArn !== undefined) {
    const CredentialsArn = input.CredentialsArn ?? integration.credentials;
    const settings = quickIntegration(needs, { Target: input.Target ?? integration.uri, CredentialsArn });
    const { integrationId } = integration;
    writeChild(tx, call, apiId, "integration", integrationId, { integrationId, ...settings, managed: true });
  }
  if (input.RouteKey === undefined) return;
  const routeKey = parseRouteKey(input.RouteKey);
  if (routes.some((other) => other.routeKey === routeKey && other.routeId !== route.routeId)) {
    throw conflict(`Route with key ${routeKey} already exists for this API`);
  }
  writeChild(tx, call, apiId, "route", route.routeId, { ...route, routeKey });
}

/** Quick create: a route to one function or endpoint, on a stage that deploys itself. */
async function quickCreate(
  needs: ApiGatewayV2Needs,
  tx: Transaction,
  call: Call,
  apiId: string,
  integration: IntegrationSettings,
  routeKey: string,
): Promise<void> {
  const integrationId = needs.ids.random(7, lowerAlphanumeric);
  writeChild(tx, call, apiId, "integration", integrationId, { integrationId, ...integration, managed: true });
  const routeId = needs.ids.random(7, lowerAlphanumeric);
  writeChild(tx, call, apiId, "route", routeId, {
    routeId,
    routeKey,
    authorizationType: "NONE",
    integrationId,
    managed: true,
  });
  const stage = {
    stageName: "$default",
    autoDeploy: true,
    variables: {},
    createdAt: call.now,
    updatedAt: call.now,
    tags: {},
    managed: true,
  };
  await deployStage(needs, tx, call, apiId, stage, call.now, await takeSnapshot(tx, call, apiId));
}
