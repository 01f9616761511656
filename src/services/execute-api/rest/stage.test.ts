import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AwsError } from "../../../aws/error.ts";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { type FakeGateway, resultOf, startFakeGateway } from "../fake-gateway.ts";
import type { PublishedMethod, PublishedRestStage } from "../port.ts";

const now = Date.UTC(2026, 2, 12, 19, 3, 58, 390);
const clock = createFakeClock(now);
let gateway: FakeGateway;

beforeAll(async () => {
  gateway = await startFakeGateway(clock);
});
beforeEach(() => {
  gateway.answer({ statusCode: 200, body: "ok" });
  gateway.invocations.length = 0;
});
afterAll(() => gateway.stop());

const uri =
  "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations";

function method(httpMethod: string, path: string, more: Partial<PublishedMethod> = {}): PublishedMethod {
  return {
    resourceId: "res1",
    path,
    httpMethod,
    authorizationType: "NONE",
    integration: { type: "AWS_PROXY", uri, timeoutMs: 29_000 },
    ...more,
  };
}

function stage(apiId: string): PublishedRestStage {
  return {
    kind: "rest",
    version: 1,
    account: "000000000000",
    region: "us-east-1",
    apiId,
    stageName: "Prod",
    deploymentId: "dep1",
    variables: {},
    disableExecuteApiEndpoint: false,
    binaryMediaTypes: [],
    gatewayResponses: [],
    methods: [method("ANY", "/"), method("ANY", "/{proxy+}")],
  };
}

async function publish(apiId: string, more: Partial<PublishedRestStage> = {}): Promise<string> {
  await gateway.publish({ ...stage(apiId), ...more });
  return `${gateway.url}/${apiId}/Prod`;
}

describe("events of a REST API", () => {
  test("have every member AWS documents, and no other", async () => {
    const url = await publish("all", {
      methods: [method("POST", "/pets/{id}", { operationName: "AddPet" })],
      variables: { color: "blue" },
    });
    await fetch(`${url}/pets/a%20b?x=1&x=2`, {
      method: "POST",
      headers: { "Content-Type": "text/plain", "User-Agent": "test" },
      body: "hi",
    });
    const { headers, multiValueHeaders, requestContext, ...rest } = gateway.event();
    const { requestId, extendedRequestId, ...context } = requestContext ?? {};
    expect(rest).toEqual({
      resource: "/pets/{id}",
      path: "/pets/a%20b",
      httpMethod: "POST",
      queryStringParameters: { x: "2" },
      multiValueQueryStringParameters: { x: ["1", "2"] },
      pathParameters: { id: "a b" },
      stageVariables: { color: "blue" },
      body: "hi",
      isBase64Encoded: false,
    });
    expect(context).toEqual({
      resourceId: "res1",
      resourcePath: "/pets/{id}",
      operationName: "AddPet",
      accountId: "000000000000",
      apiId: "all",
      stage: "Prod",
      deploymentId: "dep1",
      httpMethod: "POST",
      requestTime: "12/Mar/2026:19:03:58 +0000",
      requestTimeEpoch: now,
      path: "/Prod/pets/a%20b",
      protocol: "HTTP/1.1",
      domainPrefix: "all",
      domainName: "all.execute-api.us-east-1.localhost",
      identity: {
        cognitoIdentityPoolId: null,
        cognitoIdentityId: null,
        principalOrgId: null,
        cognitoAuthenticationType: null,
        cognitoAuthenticationProvider: null,
        accessKey: null,
        accountId: null,
        caller: null,
        user: null,
        userArn: null,
        sourceIp: "127.0.0.1",
        userAgent: "test",
      },
    });
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(extendedRequestId).toMatch(/^[\w-]{15}=$/);
    expect(headers).toMatchObject({ "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http" });
    expect(multiValueHeaders).toMatchObject({ "X-Forwarded-For": ["127.0.0.1"] });
    expect(Object.keys(headers ?? {}).map((name) => name.toLowerCase())).not.toContain("content-length");
  });

  test("have null for what the request does not have", async () => {
    await fetch(`${await publish("none")}/a`);
    expect(gateway.event()).toMatchObject({
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      stageVariables: null,
      body: null,
      pathParameters: { proxy: "a" },
    });
  });

  test("carry a body in base 64 when its type is declared binary", async () => {
    const url = await publish("binary", { binaryMediaTypes: ["image/*"] });
    const body = Buffer.from([0, 255]);
    await fetch(`${url}/a`, { method: "POST", headers: { "Content-Type": "image/png" }, body });
    expect(gateway.event()).toMatchObject({ body: body.toString("base64"), isBase64Encoded: true });
    await fetch(`${url}/a`, { method: "POST", headers: { "Content-Type": "text/plain" }, body: "x" });
    expect(gateway.event()).toMatchObject({ body: "x", isBase64Encoded: false });
  });
});

describe("resources", () => {
  test.each([
    ["GET", "/missing", 403],
    ["POST", "/a", 403],
    ["GET", "/a", 200],
    ["GET", "/a/", 200],
    ["GET", "/", 403],
    ["PATCH", "/any/x/y", 200],
  ])("%s %s is answered %i", async (httpMethod, path, status) => {
    const url = await publish("resources", { methods: [method("GET", "/a"), method("ANY", "/any/{proxy+}")] });
    const response = await fetch(`${url}${path}`, { method: httpMethod });
    expect(response.status).toBe(status);
    if (status === 403) {
      expect(await response.json()).toEqual({ message: "Missing Authentication Token" });
      expect(response.headers.get("x-amzn-errortype")).toBe("MissingAuthenticationTokenException");
    }
  });

  test("that lack the method do not give way to a greedy one", async () => {
    const url = await publish("nogive", { methods: [method("GET", "/a"), method("ANY", "/{proxy+}")] });
    expect((await fetch(`${url}/a`, { method: "POST" })).status).toBe(403);
  });

  test("are only there on a stage", async () => {
    await publish("onstage");
    for (const path of ["", "/", "/Other/a"]) {
      const response = await fetch(`${gateway.url}/onstage${path}`);
      expect(response.status).toBe(403);
      expect(await response.json()).toEqual({ message: "Forbidden" });
    }
  });
});

describe("a function's answer", () => {
  test("gives status, headers, several values and body, beside the gateway's own headers", async () => {
    const response = await ask({
      statusCode: "201",
      headers: { "X-A": true },
      multiValueHeaders: { "Set-Cookie": ["a=1", "b=2"], "x-a": ["2"] },
      body: "x",
    });
    expect(response.status).toBe(201);
    expect(response.headers.get("x-a")).toBe("2");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("x-amzn-requestid")).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.get("x-amz-apigw-id")).toMatch(/=$/);
    expect(response.headers.get("x-amzn-trace-id")).toMatch(/^Root=1-/);
    expect(await response.text()).toBe("x");
  });

  test("is 200 when it is empty", async () => {
    const response = await ask({});
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });

  test("is decoded from base 64 only for a client that accepts a binary type", async () => {
    const value = { statusCode: 200, body: Buffer.from("hi").toString("base64"), isBase64Encoded: true };
    expect(await (await ask(value, { Accept: "image/png" })).text()).toBe("hi");
    expect(await (await ask(value, { Accept: "text/plain" })).text()).toBe("aGk=");
  });

  test.each([
    ["no object", "text"],
    ["null", null],
    ["a member AWS does not know", { statusCode: 200, cookies: [] }],
    ["a body that is an object", { statusCode: 200, body: { a: 1 } }],
    ["a header that is an object", { statusCode: 200, headers: { a: {} } }],
    ["a status out of range", { statusCode: 1000 }],
  ])("is answered 502 when it is malformed: %s", async (_what, value) => {
    const response = await ask(value);
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({ message: "Internal server error" });
    expect(response.headers.get("x-amzn-errortype")).toBe("InternalServerErrorException");
  });
});

describe("a function that cannot answer", () => {
  test("leads to 502 when it failed", async () => {
    const url = await publish("fails");
    gateway.answer(() => Promise.resolve({ ...resultOf({ errorMessage: "x" }), functionError: "Unhandled" }));
    expect((await fetch(`${url}/a`)).status).toBe(502);
  });

  test("leads to 500 when Lambda refuses to run it", async () => {
    const url = await publish("refused");
    gateway.answer(() => Promise.reject(new AwsError("AccessDeniedException", 403, "no")));
    const response = await fetch(`${url}/a`);
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ message: "Internal server error" });
  });

  test("leads to 504 once the integration's timeout has passed", async () => {
    const url = await publish("late");
    gateway.answer(() => {
      setImmediate(() => clock.advance(29_000));
      return new Promise(() => undefined);
    });
    const response = await fetch(`${url}/a`);
    expect(response.status).toBe(504);
    expect(await response.json()).toEqual({ message: "Endpoint request timed out" });
  });
});

describe("a MOCK integration", () => {
  const mock: PublishedMethod["integration"] = {
    type: "MOCK",
    requestTemplates: { "application/json": '{\n  "statusCode" : 200\n}\n' },
    passthroughBehavior: "NEVER",
    responses: [
      {
        statusCode: "200",
        responseParameters: {
          "method.response.header.Access-Control-Allow-Methods": "'GET,OPTIONS'",
          "method.response.header.Access-Control-Allow-Origin": "'*'",
        },
        responseTemplates: { "application/json": "{}\n" },
      },
    ],
  };

  test("answers with its static headers and body, as SAM's CORS method does", async () => {
    const url = await publish("mock", { methods: [method("OPTIONS", "/a", { integration: mock })] });
    const response = await fetch(`${url}/a`, { method: "OPTIONS" });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-allow-methods")).toBe("GET,OPTIONS");
    expect(await response.text()).toBe("{}\n");
    expect(gateway.invocations).toHaveLength(0);
  });

  test("answers 415 to a type without a template that may not pass", async () => {
    const url = await publish("mock415", { methods: [method("POST", "/a", { integration: mock })] });
    const response = await fetch(`${url}/a`, { method: "POST", body: "x", headers: { "Content-Type": "text/plain" } });
    expect(response.status).toBe(415);
    expect(await response.json()).toEqual({ message: "Unsupported Media Type" });
  });
});

test("Gateway responses change status, headers and body of the gateway's own answers", async () => {
  const url = await publish("responses", {
    methods: [method("GET", "/a")],
    gatewayResponses: [
      {
        responseType: "DEFAULT_4XX",
        statusCode: "404",
        responseParameters: { "gatewayresponse.header.Access-Control-Allow-Origin": "'*'" },
        responseTemplates: { "application/json": '{"error":$context.error.messageString}' },
      },
    ],
  });
  const response = await fetch(`${url}/b`);
  expect(response.status).toBe(404);
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(await response.json()).toEqual({ error: "Missing Authentication Token" });
});

test("A method authorized by IAM refuses an unsigned request", async () => {
  const url = await publish("iam", { methods: [method("GET", "/a", { authorizationType: "AWS_IAM" })] });
  const response = await fetch(`${url}/a`);
  expect(response.status).toBe(403);
  expect(await response.json()).toEqual({ message: "Missing Authentication Token" });
});

async function ask(value: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const url = await publish("answers", { binaryMediaTypes: ["image/png"] });
  gateway.answer(value);
  return fetch(`${url}/a`, { headers });
}

describe("a method authorized by IAM whose function is called as the caller", () => {
  const integration = { type: "AWS_PROXY" as const, uri, timeoutMs: 29_000, asCaller: true };

  test("names the caller to Lambda", async () => {
    const caller = {
      type: "user",
      account: "000000000000",
      arn: "arn:aws:iam::000000000000:user/u",
      userId: "AIDA",
      userName: "u",
      accessKeyId: "AKIA",
    } as const;
    const signed = await startFakeGateway(clock, {
      verifier: {
        verify: () => Promise.resolve({ principal: caller, region: "us-east-1", payload: { kind: "unsigned" } }),
      },
      authorizer: { authorize: () => Promise.resolve() },
    });
    await signed.publish({
      ...stage("caller"),
      methods: [method("GET", "/a", { authorizationType: "AWS_IAM", integration })],
    });
    expect((await fetch(`${signed.url}/caller/Prod/a`)).status).toBe(200);
    expect(signed.invocations[0]?.principal).toEqual(caller);
    expect(signed.event()["requestContext"]?.["identity"]).toMatchObject({ userArn: caller.arn, caller: "AIDA" });
    await signed.stop();
  });

  test("does not run without one", async () => {
    const url = await publish("nocaller", { methods: [method("GET", "/a", { integration })] });
    expect((await fetch(`${url}/a`)).status).toBe(500);
    expect(gateway.invocations).toHaveLength(0);
  });
});

test("Texts that are not ASCII arrive as UTF-8, in headers too", async () => {
  const url = await publish("utf8");
  gateway.answer({ statusCode: 200, headers: { "X-A": "é" }, body: "é€" });
  const response = await fetch(`${url}/a`);
  expect(await response.text()).toBe("é€");
  gateway.answer({ statusCode: 200, headers: { "X-A": "é€" }, body: "ascii" });
  const header = (await fetch(`${url}/a`)).headers.get("x-a") ?? "";
  expect(Buffer.from(header, "latin1").toString("utf8")).toBe("é€");
});
