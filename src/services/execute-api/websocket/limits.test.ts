import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../kernel/clock.ts";
import { createFakeClock, type FakeClock } from "../../../testing/fake-clock.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";
import { connectClient, type TestClient } from "./client.ts";
import { functionRoute, mockOf, refusedHandshake, webSocketStage } from "./fake-stage.ts";
import { webSocketLimits as limits } from "./limits.ts";

const everybody = {
  verifier: { verify: () => Promise.reject(new Error("Nobody signs")) },
  authorizer: { authorize: () => Promise.resolve() },
};
const once = { rateLimit: 0.001, burstLimit: 1 };
const route = (routeKey: string) => functionRoute(routeKey, { integration: mockOf(routeKey.replace("$", "")) });
const messageOf = (frame: string) => {
  try {
    return JSON.parse(frame).message;
  } catch {
    return frame;
  }
};
const ask = async (client: TestClient, action: string) => {
  client.send({ action });
  return messageOf(await client.next());
};

describe("Throttling", () => {
  let gateway: FakeGateway;
  let url: string;
  beforeAll(async () => {
    gateway = await startFakeGateway(systemClock, everybody);
    url = gateway.url.replace("http", "ws");
  });
  afterAll(() => gateway.stop());

  test("a route has its own bucket, and others the default's, each its own", async () => {
    const settings = {
      default: { throttling: { rateLimit: 0.001, burstLimit: 2 } },
      routes: { a: { throttling: once } },
    };
    const routes = ["$disconnect", "$default", "a", "b"].map(route);
    await gateway.publish(webSocketStage("routes", routes, { settings }));
    const client = await connectClient(`${url}/routes/prod`);
    expect([await ask(client, "a"), await ask(client, "a")]).toEqual(["a", "Too Many Requests"]);
    expect([await ask(client, "b"), await ask(client, "b"), await ask(client, "b")]).toEqual([
      "b",
      "b",
      "Too Many Requests",
    ]);
    expect(await ask(client, "other")).toBe("default");
    client.socket.terminate();
  });

  test("of $connect refuses handshakes with 429", async () => {
    const settings = { routes: { $connect: { throttling: once } } };
    await gateway.publish(webSocketStage("connect", [route("$connect")], { settings }));
    const client = await connectClient(`${url}/connect/prod`);
    const refused = await refusedHandshake(connectClient(`${url}/connect/prod`));
    expect([refused.status, messageOf(refused.body)]).toEqual([429, "Too Many Requests"]);
    client.socket.terminate();
  });

  test("the account's rate is of messages, too", async () => {
    const limited = await startFakeGateway(systemClock, {
      ...everybody,
      limits: { accountRate: { rateLimit: 0.001, burstLimit: 2 } },
    });
    await limited.publish(webSocketStage("api", [route("$connect"), route("$default")]));
    const client = await connectClient(`${limited.url.replace("http", "ws")}/api/prod`);
    expect(await ask(client, "x")).toBe("default");
    expect(await ask(client, "x")).toBe("Too Many Requests");
    client.socket.terminate();
    await limited.stop();
  });
});

describe("A connection", () => {
  let clock: FakeClock;
  let gateway: FakeGateway;
  const start = async () => {
    clock = createFakeClock(Date.UTC(2026, 0, 1));
    gateway = await startFakeGateway(clock);
    await gateway.publish(webSocketStage("api", [functionRoute("$default"), functionRoute("$disconnect")]));
    return connectClient(`${gateway.url.replace("http", "ws")}/api/prod`);
  };
  afterEach(() => gateway.stop());
  /** In steps, as nothing else looks at connections in between. */
  const pass = (ms: number) => {
    for (let left = ms; left > 0; left -= limits.lookMs) clock.advance(Math.min(left, limits.lookMs));
  };
  const endOf = async (client: TestClient) => {
    const [code, reason] = await client.closed;
    await expect.poll(() => gateway.invocations.length).toBeGreaterThan(0);
    return { code, reason, told: gateway.event()["requestContext"] };
  };

  test("without a message for 10 minutes is closed with 1001, and $disconnect told so", async () => {
    const client = await start();
    pass(limits.idleMsMax - limits.lookMs);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    pass(limits.lookMs);
    expect(await endOf(client)).toMatchObject({
      code: 1001,
      reason: "Going away",
      told: { disconnectStatusCode: 1001, disconnectReason: "Going away" },
    });
  });

  test("with messages is closed after 2 hours all the same", async () => {
    const client = await start();
    gateway.answer({ statusCode: 200, body: "pong" });
    const every = limits.idleMsMax / 2;
    for (let passed = every; passed < limits.connectionMsMax; passed += every) {
      pass(every);
      client.send("ping");
      expect(await client.next()).toBe("pong");
    }
    gateway.invocations.length = 0;
    pass(every);
    expect(await endOf(client)).toMatchObject({ code: 1001, told: { eventType: "DISCONNECT" } });
  });
});
