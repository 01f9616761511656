import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { expect, test } from "vitest";
import { randomIds } from "../../../kernel/ids.ts";
import { createMemoryStore } from "../../../kernel/store/memory-store.ts";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { createServiceDirectory } from "../../../wire/directory.ts";
import { createModels } from "../../../wire/tables/catalog.ts";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { stagePublisher } from "../../execute-api/published-stages.ts";
import { modelChecker } from "../../execute-api/validation/json-schema.ts";
import { createApiGatewayV2 } from "../service.ts";
import { integrationResponseType } from "./integration-response.ts";
import { integrationType } from "./integration.ts";
import { routeResponseType } from "./route-response.ts";
import { routeType } from "./route.ts";
import { stageType } from "./stage.ts";

const left = (): never => {
  throw new Error("Not for this test");
};

/** A control plane alone, with everything that these resources do not come to left out. */
function startControlPlane() {
  const { service } = createApiGatewayV2({
    store: createMemoryStore(),
    ids: randomIds,
    publisher: stagePublisher,
    models: modelChecker,
    iam: { passRole: left },
    integrable: { subtypes: new Map(), isBuilt: left },
    isSelectionExpression: () => true,
    hasLoggingRole: left,
    readClientCertificate: left,
    domains: new Proxy(Object.create(null), { get: left }),
  });
  const directory = createServiceDirectory({
    services: new Map([["apigatewayv2", service]]),
    models: createModels(),
    authorizer: { authorize: () => Promise.resolve() },
    clock: createFakeClock(Date.UTC(2026, 1, 1)),
    ids: randomIds,
  });
  const principal = { type: "service", service: "cloudformation.amazonaws.com" } as const;
  const as = { principal, account: "000000000000", region: "us-east-1", endpoint: "http://localhost" };
  const contextOf = (clientToken: string, properties: Properties, resumed: boolean): ResourceContext => ({
    stackName: "s",
    stackId: "arn:aws:cloudformation:us-east-1:000000000000:stack/s/1",
    logicalId: "R",
    type: "T",
    account: as.account,
    region: as.region,
    properties,
    tags: {},
    generateName: () => "n",
    clientToken,
    resumed,
    client: (name, creationToken) =>
      directory.client(name, { ...as, ...(creationToken === undefined ? {} : { creationToken }) }),
    wait: () => Promise.resolve(),
    signal: new AbortController().signal,
  });
  /** As by a process that dies before it has written down what it made, and by the one after it. */
  const createTwice = async (type: ResourceType, token: string, properties: Properties): Promise<string> => {
    const { physicalId } = await type.create(contextOf(token, properties, false));
    expect((await type.create(contextOf(token, properties, true))).physicalId).toBe(physicalId);
    return physicalId;
  };
  return { client: directory.client<typeof sdk>("apigatewayv2", as), createTwice };
}

test("What a crash left of an HTTP API's creation is taken over: one integration, one route and one stage are made", async () => {
  const { client, createTwice } = startControlPlane();
  const { ApiId = "" } = await client.CreateApi({ Name: "a", ProtocolType: "HTTP" });
  const endpoint = { ApiId, IntegrationType: "HTTP_PROXY", IntegrationMethod: "GET", PayloadFormatVersion: "1.0" };
  const integration = { ...endpoint, IntegrationUri: "https://example.com" };
  const id = await createTwice(integrationType, "one", integration);
  expect(await createTwice(integrationType, "two", integration)).not.toBe(id);
  expect((await client.GetIntegrations({ ApiId })).Items).toHaveLength(2);

  const routeId = await createTwice(routeType, "three", { ApiId, RouteKey: "GET /", Target: `integrations/${id}` });
  const { Items: routes = [] } = await client.GetRoutes({ ApiId });
  expect(routes.map(({ RouteId }) => RouteId)).toEqual([routeId]);
  expect(JSON.stringify(routes)).not.toMatch(/token/i);

  const stage = { ApiId, StageName: "prod", AutoDeploy: true };
  expect(await createTwice(stageType, "four", stage)).toBe("prod");
  await expect(createTwice(stageType, "five", stage)).rejects.toThrow("Stage already exists");
  await expect(createTwice(routeType, "six", { ApiId, RouteKey: "GET /" })).rejects.toThrow("already exists");
});

test("And of a WebSocket API's: its integration, route and both kinds of responses", async () => {
  const { client, createTwice } = startControlPlane();
  const { ApiId = "" } = await client.CreateApi({
    Name: "a",
    ProtocolType: "WEBSOCKET",
    RouteSelectionExpression: "$request.body.action",
  });
  const IntegrationId = await createTwice(integrationType, "one", { ApiId, IntegrationType: "MOCK" });
  const Target = `integrations/${IntegrationId}`;
  const RouteId = await createTwice(routeType, "two", { ApiId, RouteKey: "$default", Target });
  await createTwice(routeResponseType, "three", { ApiId, RouteId, RouteResponseKey: "$default" });
  await createTwice(integrationResponseType, "four", { ApiId, IntegrationId, IntegrationResponseKey: "$default" });
  const counts = await Promise.all([
    client.GetIntegrations({ ApiId }),
    client.GetRoutes({ ApiId }),
    client.GetRouteResponses({ ApiId, RouteId }),
    client.GetIntegrationResponses({ ApiId, IntegrationId }),
  ]);
  expect(counts.map(({ Items = [] }) => Items.length)).toEqual([1, 1, 1, 1]);
  expect(JSON.stringify(counts)).not.toMatch(/token/i);
});
