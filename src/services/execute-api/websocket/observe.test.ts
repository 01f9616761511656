import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import type { MetricDatum } from "../../cloudwatch/port.ts";
import { type FakeGateway, resultOf, startFakeGateway } from "../fake-gateway.ts";
import { connectClient } from "./client.ts";
import { functionRoute, mockOf, refusedHandshake, webSocketStage } from "./fake-stage.ts";
import type { PublishedWebSocketStage } from "./published.ts";

const clock = createFakeClock(Date.UTC(2026, 0, 1));
const lines: { readonly logGroup: string; readonly message: string }[] = [];
const metrics: MetricDatum[] = [];
let gateway: FakeGateway;
let url: string;

beforeAll(async () => {
  gateway = await startFakeGateway(clock, {
    verifier: { verify: () => Promise.reject(new Error("Nobody signs")) },
    authorizer: { authorize: () => Promise.resolve() },
    logs: {
      append: ({ logGroup, events }) => {
        for (const { message } of events) lines.push({ logGroup, message });
      },
    },
    metrics: { write: () => Promise.resolve(), record: (datum) => void metrics.push(datum) },
  });
  url = gateway.url.replace("http", "ws");
});
afterAll(() => gateway.stop());
beforeEach(() => {
  lines.length = 0;
  metrics.length = 0;
});

const all = ["$connect", "$disconnect", "$default"].map((key) => functionRoute(key));
const publish = (apiId: string, more: Partial<PublishedWebSocketStage>, routes = all) =>
  gateway.publish(webSocketStage(apiId, routes, more));
const of = (logGroup: string) => lines.filter((line) => line.logGroup === logGroup).map(({ message }) => message);

/** A client that says something, waits for the answer, and goes. */
async function talk(apiId: string, text: string): Promise<string> {
  gateway.answer((request: { readonly payload: Uint8Array }) => {
    const { body } = JSON.parse(Buffer.from(request.payload).toString("utf8"));
    return Promise.resolve(body === "fail" ? resultOf("nonsense") : resultOf({ statusCode: 200, body: "pong" }));
  });
  const client = await connectClient(`${url}/${apiId}/prod`, { headers: { "X-Api-Key": "secret-secret-secret" } });
  client.send(text);
  const answer = await client.next();
  client.socket.close(1000);
  await client.closed;
  return answer;
}

describe("An access log", () => {
  const format = [
    "$context.requestId",
    "$context.eventType",
    "$context.routeKey",
    "$context.status",
    "$context.messageId",
    "$context.integration.status",
    "$context.error.message",
    "$context.error.responseType",
    "$context.responseLength",
  ].join(" ");

  test("has a line for each event: handshakes, messages, and the end", async () => {
    await publish("logged", { accessLog: { logGroup: "access", format } });
    await talk("logged", "hello");
    await expect.poll(() => of("access")).toHaveLength(3);
    const id = "[\\w-]{15}=";
    expect(of("access")[0]).toMatch(new RegExp(`^${id} CONNECT \\$connect 200 - 200 - - 4$`));
    expect(of("access")[1]).toMatch(new RegExp(`^${id} MESSAGE \\$default 200 ${id} 200 - - 4$`));
    expect(of("access")[2]).toMatch(new RegExp(`^${id} DISCONNECT \\$disconnect 200 - 200 - - 4$`));
  });

  test("tells what failed, and of messages without a route", async () => {
    await publish("failing", { accessLog: { logGroup: "failed", format } });
    await talk("failing", "fail");
    await expect.poll(() => of("failed")).toHaveLength(3);
    expect(of("failed")[1]).toMatch(/ MESSAGE \$default 502 \S+ 200 Internal server error MALFORMED_RESPONSE 0$/);
    await publish("routeless", { accessLog: { logGroup: "none", format } }, []);
    expect(JSON.parse(await talk("routeless", "x")).message).toBe("Forbidden");
    expect(of("none")[0]).toMatch(/ MESSAGE - 403 \S+ - Forbidden RESOURCE_NOT_FOUND 0$/);
  });

  test("no message can forge a line", async () => {
    const injected = functionRoute("$default", {
      modelSelectionExpression: "$default",
      requestModels: { $default: "M" },
      integration: mockOf(""),
    });
    const models = { M: '{"type":"object","additionalProperties":false}' };
    const accessLog = { logGroup: "forged", format: "$context.requestId $context.error.validationErrorString" };
    await publish("forging", { accessLog, models }, [injected]);
    await talk("forging", JSON.stringify({ "a\nforged": 1 }));
    expect(of("forged")[0]).toMatch(/^\S+ \[.*\\nforged.*\]$/);
  });
});

const groupOf = (apiId: string) => `/aws/apigateway/${apiId}/prod`;

describe("An execution log", () => {
  test("of level INFO tells each event from its start to its end, and its data where traced", async () => {
    await publish("informed", { settings: { default: { loggingLevel: "INFO", dataTrace: true }, routes: {} } });
    await talk("informed", "hello");
    await expect.poll(() => of(groupOf("informed")).join("\n")).toContain("Event type: DISCONNECT");
    const told = of(groupOf("informed")).join("\n");
    expect(told).toMatch(/^\([\w-]{15}=\) Extended Request Id: /);
    expect(told).toContain("Route: $default, Event type: MESSAGE");
    expect(told).toContain("Route request body before transformations: hello");
    expect(told).toContain("Method response body after transformations: pong");
    expect(told).toContain("Route completed with status: 200");
    expect(told).not.toContain("secret-secret-secret");
  });

  test("of level ERROR tells failures alone, and a route may be OFF", async () => {
    const settings = { default: { loggingLevel: "ERROR" }, routes: { $connect: { loggingLevel: "OFF" } } } as const;
    await publish("erring", { settings });
    await talk("erring", "hello");
    expect(of(groupOf("erring"))).toEqual([]);
    await talk("erring", "fail");
    expect(of(groupOf("erring")).join("\n")).toContain(
      "Gateway response type: MALFORMED_RESPONSE with status code: 502",
    );
  });
});

/** What was counted under these dimensions. */
const counts = (dimensions: string) =>
  Object.fromEntries(
    metrics
      .filter((datum) => datum.dimensions.map(({ name, value }) => `${name}=${value}`).join() === dimensions)
      .map(({ metricName, sample }) => [metricName, metricName === "IntegrationLatency" ? sample.count : sample.sum]),
  );

test("Metrics count connections, messages both ways, errors and latencies, by stage and detailed by route", async () => {
  const settings = { routes: { $default: { metrics: true } } };
  await publish("metered", { settings });
  expect(await talk("metered", "hello")).toBe("pong");
  await talk("metered", "fail");
  gateway.answer({ statusCode: 500 });
  await refusedHandshake(connectClient(`${url}/metered/prod`));
  clock.advance(60_000);
  const stage = { ConnectCount: 3, MessageCount: 4, ExecutionError: 1, IntegrationError: 1 };
  expect(counts("ApiId=metered,Stage=prod")).toMatchObject(stage);
  expect(counts("ApiId=metered")).toMatchObject(stage);
  expect(counts("ApiId=metered,Method=$default,Resource=$default,Stage=prod")).toEqual({
    MessageCount: 2,
    ExecutionError: 1,
    IntegrationLatency: 2,
  });
  expect(counts("ApiId=metered,Method=$connect,Resource=$connect,Stage=prod")).toEqual({});
});
