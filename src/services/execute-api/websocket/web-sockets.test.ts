import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../kernel/clock.ts";
import type { LambdaInvokeRequest } from "../../lambda/port.ts";
import { type FakeGateway, resultOf, startFakeGateway } from "../fake-gateway.ts";
import { connectClient, RefusedHandshake } from "./client.ts";
import type { PublishedWebSocketRoute, PublishedWebSocketStage } from "./published.ts";

let gateway: FakeGateway;
let url: string;
const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:f";

beforeAll(async () => {
  gateway = await startFakeGateway(systemClock);
  url = gateway.url.replace("http", "ws");
  await gateway.publish(stageOf("api", ["$connect", "$disconnect", "$default", "hello"]));
  await gateway.publish(stageOf("bare", ["hello"]));
  await gateway.publish(stageOf("silent", ["$default"], { responds: false }));
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.answer({ statusCode: 200 });
  gateway.invocations.length = 0;
});

function stageOf(
  apiId: string,
  keys: readonly string[],
  more: Partial<PublishedWebSocketRoute> = {},
): PublishedWebSocketStage {
  return {
    kind: "websocket",
    version: 1,
    account: "000000000000",
    region: "us-east-1",
    apiId,
    stageName: "prod",
    deploymentId: "d",
    variables: {},
    disableExecuteApiEndpoint: false,
    routeSelectionExpression: "$request.body.action",
    routes: keys.map((routeKey) => ({
      routeKey,
      authorizationType: "NONE",
      responds: true,
      integration: { type: "AWS_PROXY", uri: functionArn, timeoutMs: 29_000 },
      ...more,
    })),
  };
}

function eventOf(
  request: LambdaInvokeRequest | undefined,
): Record<string, never> & { requestContext: Record<string, unknown> } {
  return JSON.parse(Buffer.from(request?.payload ?? []).toString("utf8"));
}

const refusal = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RefusedHandshake)) throw new Error(`No refusal: ${String(error)}`);
  return error;
};

const echo = (request: LambdaInvokeRequest) => {
  const event = eventOf(request);
  return Promise.resolve(resultOf({ statusCode: 200, body: `${event.requestContext["routeKey"]}: ${event["body"]}` }));
};

/** The newest event of a type, and of a connection where one is named. */
const last = (eventType: string, connectionId?: unknown) =>
  gateway.invocations
    .map(eventOf)
    .findLast(
      ({ requestContext }) =>
        requestContext["eventType"] === eventType &&
        (connectionId === undefined || requestContext["connectionId"] === connectionId),
    );

describe("A handshake", () => {
  test("is told to $connect, with headers and query, before the connection is there", async () => {
    const client = await connectClient(`${url}/api/prod?room=1&room=2`, { headers: { "X-Token": "t" } });
    const event = last("CONNECT") ?? eventOf(undefined);
    expect(Object.keys(event).toSorted()).toEqual([
      "headers",
      "isBase64Encoded",
      "multiValueHeaders",
      "multiValueQueryStringParameters",
      "queryStringParameters",
      "requestContext",
    ]);
    expect(event["headers"]).toMatchObject({
      "X-Token": "t",
      "Sec-WebSocket-Version": "13",
      "X-Forwarded-Proto": "http",
    });
    expect(event["headers"]).not.toHaveProperty("Connection");
    expect(event["multiValueQueryStringParameters"]).toEqual({ room: ["1", "2"] });
    expect(event.requestContext).toEqual({
      routeKey: "$connect",
      eventType: "CONNECT",
      extendedRequestId: expect.stringMatching(/^[\w-]{15}=$/),
      requestTime: expect.stringMatching(/^\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
      messageDirection: "IN",
      stage: "prod",
      connectedAt: expect.any(Number),
      requestTimeEpoch: expect.any(Number),
      identity: { sourceIp: "127.0.0.1" },
      requestId: event.requestContext["extendedRequestId"],
      domainName: "api.execute-api.us-east-1.localhost",
      connectionId: expect.stringMatching(/^[\w-]{15}=$/),
      apiId: "api",
    });
    client.socket.terminate();
  });

  test("needs no $connect route", async () => {
    const client = await connectClient(`${url}/bare/prod`);
    expect(last("CONNECT")).toBeUndefined();
    client.socket.terminate();
  });

  test.each([
    [{ statusCode: 401 }, 401, "Unauthorized"],
    [{ statusCode: 403 }, 403, "Forbidden"],
    [{ statusCode: 302 }, 302, "Forbidden"],
    ["nonsense", 502, "Internal server error"],
    [undefined, 502, "Internal server error"],
  ])("is refused when $connect answers %j: %i", async (answer, status, message) => {
    gateway.answer(answer);
    const refused = await refusal(connectClient(`${url}/api/prod`));
    expect(refused.status).toBe(status);
    expect(refused.body).toMatch(
      new RegExp(`^\\{"message": "${message}", "connectionId":"[\\w-]{15}=", "requestId":"[\\w-]{15}="\\}$`),
    );
  });

  test("is refused with 502 when the function of $connect fails", async () => {
    gateway.answer(() => Promise.resolve({ ...resultOf({ errorMessage: "x" }), functionError: "Unhandled" }));
    expect((await refusal(connectClient(`${url}/api/prod`))).status).toBe(502);
  });

  test.each(["/api/other", "/none/prod", "/api"])("is refused with 403 at %s, which is no stage", async (path) => {
    expect((await refusal(connectClient(`${url}${path}`))).status).toBe(403);
  });

  test("gets the subprotocol that $connect answers", async () => {
    gateway.answer({ statusCode: 200, headers: { "Sec-WebSocket-Protocol": "b" } });
    const client = await connectClient(`${url}/api/prod`, { subprotocols: ["a", "b"] });
    expect(client.socket.protocol).toBe("b");
    client.socket.terminate();
  });

  test("without a valid key is refused with 400, and nobody is asked", async () => {
    const response = await fetch(`${gateway.url}/api/prod`);
    expect(response.status).toBe(426);
    expect(await response.json()).toEqual({ message: "Upgrade Required" });
    expect(last("CONNECT")).toBeUndefined();
  });
});

describe("A message", () => {
  test("goes to the route that the selection expression names, and its answer to the client", async () => {
    const client = await connectClient(`${url}/api/prod`);
    gateway.answer(echo);
    client.send({ action: "hello" });
    expect(await client.next()).toBe('hello: {"action":"hello"}');
    client.send({ action: "unknown" });
    expect(await client.next()).toBe('$default: {"action":"unknown"}');
    client.send("no JSON");
    expect(await client.next()).toBe("$default: no JSON");
    client.send({ action: "$connect" });
    expect(await client.next()).toBe('$default: {"action":"$connect"}');
    client.socket.terminate();
  });

  test("of the client that Node.js and browsers have is answered", async () => {
    const socket = new WebSocket(`${url}/api/prod`);
    const arrived = (type: "open" | "message" | "close") =>
      new Promise<Event>((resolve) => socket.addEventListener(type, resolve, { once: true }));
    await arrived("open");
    gateway.answer(echo);
    socket.send(JSON.stringify({ action: "hello" }));
    expect(await arrived("message")).toMatchObject({ data: 'hello: {"action":"hello"}' });
    socket.close(4000, "bye");
    expect(await arrived("close")).toMatchObject({ code: 4000 });
  });

  test("is told with its own id, the connection's, and no headers", async () => {
    const client = await connectClient(`${url}/api/prod`);
    gateway.answer(echo);
    client.send({ action: "hello" });
    await client.next();
    const connected = last("CONNECT");
    const event = last("MESSAGE");
    expect(Object.keys(event ?? {}).toSorted()).toEqual(["body", "isBase64Encoded", "requestContext"]);
    expect(event?.requestContext).toMatchObject({
      eventType: "MESSAGE",
      messageId: expect.stringMatching(/^[\w-]{15}=$/),
      connectionId: connected?.requestContext["connectionId"],
      connectedAt: connected?.requestContext["connectedAt"],
    });
    client.socket.terminate();
  });

  test("without a route and without $default is answered with Forbidden", async () => {
    const client = await connectClient(`${url}/bare/prod`);
    client.send({ action: "other" });
    expect(await client.next()).toMatch(
      /^\{"message": "Forbidden", "connectionId":"[\w-]{15}=", "requestId":"[\w-]{15}="\}$/,
    );
    client.socket.terminate();
  });

  test("whose function fails is answered with Internal server error", async () => {
    const client = await connectClient(`${url}/bare/prod`);
    gateway.answer("nonsense");
    client.send({ action: "hello" });
    expect(JSON.parse(await client.next())).toMatchObject({ message: "Internal server error" });
    client.socket.terminate();
  });

  test("gets no answer where the route has no response", async () => {
    const client = await connectClient(`${url}/silent/prod`);
    gateway.answer(echo);
    client.send("first");
    gateway.answer("nonsense");
    client.send("second");
    expect(JSON.parse(await client.next())).toMatchObject({ message: "Internal server error" });
    client.socket.terminate();
  });

  test.each([["in binary", 1003, (send: (data: Buffer) => void) => send(Buffer.from("x"))]])(
    "%s closes the connection with %i",
    async (_how, code, send) => {
      const client = await connectClient(`${url}/bare/prod`);
      send((data) => client.socket.send(data));
      expect((await client.closed)[0]).toBe(code);
    },
  );

  test("of one frame larger than 32 KB closes the connection with 1009", async () => {
    const client = await connectClient(`${url}/bare/prod`);
    client.socket.send("x".repeat(32 * 1024 + 1));
    expect((await client.closed)[0]).toBe(1009);
    expect(last("MESSAGE")).toBeUndefined();
  });

  test("of 128 KB in frames of 32 KB is taken, and one byte more closes with 1009", async () => {
    const client = await connectClient(`${url}/api/prod`);
    gateway.answer((request: LambdaInvokeRequest) =>
      Promise.resolve(resultOf({ statusCode: 200, body: String(String(eventOf(request)["body"]).length) })),
    );
    const frame = "x".repeat(32 * 1024);
    const send = (frames: number, last: string) => {
      for (let sent = 1; sent < frames; sent += 1) client.socket.send(frame, { fin: false });
      client.socket.send(last);
    };
    send(4, frame);
    expect(await client.next()).toBe(String(128 * 1024));
    send(5, "x");
    expect((await client.closed)[0]).toBe(1009);
  });
});

const disconnection = async (connectionId: string) => {
  for (;;) {
    const event = last("DISCONNECT", connectionId);
    if (event) return event;
    await new Promise(setImmediate);
  }
};

describe("A connection", () => {
  const place = { apiId: "api", stageName: "prod" };
  const connect = async () => {
    const client = await connectClient(`${url}/api/prod`);
    const connectionId = String(last("CONNECT")?.requestContext["connectionId"]);
    return {
      client,
      connectionId,
      ask: (ask: Parameters<typeof gateway.webSockets.connections.ask>[2], at = place) =>
        gateway.webSockets.connections.ask(at, connectionId, ask),
    };
  };
  test("gets what is posted to it, as text", async () => {
    const { client, ask } = await connect();
    expect(await ask({ do: "post", data: Buffer.from("héllo") })).toEqual({ answer: "done" });
    expect(await client.next()).toBe("héllo");
    const large = "x".repeat(100_000);
    await ask({ do: "post", data: Buffer.from(large) });
    expect(await client.next()).toBe(large);
    client.socket.terminate();
  });

  test("is described", async () => {
    const { client, ask } = await connect();
    expect(await ask({ do: "describe" })).toEqual({
      answer: "described",
      connectedAt: expect.any(Number),
      lastActiveAt: expect.any(Number),
      sourceIp: "127.0.0.1",
      userAgent: "",
    });
    client.socket.terminate();
  });

  test("is of its stage alone: elsewhere it is gone", async () => {
    const { client, ask } = await connect();
    expect(await ask({ do: "describe" }, { apiId: "bare", stageName: "prod" })).toEqual({ answer: "gone" });
    client.socket.terminate();
  });

  test("that is closed by the backend ends with 1000, is gone at once, and tells $disconnect", async () => {
    const { client, ask, connectionId } = await connect();
    expect(await ask({ do: "close" })).toEqual({ answer: "done" });
    expect(await ask({ do: "describe" })).toEqual({ answer: "gone" });
    expect((await client.closed)[0]).toBe(1000);
    expect((await disconnection(connectionId)).requestContext).toMatchObject({
      routeKey: "$disconnect",
      disconnectStatusCode: 1000,
      disconnectReason: "Connection Closed Normally",
    });
  });

  test("that its client closes tells $disconnect the client's code and reason", async () => {
    const { client, ask, connectionId } = await connect();
    client.socket.close(4001, "bye");
    const event = await disconnection(connectionId);
    expect(event["headers"]).toEqual({
      Host: "api.execute-api.us-east-1.localhost",
      "x-api-key": "",
      "X-Forwarded-For": "",
      "x-restapi": "",
    });
    expect(event.requestContext).toMatchObject({ disconnectStatusCode: 4001, disconnectReason: "bye" });
    expect(await ask({ do: "post", data: Buffer.from("x") })).toEqual({ answer: "gone" });
  });

  test("whose client is killed tells $disconnect 1006", async () => {
    const { client, connectionId } = await connect();
    client.socket.terminate();
    expect((await disconnection(connectionId)).requestContext["disconnectStatusCode"]).toBe(1006);
  });
});

test("A stop closes connections with 1001, and runs $disconnect before it is done", async () => {
  const stopping = await startFakeGateway(systemClock);
  await stopping.publish(stageOf("api", ["$disconnect"]));
  const client = await connectClient(`${stopping.url.replace("http", "ws")}/api/prod`);
  await stopping.webSockets.stop(5_000);
  expect((await client.closed)[0]).toBe(1001);
  expect(stopping.event()["requestContext"]).toMatchObject({
    eventType: "DISCONNECT",
    disconnectStatusCode: 1001,
    disconnectReason: "Going away",
  });
  await stopping.stop();
});
