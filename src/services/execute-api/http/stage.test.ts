import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AwsError } from "../../../aws/error.ts";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { type FakeGateway, resultOf, startFakeGateway } from "../fake-gateway.ts";
import type { PublishedHttpStage, PublishedRoute } from "../port.ts";

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

const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:f";

function route(routeKey: string, payloadFormatVersion: "1.0" | "2.0" = "2.0"): PublishedRoute {
  return {
    routeKey,
    authorizationType: "NONE",
    integration: { type: "AWS_PROXY", uri: functionArn, timeoutMs: 30_000, payloadFormatVersion },
  };
}

function stage(apiId: string, more: Partial<PublishedHttpStage>): PublishedHttpStage {
  return {
    kind: "http",
    version: 1,
    account: "000000000000",
    region: "us-east-1",
    apiId,
    stageName: "$default",
    deploymentId: "d1",
    variables: {},
    disableExecuteApiEndpoint: false,
    routes: [route("$default")],
    ...more,
  };
}

async function routed(apiId: string, method: string, path: string): Promise<string> {
  gateway.invocations.length = 0;
  const response = await fetch(`${gateway.url}/${apiId}${path}`, { method });
  await response.text();
  return gateway.invocations.length === 0
    ? String(response.status)
    : JSON.stringify(gateway.event()["routeKey"]).slice(1, -1);
}

describe("events in format 2.0", () => {
  test("have every member AWS documents, and no other", async () => {
    await gateway.publish(stage("v2all", { routes: [route("POST /pets/{id}")], variables: { color: "blue" } }));
    await fetch(`${gateway.url}/v2all/pets/a%20b?x=1&x=2&y=a%26b`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "User-Agent": "test",
        Cookie: "c1=1; c2=2",
        "X-Amzn-Trace-Id": "Root=1-5e9f0c65-1de4d666d4dd26aced652b6c",
        "X-Forwarded-For": "1.2.3.4",
      },
      body: `{"message":"hé\\u2028"}`,
    });
    const event = gateway.event();
    const { headers, requestContext, ...rest } = event;
    const { requestId, domainName, ...context } = requestContext ?? {};
    expect(rest).toEqual({
      version: "2.0",
      routeKey: "POST /pets/{id}",
      rawPath: "/pets/a b",
      rawQueryString: "x=1&x=2&y=a%26b",
      cookies: ["c1=1", "c2=2"],
      queryStringParameters: { x: "1,2", y: "a&b" },
      pathParameters: { id: "a b" },
      stageVariables: { color: "blue" },
      body: `{"message":"hé\\u2028"}`,
      isBase64Encoded: false,
    });
    expect(context).toEqual({
      accountId: "000000000000",
      apiId: "v2all",
      domainPrefix: "v2all",
      http: { method: "POST", path: "/pets/a b", protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "test" },
      routeKey: "POST /pets/{id}",
      stage: "$default",
      time: "12/Mar/2026:19:03:58 +0000",
      timeEpoch: now,
    });
    expect(requestId).toMatch(/^[\w-]{15}=$/);
    expect(domainName).toBe("v2all.execute-api.us-east-1.localhost");
    expect(headers).toMatchObject({
      "content-length": "23",
      "content-type": "application/json",
      host: `127.0.0.1:${gateway.port}`,
      "x-amzn-trace-id": "Root=1-5e9f0c65-1de4d666d4dd26aced652b6c",
      "x-forwarded-for": "1.2.3.4, 127.0.0.1",
      "x-forwarded-port": String(gateway.port),
      "x-forwarded-proto": "http",
    });
    expect(headers).not.toHaveProperty("cookie");
  });

  test("omit what the request does not have", async () => {
    await gateway.publish(stage("v2none", {}));
    await fetch(`${gateway.url}/v2none/`);
    expect(Object.keys(gateway.event())).toEqual([
      "version",
      "routeKey",
      "rawPath",
      "rawQueryString",
      "headers",
      "requestContext",
      "isBase64Encoded",
    ]);
    expect(gateway.event()["headers"]).toMatchObject({ "content-length": "0" });
  });

  test.each([
    ["application/x-www-form-urlencoded", true],
    ["image/png", true],
    ["", true],
    ["text/plain; charset=utf-8", false],
    ["application/problem+json", false],
  ])("carry a body of type %j in base 64: %j", async (type, isBase64Encoded) => {
    await gateway.publish(stage("v2body", {}));
    await fetch(`${gateway.url}/v2body/`, {
      method: "POST",
      headers: { "Content-Type": type },
      body: Buffer.from("a=1"),
    });
    const body = isBase64Encoded ? Buffer.from("a=1").toString("base64") : "a=1";
    expect(gateway.event()).toMatchObject({ body, isBase64Encoded });
  });

  test("name the function's caller, so that its policy can allow one route", async () => {
    await gateway.publish(stage("v2arn", { routes: [route("ANY /a/{b+}")] }));
    await fetch(`${gateway.url}/v2arn/a/b/c`);
    expect(gateway.invocations[0]).toMatchObject({
      functionArn,
      principal: {
        service: "apigateway.amazonaws.com",
        sourceArn: "arn:aws:execute-api:us-east-1:000000000000:v2arn/$default/GET/a/{b+}",
        sourceAccount: "000000000000",
      },
    });
  });
});

test("Format 1.0 of an HTTP API tells what a REST API does, and its version", async () => {
  await gateway.publish(stage("v1http", { stageName: "dev", routes: [route("GET /pets/{id}", "1.0")] }));
  await fetch(`${gateway.url}/v1http/dev/pets/7?a=1&a=2`, { headers: { "X-Two": "1" } });
  const event = gateway.event();
  expect(event).toMatchObject({
    version: "1.0",
    resource: "/pets/{id}",
    path: "/dev/pets/7",
    httpMethod: "GET",
    queryStringParameters: { a: "2" },
    multiValueQueryStringParameters: { a: ["1", "2"] },
    pathParameters: { id: "7" },
    stageVariables: null,
    body: null,
    isBase64Encoded: false,
    requestContext: {
      resourceId: "GET /pets/{id}",
      resourcePath: "/pets/{id}",
      path: "/dev/pets/7",
      stage: "dev",
      identity: { cognitoAmr: null, sourceIp: "127.0.0.1" },
    },
  });
  expect(event["requestContext"]?.["requestId"]).toBe(event["requestContext"]?.["extendedRequestId"]);
});

describe("routes", () => {
  test("are chosen by AWS's priority", async () => {
    const keys = ["GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"];
    await gateway.publish(stage("routes", { routes: keys.map((key) => route(key)) }));
    expect(await routed("routes", "GET", "/pets/dog/1")).toBe("GET /pets/dog/1");
    expect(await routed("routes", "GET", "/pets/dog/2")).toBe("GET /pets/dog/{id}");
    expect(await routed("routes", "GET", "/pets/cat/1")).toBe("GET /pets/{proxy+}");
    expect(await routed("routes", "POST", "/pets/dog/1")).toBe("ANY /{proxy+}");
    expect(await routed("routes", "POST", "/test/5")).toBe("ANY /{proxy+}");
    expect(await routed("routes", "GET", "/")).toBe("$default");
  });

  test("that do not exist are answered 404", async () => {
    await gateway.publish(stage("noroute", { routes: [route("GET /a")] }));
    const response = await fetch(`${gateway.url}/noroute/b`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ message: "Not Found" });
    expect(response.headers.get("apigw-requestid")).toMatch(/=$/);
    expect(await routed("noroute", "POST", "/a")).toBe("404");
    expect(await routed("noroute", "GET", "/a/")).toBe("404");
  });
});

describe("stages", () => {
  test("are chosen by the first part of the path, else $default", async () => {
    await gateway.publish(stage("stages", {}));
    await gateway.publish(stage("stages", { stageName: "dev" }));
    await fetch(`${gateway.url}/stages/dev/x`);
    expect(gateway.event()).toMatchObject({ rawPath: "/dev/x", requestContext: { stage: "dev" } });
    await fetch(`${gateway.url}/stages/other/x`);
    expect(gateway.event()).toMatchObject({ rawPath: "/other/x", requestContext: { stage: "$default" } });
  });

  test("answer as published last, and 404 once withdrawn", async () => {
    await gateway.publish(stage("again", { routes: [route("GET /a")] }));
    expect(await routed("again", "GET", "/b")).toBe("404");
    await gateway.publish(stage("again", { routes: [route("GET /b")] }));
    expect(await routed("again", "GET", "/b")).toBe("GET /b");
    await gateway.withdraw("again", "$default");
    expect(await routed("again", "GET", "/b")).toBe("403");
  });

  test("replace stage variables in the integration's URI", async () => {
    const integration = { ...route("$default").integration, uri: `${functionArn}:\${stageVariables.alias}` };
    await gateway.publish(
      stage("vars", { variables: { alias: "live" }, routes: [{ ...route("$default"), integration }] }),
    );
    await fetch(`${gateway.url}/vars/`);
    expect(gateway.invocations[0]?.functionArn).toBe(`${functionArn}:live`);
  });
});

describe("a function's answer in format 2.0", () => {
  test("gives status, headers, cookies and body", async () => {
    const response = await ask({
      statusCode: 201,
      headers: { "X-A": "1", "Content-Type": "text/html" },
      cookies: ["a=1; Path=/", "b=2"],
      body: "<p>",
    });
    expect(response.status).toBe(201);
    expect(response.headers.get("x-a")).toBe("1");
    expect(response.headers.get("content-type")).toBe("text/html");
    expect(response.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2"]);
    expect(await response.text()).toBe("<p>");
  });

  test("is the body of a 200 when it has no statusCode", async () => {
    const response = await ask({ hello: "world" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({ hello: "world" });
    expect(await (await ask("plain")).text()).toBe("plain");
  });

  test("is text without a content type", async () => {
    expect((await ask({ statusCode: 200, body: "x" })).headers.get("content-type")).toBe("text/plain;charset=UTF-8");
  });

  test("is decoded from base 64", async () => {
    const response = await ask({
      statusCode: 200,
      body: Buffer.from([0, 255]).toString("base64"),
      isBase64Encoded: true,
    });
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([0, 255]));
  });

  test("has no say in the connection: such headers are renamed", async () => {
    const response = await ask({
      statusCode: 200,
      headers: { "Content-Length": "3", Date: "x", "WWW-Authenticate": "Basic" },
    });
    expect(response.headers.get("x-amzn-remapped-content-length")).toBe("3");
    expect(response.headers.get("x-amzn-remapped-www-authenticate")).toBe("Basic");
  });

  test.each([
    ["a body that is an object", { statusCode: 200, body: {} }],
    ["a status that is none", { statusCode: "abc" }],
    ["an interim status", { statusCode: 101 }],
    ["a header with a line break", { statusCode: 200, headers: { a: "1\r\nSet-Cookie: x" } }],
    ["a header name with a space", { statusCode: 200, headers: { "a b": "1" } }],
    ["cookies that are no list", { statusCode: 200, cookies: "a" }],
  ])("is answered 500 with %s", async (_what, value) => {
    const response = await ask(value);
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ message: "Internal Server Error" });
  });
});

describe("a function that cannot answer", () => {
  test("leads to 500 when it failed", async () => {
    const response = await ask(() => Promise.resolve({ ...resultOf({ statusCode: 200 }), functionError: "Unhandled" }));
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ message: "Internal Server Error" });
  });

  test.each([
    [403, 500],
    [404, 500],
    [429, 500],
    [413, 413],
  ])("is refused by Lambda with %i, which leads to %i", async (status, sent) => {
    expect((await ask(() => Promise.reject(new AwsError("Refused", status, "no")))).status).toBe(sent);
  });

  test("leads to 503 once the integration's timeout has passed", async () => {
    const pending = ask(() => {
      setImmediate(() => clock.advance(30_000));
      return new Promise(() => undefined);
    });
    const response = await pending;
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ message: "Service Unavailable" });
  });
});

test("A body over 10 MB is refused with 413, and the function is not invoked", async () => {
  await gateway.publish(stage("large", {}));
  const response = await fetch(`${gateway.url}/large/`, {
    method: "POST",
    body: Buffer.alloc(10 * 1024 * 1024 + 1),
  }).catch(() => undefined);
  // The connection may be gone before the client has sent everything.
  if (response !== undefined) expect(response.status).toBe(413);
  expect(gateway.invocations).toHaveLength(0);
});

describe("CORS", () => {
  const cors = { allowOrigins: ["https://a.example"], allowMethods: ["GET"], allowHeaders: ["x-h"], maxAgeSeconds: 5 };
  test("answers preflights without a route", async () => {
    await gateway.publish(stage("cors", { cors, routes: [] }));
    const response = await preflight("https://a.example");
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "access-control-allow-origin": "https://a.example",
      "access-control-allow-methods": "GET",
      "access-control-allow-headers": "x-h",
      "access-control-max-age": "5",
    });
    expect(gateway.invocations).toHaveLength(0);
  });

  test("tells an origin that is not allowed nothing", async () => {
    await gateway.publish(stage("cors", { cors, routes: [] }));
    expect((await preflight("https://b.example")).headers.get("access-control-allow-origin")).toBeNull();
  });

  test("replaces the CORS headers of functions", async () => {
    await gateway.publish(stage("cors", { cors }));
    gateway.answer({ statusCode: 200, headers: { "Access-Control-Allow-Origin": "*" }, body: "" });
    const response = await fetch(`${gateway.url}/cors/`, { headers: { Origin: "https://a.example" } });
    expect(response.headers.get("access-control-allow-origin")).toBe("https://a.example");
  });
});

test("A route authorized by IAM refuses an unsigned request", async () => {
  await gateway.publish(stage("iam", { routes: [{ ...route("$default"), authorizationType: "AWS_IAM" }] }));
  const response = await fetch(`${gateway.url}/iam/`);
  expect(response.status).toBe(403);
  expect(await response.json()).toEqual({ message: "Forbidden" });
});

test("An API whose endpoint is disabled answers 404", async () => {
  await gateway.publish(stage("disabled", { disableExecuteApiEndpoint: true }));
  expect((await fetch(`${gateway.url}/disabled/`)).status).toBe(404);
});

async function ask(value: unknown): Promise<Response> {
  await gateway.publish(stage("answers", {}));
  gateway.answer(value);
  return fetch(`${gateway.url}/answers/`);
}

function preflight(origin: string): Promise<Response> {
  return fetch(`${gateway.url}/cors/`, {
    method: "OPTIONS",
    headers: { Origin: origin, "Access-Control-Request-Method": "GET" },
  });
}

test("what fails in answering one request, with a body or without, ends that request with 500 and none but that", async () => {
  await gateway.publish(stage("flaw", {}));
  const ask = async (body?: string) =>
    (await fetch(`${gateway.url}/flaw/`, { method: "POST", ...(body !== undefined && { body }) })).status;
  gateway.answer(() => {
    throw new Error("a flaw");
  });
  expect([await ask(), await ask("body")]).toEqual([500, 500]);
  gateway.answer({ statusCode: 201 });
  expect([await ask(), await ask("body")]).toEqual([201, 201]);
});
