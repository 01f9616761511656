import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../kernel/clock.ts";
import type { LambdaInvokeRequest } from "../../lambda/port.ts";
import { type FakeGateway, resultOf, startFakeGateway } from "../fake-gateway.ts";
import { connectClient } from "./client.ts";
import { functionArn, functionRoute, invocationUri, mockOf, refusedHandshake, webSocketStage } from "./fake-stage.ts";

let gateway: FakeGateway;
let url: string;
const authorizerArn = `${functionArn}-auth`;
const methodArn = "arn:aws:execute-api:us-east-1:000000000000:api/prod/$connect";
const authorizer = {
  id: "auth01",
  type: "REQUEST" as const,
  uri: invocationUri.replace(functionArn, authorizerArn),
  identitySources: ["route.request.header.HeaderAuth1", "route.request.querystring.QueryString1"],
  ttlSeconds: 0,
};
const guarded = { authorizationType: "CUSTOM" as const, authorizerId: "auth01" };

beforeAll(async () => {
  gateway = await startFakeGateway(systemClock);
  url = gateway.url.replace("http", "ws");
  const routes = [functionRoute("$connect", guarded), functionRoute("$disconnect"), functionRoute("$default")];
  await gateway.publish(webSocketStage("api", routes, { authorizers: [authorizer], variables: { color: "red" } }));
  const templates = { $default: "$context.authorizer.number $context.authorizer.principalId" };
  const shown = mockOf("", { responses: [{ key: "$default", templates }] });
  const connect = { routeKey: "$connect", responds: false, ...guarded };
  const mapped = { routeKey: "$default", authorizationType: "NONE", responds: true, integration: shown } as const;
  // Nothing is integrated with $connect: who may connect is decided all the same.
  await gateway.publish(webSocketStage("bare", [connect, mapped], { authorizers: [authorizer] }));
  await gateway.publish(webSocketStage("lost", [connect]));
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.invocations.length = 0;
});

const eventOf = (request: LambdaInvokeRequest | undefined) =>
  JSON.parse(Buffer.from(request?.payload ?? []).toString("utf8"));

/** The authorizer answers this, and all other functions echo their route. */
function authorize(answer: unknown): void {
  gateway.answer((request: LambdaInvokeRequest) => {
    if (request.functionArn !== authorizerArn) {
      const { requestContext } = eventOf(request);
      return Promise.resolve(resultOf({ statusCode: 200, body: JSON.stringify(requestContext) }));
    }
    return Promise.resolve(typeof answer === "function" ? answer() : resultOf(answer));
  });
}

const grantOf = (effect: string, resource = methodArn, context = {}) => ({
  principalId: "me",
  policyDocument: {
    Version: "2012-10-17",
    Statement: [{ Action: "execute-api:Invoke", Effect: effect, Resource: resource }],
  },
  context,
});
const good = { headers: { HeaderAuth1: "headerValue1" } };
const connect = (api = "api") => connectClient(`${url}/${api}/prod?QueryString1=queryValue1`, good);

describe("The authorizer of $connect", () => {
  test("is asked with the documented event", async () => {
    authorize(grantOf("Allow"));
    const client = await connect();
    const event = eventOf(gateway.invocations[0]);
    // The example of "Control access to WebSocket APIs with AWS Lambda REQUEST authorizers".
    expect(Object.keys(event)).toEqual([
      "type",
      "methodArn",
      "headers",
      "multiValueHeaders",
      "queryStringParameters",
      "multiValueQueryStringParameters",
      "stageVariables",
      "requestContext",
    ]);
    expect(event).toMatchObject({
      type: "REQUEST",
      methodArn,
      headers: { Connection: "upgrade", "content-length": "0", HeaderAuth1: "headerValue1", Upgrade: "websocket" },
      multiValueHeaders: { Connection: ["upgrade"], HeaderAuth1: ["headerValue1"] },
      queryStringParameters: { QueryString1: "queryValue1" },
      multiValueQueryStringParameters: { QueryString1: ["queryValue1"] },
      stageVariables: { color: "red" },
    });
    expect(Object.keys(event.requestContext)).toEqual([
      "routeKey",
      "eventType",
      "extendedRequestId",
      "requestTime",
      "messageDirection",
      "stage",
      "connectedAt",
      "requestTimeEpoch",
      "identity",
      "requestId",
      "domainName",
      "connectionId",
      "apiId",
    ]);
    expect(gateway.invocations[0]?.principal).toMatchObject({
      service: "apigateway.amazonaws.com",
      sourceArn: "arn:aws:execute-api:us-east-1:000000000000:api/authorizers/auth01",
    });
    client.socket.terminate();
  });

  test("gives its context to every event of the connection, as text", async () => {
    authorize(grantOf("Allow", methodArn, { word: "w", number: 1, flag: true }));
    const client = await connect();
    const expected = {
      word: "w",
      number: "1",
      flag: "true",
      principalId: "me",
      integrationLatency: expect.any(Number),
    };
    client.send({});
    const { authorizer: told, connectionId } = JSON.parse(await client.next());
    expect(told).toEqual(expected);
    const toldOf = (type: string) =>
      gateway.invocations
        .filter((request) => request.functionArn === functionArn)
        .map((request) => eventOf(request).requestContext)
        .find((context) => context.connectionId === connectionId && context.eventType === type)?.authorizer;
    expect(toldOf("CONNECT")).toEqual(expected);
    client.socket.close();
    await client.closed;
    await expect.poll(() => toldOf("DISCONNECT")).toEqual(expected);
  });

  test("is asked where $connect has no integration, and templates read what it said", async () => {
    authorize(grantOf("Allow", "arn:aws:execute-api:*", { number: 1 }));
    const client = await connect("bare");
    client.send({});
    expect(await client.next()).toBe("1 me");
    client.socket.terminate();
    authorize(grantOf("Deny", "*"));
    expect((await refusedHandshake(connect("bare"))).status).toBe(403);
  });

  test.each([
    ["a header", "/api/prod?QueryString1=queryValue1", {}],
    ["a query parameter", "/api/prod", good],
    ["a value", "/api/prod?QueryString1=", good],
  ])("is not asked without %s that identifies the caller: 401", async (_what, path, options) => {
    authorize(grantOf("Allow"));
    const { status, body } = await refusedHandshake(connectClient(`${url}${path}`, options));
    expect([status, JSON.parse(body).message]).toEqual([401, "Unauthorized"]);
    expect(gateway.invocations.filter(({ functionArn: arn }) => arn === authorizerArn)).toHaveLength(0);
  });

  test.each([
    ["denies", grantOf("Deny"), 403, "User is not authorized to access this resource with an explicit deny"],
    ["allows another route", grantOf("Allow", `${methodArn}x`), 403, "User is not authorized to access this resource"],
    ["says nothing", { principalId: "me" }, 500, "Internal server error"],
    ["answers nonsense", "nonsense", 500, "Internal server error"],
    ["fails", () => ({ ...resultOf({ errorMessage: "x" }), functionError: "Unhandled" }), 500, "Internal server error"],
    [
      "throws Unauthorized",
      () => ({ ...resultOf({ errorMessage: "Unauthorized" }), functionError: "Unhandled" }),
      401,
      "Unauthorized",
    ],
  ])("that %s refuses the handshake", async (_how, answer, status, message) => {
    authorize(answer);
    const refused = await refusedHandshake(connect());
    expect(refused.status).toBe(status);
    expect(JSON.parse(refused.body)).toEqual({
      message,
      connectionId: expect.any(String),
      requestId: expect.any(String),
    });
    const connected = gateway.invocations.filter((request) => eventOf(request).requestContext.eventType === "CONNECT");
    expect(connected).toHaveLength(1);
  });

  test("that is not there refuses the handshake with 500", async () => {
    expect((await refusedHandshake(connect("lost"))).status).toBe(500);
  });

  test("is asked for each connection: nothing is remembered", async () => {
    authorize(grantOf("Allow"));
    for (const client of [await connect(), await connect()]) client.socket.terminate();
    expect(gateway.invocations.filter(({ functionArn: arn }) => arn === authorizerArn)).toHaveLength(2);
  });
});
