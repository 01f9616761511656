import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import type { FakeGateway } from "../fake-gateway.ts";
import type { PublishedLambdaAuthorizer, PublishedRoute } from "../port.ts";
import { allow, type FakeAuthorizer, functionArn, stageFacts, startFakeAuthorizer } from "./fake-authorizer.ts";

const clock = createFakeClock(Date.UTC(2026, 2, 12, 19, 3, 58));
let gateway: FakeGateway;
let fake: FakeAuthorizer;
let authorize: (event: Record<string, unknown>) => unknown;
const asked = () => fake.asked();
const lastAsked = () => fake.lastAsked();

beforeAll(async () => {
  fake = await startFakeAuthorizer(clock);
  ({ gateway } = fake);
});
beforeEach(() => {
  gateway.invocations.length = 0;
  fake.authorize((event) => authorize(event));
  authorize = () => ({ isAuthorized: true });
});
afterAll(() => gateway.stop());

let count = 0;
async function publish(
  authorizer: Partial<PublishedLambdaAuthorizer> = {},
  payloadFormatVersion: "1.0" | "2.0" = "2.0",
): Promise<string> {
  const apiId = `api${++count}`;
  const route = (routeKey: string): PublishedRoute => ({
    routeKey,
    authorizationType: "CUSTOM",
    authorizerId: "a",
    integration: {
      type: "AWS_PROXY",
      uri: functionArn("f"),
      timeoutMs: 30_000,
      payloadFormatVersion,
    },
  });
  await gateway.publish({
    ...stageFacts,
    kind: "http",
    apiId,
    variables: { v: "1" },
    routes: [route("ANY /a/{id}"), route("GET /b")],
    authorizers: [
      {
        id: "a",
        type: "REQUEST",
        uri: functionArn("auth"),
        identitySources: ["$request.header.Who", "$request.querystring.q"],
        ttlSeconds: 0,
        payloadFormatVersion: "2.0",
        simpleResponses: true,
        ...authorizer,
      },
    ],
  });
  return `${gateway.url}/${apiId}/Prod`;
}

const who = { headers: { Who: "me" } };

describe("A Lambda authorizer of an HTTP API", () => {
  test("is asked in format 2.0 with its identity sources and the route's ARN, without the body", async () => {
    const url = await publish();
    await fetch(`${url}/a/x?q=1&q=2`, { ...who, method: "POST", body: "secret" });
    const { headers, requestContext, ...rest } = lastAsked();
    expect(rest).toEqual({
      version: "2.0",
      type: "REQUEST",
      routeArn: `arn:aws:execute-api:us-east-1:000000000000:api${count}/Prod/POST/a/x`,
      identitySource: ["me", "1,2"],
      routeKey: "ANY /a/{id}",
      rawPath: "/Prod/a/x",
      rawQueryString: "q=1&q=2",
      queryStringParameters: { q: "1,2" },
      pathParameters: { id: "x" },
      stageVariables: { v: "1" },
    });
    expect(headers).toMatchObject({ who: "me" });
    expect(requestContext).toMatchObject({ routeKey: "ANY /a/{id}", http: { method: "POST", path: "/Prod/a/x" } });
  });

  test("is asked in format 1.0 with its identity sources joined, and the method's ARN", async () => {
    authorize = () => allow("*");
    const url = await publish({ payloadFormatVersion: "1.0", simpleResponses: false });
    await fetch(`${url}/b?q=1`, who);
    expect(lastAsked()).toMatchObject({
      version: "1.0",
      type: "REQUEST",
      methodArn: `arn:aws:execute-api:us-east-1:000000000000:api${count}/Prod/GET/b`,
      identitySource: "me,1",
      authorizationToken: "me,1",
      resource: "/b",
      httpMethod: "GET",
      pathParameters: {},
    });
    expect(lastAsked()).not.toHaveProperty("body");
  });

  test("passes its context on: below lambda in format 2.0 with its types, beside who it is in 1.0", async () => {
    const context = { text: "t", number: 1, flag: true, list: ["a"], map: { k: "v" } };
    authorize = () => ({ isAuthorized: true, context });
    await fetch(`${await publish()}/b?q=1`, who);
    expect(gateway.event()["requestContext"]?.["authorizer"]).toEqual({ lambda: context });
    authorize = () => ({ ...allow("*"), context });
    await fetch(`${await publish({}, "1.0")}/b?q=1`, who);
    expect(gateway.event()["requestContext"]?.["authorizer"]).toEqual({
      ...context,
      principalId: "me",
      integrationLatency: 0,
    });
    authorize = () => ({ isAuthorized: true });
    await fetch(`${await publish()}/b?q=1`, who);
    expect(gateway.event()["requestContext"]?.["authorizer"]).toEqual({ lambda: null });
  });

  test("is not asked without all of its identity: 401", async () => {
    const url = await publish();
    expect((await fetch(`${url}/b?q=1`)).status).toBe(401);
    const response = await fetch(`${url}/b?q=`, who);
    expect([response.status, await response.text()]).toEqual([401, '{"message":"Unauthorized"}']);
    expect(asked()).toEqual([]);
  });

  test("denies with 403, throws Unauthorized as 401, and does everything else as 500", async () => {
    const url = await publish({ ttlSeconds: 60 });
    const send = async () => {
      const response = await fetch(`${url}/b?q=1`, who);
      return [response.status, await response.text()];
    };
    authorize = () => new Error("Unauthorized");
    expect(await send()).toEqual([401, '{"message":"Unauthorized"}']);
    for (const answer of [
      null,
      {},
      { isAuthorized: "true" },
      { isAuthorized: 1 },
      new Error("x"),
      { principalId: "me" },
    ]) {
      authorize = () => answer;
      expect(await send()).toEqual([500, '{"message":"Internal Server Error"}']);
    }
    authorize = () => ({ isAuthorized: false });
    expect(await send()).toEqual([403, '{"message":"Forbidden"}']);
    const before = asked().length;
    expect(await send()).toEqual([403, '{"message":"Forbidden"}']);
    expect(asked().length).toBe(before);
  });

  test("without simple responses takes policies alone", async () => {
    const url = await publish({ simpleResponses: false });
    expect((await fetch(`${url}/b?q=1`, who)).status).toBe(500);
    authorize = ({ routeArn }) => allow(routeArn);
    expect((await fetch(`${url}/b?q=1`, who)).status).toBe(200);
  });

  test("has its policy evaluated for each route, and a simple response for all", async () => {
    authorize = ({ routeArn }) => allow(routeArn);
    const url = await publish({ ttlSeconds: 60 });
    expect((await fetch(`${url}/b?q=1`, who)).status).toBe(200);
    expect((await fetch(`${url}/a/1?q=1`, who)).status).toBe(403);
    authorize = () => ({ isAuthorized: true });
    const simple = await publish({ ttlSeconds: 60, identitySources: ["$request.header.who"] });
    for (const path of ["/b", "/a/1", "/a/2"]) expect((await fetch(`${simple}${path}`, who)).status).toBe(200);
    expect(asked()).toHaveLength(2);
    const byRoute = await publish({ ttlSeconds: 60, identitySources: ["$request.header.who", "$context.routeKey"] });
    for (const path of ["/b", "/a/1", "/a/2"]) await fetch(`${byRoute}${path}`, who);
    expect(asked()).toHaveLength(4);
  });

  test("that hangs is 500 after ten seconds", async () => {
    authorize = () => new Promise(() => {});
    const sent = fetch(`${await publish()}/b?q=1`, who);
    await expect.poll(() => asked().length).toBe(1);
    clock.advance(10_001);
    expect((await sent).status).toBe(500);
  });
});
