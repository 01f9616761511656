import type * as sdk from "@aws-sdk/client-api-gateway";
import { expect, test } from "vitest";
import { randomIds } from "../../../kernel/ids.ts";
import { createMemoryStore } from "../../../kernel/store/memory-store.ts";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { createServiceDirectory } from "../../../wire/directory.ts";
import { createModels } from "../../../wire/tables/catalog.ts";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { stagePublisher } from "../../execute-api/published-stages.ts";
import { modelChecker } from "../../execute-api/validation/json-schema.ts";
import { createApiGateway } from "../service.ts";
import { deploymentType } from "./deployment.ts";
import { requestValidatorType } from "./request-validator.ts";

const left = (): never => {
  throw new Error("Not for this test");
};

/** A control plane alone, with everything that these resources do not come to left out. */
function startControlPlane() {
  const { service } = createApiGateway({
    store: createMemoryStore(),
    ids: randomIds,
    publisher: stagePublisher,
    models: modelChecker,
    iam: { passRole: left },
    usage: {
      accountRate: undefined,
      flush: left,
      readDays: left,
      readRemaining: left,
      setRemaining: left,
      publishKey: left,
      withdrawKey: left,
      publishPlan: left,
      withdrawPlan: left,
    },
    domains: new Proxy(Object.create(null), { get: left }),
    testAuthorizer: left,
    testMethod: left,
    seal: { seal: left, open: left },
    usesClientCertificate: left,
  });
  const directory = createServiceDirectory({
    services: new Map([["apigateway", service]]),
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
  return { client: directory.client<typeof sdk>("apigateway", as), contextOf };
}

async function idOf(type: ResourceType, context: ResourceContext): Promise<string> {
  return (await type.create(context)).physicalId;
}

test("What a crash left of a creation is taken over: one deployment, one stage and one validator are made", async () => {
  const { client, contextOf } = startControlPlane();
  const { id: restApiId = "", rootResourceId: resourceId } = await client.CreateRestApi({ name: "a" });
  const method = { restApiId, resourceId, httpMethod: "GET" };
  await client.PutMethod({ ...method, authorizationType: "NONE" });
  await client.PutIntegration({ ...method, type: "MOCK" });

  const deployment = { RestApiId: restApiId, StageName: "s", StageDescription: { Description: "d" } };
  const first = await idOf(deploymentType, contextOf("one", deployment, false));
  expect(await idOf(deploymentType, contextOf("one", deployment, true))).toBe(first);
  const second = await idOf(deploymentType, contextOf("two", { RestApiId: restApiId }, false));
  expect(second).not.toBe(first);
  expect((await client.GetDeployments({ restApiId })).items).toHaveLength(2);
  expect((await client.GetStage({ restApiId, stageName: "s" })).deploymentId).toBe(first);

  const validator = { RestApiId: restApiId, Name: "v" };
  const made = await idOf(requestValidatorType, contextOf("three", validator, false));
  expect(await idOf(requestValidatorType, contextOf("three", validator, true))).toBe(made);
  expect(await idOf(requestValidatorType, contextOf("four", validator, false))).not.toBe(made);
  const { items = [] } = await client.GetRequestValidators({ restApiId });
  expect(items).toHaveLength(2);
  expect(Object.keys(items[0] ?? {}).toSorted()).toEqual([
    "id",
    "name",
    "validateRequestBody",
    "validateRequestParameters",
  ]);
});
