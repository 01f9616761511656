import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import type { InputOf, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { childNotFound, conflict, limitExceeded } from "../errors.ts";
import { passedRole } from "../integration-rules.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { findMade, madeBy } from "../../../wire/made.ts";
import { type Child, deleteChild, findChild, listChildren, type Place, writeChild } from "../model.ts";
import { pageOf } from "../rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";

type IntegrationKind = "integration" | "webSocketIntegration";

/** What integrations of HTTP APIs and of WebSocket APIs do differently. */
export interface IntegrationProtocol<K extends IntegrationKind> {
  readonly kind: K;
  readonly routeKind: K extends "integration" ? "route" : "webSocketRoute";
  /** Throws NotFoundException, and BadRequestException for an API of the other protocol. */
  readApi(reader: Reader, place: Place, apiId: string): Promise<unknown>;
  create(integrationId: string, input: InputOf<typeof sdk, "CreateIntegration">): Child<K>;
  change(before: Child<K>, input: InputOf<typeof sdk, "UpdateIntegration">): Child<K>;
  /** What belongs to an integration goes with it. */
  deleted(tx: Transaction, place: Place, apiId: string, integrationId: string): Promise<void>;
  describe(integration: Child<K>): sdk.Integration;
}

export function integrationOperationsOf<K extends IntegrationKind>(
  needs: ApiGatewayV2Needs,
  protocol: IntegrationProtocol<K>,
) {
  const { kind, describe } = protocol;
  const read = (reader: Reader, place: Place, input: IntegrationPath) =>
    readIntegrationOf(protocol, reader, place, input);

  return {
    CreateIntegration: {
      authorize: (input, call) => [
        ...may("POST", call, `/apis/${input.ApiId}/integrations`),
        ...passedRole(needs.iam, input.CredentialsArn, call.account),
      ],
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        const wanted = { ...protocol.create(needs.ids.random(7, lowerAlphanumeric), input), ...madeBy(call) };
        const integration = await needs.store.transact(async (tx) => {
          await protocol.readApi(tx, call, apiId);
          const existing = await listChildren(tx, call, apiId, kind);
          const earlier = findMade(existing, call);
          if (earlier !== undefined) return earlier;
          if (existing.length >= limits.integrationsPerApiMax) {
            throw limitExceeded("Integrations", limits.integrationsPerApiMax);
          }
          writeChild(tx, call, apiId, kind, wanted.integrationId, wanted);
          return wanted;
        });
        return describe(integration);
      },
    },
    GetIntegration: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/integrations/${input.IntegrationId}`),
      run: (input, call) => needs.store.read(async (reader) => describe(await read(reader, call, input))),
    },
    GetIntegrations: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/integrations`),
      run: async (input, call) => {
        const integrations = await needs.store.read(async (reader) => {
          await protocol.readApi(reader, call, input.ApiId ?? "");
          return listChildren(reader, call, input.ApiId ?? "", kind);
        });
        const page = pageOf(integrations, (item) => item.integrationId, input.MaxResults, input.NextToken);
        return { ...page, Items: page.Items.map(describe) };
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
          const next = protocol.change(await read(tx, call, input), input);
          writeChild(tx, call, apiId, kind, next.integrationId, next);
          await autoDeploy(needs, tx, call, apiId, call.now);
          return next;
        });
        return describe(integration);
      },
    },
    DeleteIntegration: {
      authorize: (input, call) => may("DELETE", call, `/apis/${input.ApiId}/integrations/${input.IntegrationId}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        await needs.store.transact(async (tx) => {
          const { integrationId } = await read(tx, call, input);
          const routes = await listChildren(tx, call, apiId, protocol.routeKind);
          const user = routes.find((route) => route.integrationId === integrationId);
          if (user !== undefined) {
            throw conflict(
              `Cannot delete Integration '${integrationId}' as it is referenced by the route '${user.routeKey}'`,
            );
          }
          await protocol.deleted(tx, call, apiId, integrationId);
          deleteChild(tx, call, apiId, kind, integrationId);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

interface IntegrationPath {
  readonly ApiId?: string | undefined;
  readonly IntegrationId?: string | undefined;
}

/** Throws NotFoundException. */
export async function readIntegrationOf<K extends IntegrationKind>(
  protocol: Pick<IntegrationProtocol<K>, "kind" | "readApi">,
  reader: Reader,
  place: Place,
  { ApiId = "", IntegrationId = "" }: IntegrationPath,
): Promise<Child<K>> {
  await protocol.readApi(reader, place, ApiId);
  const integration = await findChild(reader, place, ApiId, protocol.kind, IntegrationId);
  if (integration === undefined) throw childNotFound("Integration");
  return integration;
}
