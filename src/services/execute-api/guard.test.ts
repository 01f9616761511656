import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { type FakeGateway, startFakeGateway } from "./fake-gateway.ts";
import type { PublishedStage } from "./port.ts";
import { connectClient } from "./websocket/client.ts";
import { functionRoute, refusedHandshake, webSocketStage } from "./websocket/fake-stage.ts";

/**
 * A fault of the platform's own, in what is done when a request has waited: for a signature, a function, a log. A rejection that
 * nobody handles would end the process, and fail this file.
 */
const user = {
  type: "user",
  account: "000000000000",
  userId: "AIDA",
  userName: "a",
  arn: "arn:aws:iam::000000000000:user/a",
} as const;
let gateway: FakeGateway;
let breaksLog = false;

beforeAll(async () => {
  gateway = await startFakeGateway(createFakeClock(Date.UTC(2026, 2, 12)), {
    verifier: {
      verify: () =>
        Promise.resolve({
          principal: { ...user, accessKeyId: "AKIA" },
          region: "us-east-1",
          payload: { kind: "unsigned" },
        }),
    },
    authorizer: { authorize: () => Promise.resolve() },
    logs: {
      append: () => {
        if (breaksLog) throw new Error("A fault of the log");
      },
    },
  });
  const base = {
    version: 1,
    account: "000000000000",
    region: "us-east-1",
    stageName: "prod",
    deploymentId: "d",
    variables: {},
    disableExecuteApiEndpoint: false,
    accessLog: { logGroup: "g", format: "$context.requestId" },
  } as const;
  const uri = "arn:aws:lambda:us-east-1:000000000000:function:f";
  const proxy = { type: "AWS_PROXY", uri, timeoutMs: 29_000 } as const;
  const stages: PublishedStage[] = [
    {
      ...base,
      kind: "rest",
      apiId: "rest",
      binaryMediaTypes: [],
      gatewayResponses: [],
      methods: [{ resourceId: "r", path: "/", httpMethod: "ANY", authorizationType: "AWS_IAM", integration: proxy }],
    },
    {
      ...base,
      kind: "http",
      apiId: "http",
      routes: [
        { routeKey: "GET /", authorizationType: "AWS_IAM", integration: { ...proxy, payloadFormatVersion: "2.0" } },
      ],
    },
    webSocketStage("ws", [functionRoute("$connect", { authorizationType: "AWS_IAM" })]),
  ];
  for (const stage of stages) await gateway.publish(stage);
});
afterAll(() => gateway.stop());

const ask = async (api: string) => (await fetch(`${gateway.url}/${api}/prod/`)).status;
const fine = { statusCode: 200, body: "fine" };

test.each(["rest", "http"])(
  "What breaks after a signature was verified is a 500 of this request alone: %s",
  async (api) => {
    gateway.answer(() => {
      throw new Error("A fault of the integration");
    });
    expect(await ask(api)).toBe(500);
    gateway.answer(fine);
    expect(await ask(api)).toBe(200);
  },
);

test.each(["rest", "http"])("What breaks while an answer is told to a log breaks no other request: %s", async (api) => {
  breaksLog = true;
  gateway.answer(fine);
  await ask(api).catch(() => 0);
  breaksLog = false;
  expect(await ask(api)).toBe(200);
});

test("A handshake whose integration breaks after its signature was verified is refused", async () => {
  gateway.answer(() => {
    throw new Error("A fault of the integration");
  });
  const url = `${gateway.url.replace("http", "ws")}/ws/prod`;
  expect((await refusedHandshake(connectClient(url))).status).toBe(500);
  gateway.answer(fine);
  (await connectClient(url)).socket.terminate();
});
