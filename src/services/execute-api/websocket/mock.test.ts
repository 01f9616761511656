import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../kernel/clock.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";
import { connectClient } from "./client.ts";
import { mockOf, refusedHandshake, webSocketStage } from "./fake-stage.ts";
import type { PublishedWebSocketMock } from "./published.ts";

let gateway: FakeGateway;
beforeAll(async () => {
  gateway = await startFakeGateway(systemClock);
});
afterAll(() => gateway.stop());

async function answerOf(mock: Partial<PublishedWebSocketMock>, message: unknown): Promise<string> {
  await gateway.publish({
    kind: "websocket",
    version: 1,
    account: "000000000000",
    region: "us-east-1",
    apiId: "mock",
    stageName: "prod",
    deploymentId: "d",
    variables: { greeting: "hello" },
    disableExecuteApiEndpoint: false,
    routeSelectionExpression: "$request.body.action",
    routes: [
      {
        routeKey: "$default",
        authorizationType: "NONE",
        responds: true,
        integration: {
          type: "MOCK",
          timeoutMs: 29_000,
          requestTemplates: {},
          passthroughBehavior: "WHEN_NO_MATCH",
          responses: [],
          ...mock,
        },
      },
    ],
  });
  const client = await connectClient(`${gateway.url.replace("http", "ws")}/mock/prod`);
  client.send(message);
  const answer = await client.next();
  client.socket.terminate();
  return answer;
}

const toDefault = (text: string) => [{ key: "$default", templates: { $default: text } }];

test("A mock answers with the template of the response that its status selects", async () => {
  const responses = [
    { key: "/4\\d\\d/", templates: { $default: "refused" } },
    ...toDefault('{"to": "$context.connectionId", "say": "$stageVariables.greeting"}'),
  ];
  const refusing = {
    requestTemplates: { "400": '{"statusCode": 400}' },
    templateSelectionExpression: "400",
    responses,
  };
  expect(await answerOf(refusing, {})).toBe("refused");
  expect(JSON.parse(await answerOf({ responses }, {}))).toEqual({
    to: expect.stringMatching(/^[\w-]{15}=$/),
    say: "hello",
  });
});

test("A mock's template is chosen by the message, and reads it", async () => {
  const mock = {
    requestTemplates: {
      $default: '{"statusCode": 200}',
      fail: `#if($input.path('$.code') == 5){"statusCode": 500}#else{"statusCode": 200}#end`,
    },
    templateSelectionExpression: "${request.body.kind}",
    responses: [{ key: "/500/", templates: { $default: "failed" } }, ...toDefault("fine")],
  };
  expect(await answerOf(mock, { kind: "fail", code: 5 })).toBe("failed");
  expect(await answerOf(mock, { kind: "fail", code: 4 })).toBe("fine");
  expect(await answerOf(mock, { kind: "other" })).toBe("fine");
});

test("A mock with NEVER and no template is an Unsupported Media Type", async () => {
  const answer = await answerOf({ passthroughBehavior: "NEVER" }, {});
  expect(JSON.parse(answer)).toMatchObject({ message: "Unsupported Media Type" });
});

test.each(["000", "100", "700"])(
  "A mock's status %s, which is none of an answer, refuses a handshake with 500",
  async (status) => {
    const integration = mockOf("", { requestTemplates: { $default: `{"statusCode": ${status}}` } });
    const connect = { routeKey: "$connect", authorizationType: "NONE", responds: false, integration } as const;
    await gateway.publish(webSocketStage("odd", [connect]));
    const refused = await refusedHandshake(connectClient(`${gateway.url.replace("http", "ws")}/odd/prod`));
    expect(refused.status).toBe(500);
  },
);

test.each([
  ["responses that do not match", { responses: [{ key: "/5\\d\\d/", templates: {} }] }],
  ["a template that makes no status", { requestTemplates: { $default: "{}" } }],
  ["a template that fails", { requestTemplates: { $default: "#foreach(" } }],
])("A mock with %s is an Internal server error", async (_what, mock) => {
  expect(JSON.parse(await answerOf(mock, {}))).toMatchObject({ message: "Internal server error" });
});
