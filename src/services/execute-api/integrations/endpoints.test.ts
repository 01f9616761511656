import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server as TcpServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../kernel/clock.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";
import type { PublishedEndpointIntegration, PublishedMethod, PublishedRoute } from "../port.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let gateway: FakeGateway;
let upstream: Server;
let url = "";
let seen: Seen | undefined;
let reply: (request: IncomingMessage, response: ServerResponse) => void;
let raw: TcpServer;
let rawUrl = "";
let rawReply = "";
let apis = 0;

beforeAll(async () => {
  gateway = await startFakeGateway(systemClock);
  upstream = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url: target = "", headers } = request;
      seen = { method, url: target, headers, body: Buffer.concat(chunks).toString("utf8") };
      reply(request, response);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${portOf(upstream)}`;
  raw = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => (rawReply === "" ? socket.destroy() : socket.end(rawReply, "latin1")));
  });
  await new Promise<void>((resolve) => raw.listen(0, "127.0.0.1", resolve));
  rawUrl = `http://127.0.0.1:${portOf(raw)}`;
});
beforeEach(() => {
  seen = undefined;
  reply = (_request, response) => response.setHeader("content-type", "application/json").end(`{"ok":true}`);
});
afterAll(async () => {
  await gateway.stop();
  upstream.closeAllConnections();
  upstream.close();
  raw.close();
});

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const stageFacts = {
  version: 1,
  account: "000000000000",
  region: "us-east-1",
  deploymentId: "d",
  variables: { host: "127.0.0.1", color: "blue" },
  disableExecuteApiEndpoint: false,
} as const;

async function rest(
  integration: Partial<PublishedEndpointIntegration>,
  more: Partial<PublishedMethod> & { readonly binaryMediaTypes?: readonly string[] } = {},
): Promise<string> {
  const apiId = `r${(apis += 1)}`;
  const { binaryMediaTypes = [], ...method } = more;
  await gateway.publish({
    ...stageFacts,
    kind: "rest",
    apiId,
    stageName: "s",
    binaryMediaTypes,
    gatewayResponses: [],
    methods: [
      {
        resourceId: "r",
        path: "/{id}",
        httpMethod: "ANY",
        authorizationType: "NONE",
        integration: {
          type: "HTTP_PROXY",
          uri: `${url}/base/{id}`,
          httpMethod: "ANY",
          timeoutMs: 5_000,
          requestParameters: { "integration.request.path.id": "method.request.path.id" },
          requestTemplates: {},
          passthroughBehavior: "WHEN_NO_MATCH",
          responses: [],
          ...integration,
        },
        ...method,
      },
    ],
  });
  return `${gateway.url}/${apiId}/s`;
}

async function http(
  integration: Partial<Extract<PublishedRoute["integration"], { type: "HTTP_PROXY" }>>,
  routeKey = "ANY /{id}",
): Promise<string> {
  const apiId = `h${(apis += 1)}`;
  await gateway.publish({
    ...stageFacts,
    kind: "http",
    apiId,
    stageName: "$default",
    routes: [
      {
        routeKey,
        authorizationType: "NONE",
        integration: {
          type: "HTTP_PROXY",
          uri: `${url}/base/{id}`,
          httpMethod: "ANY",
          timeoutMs: 5_000,
          ...integration,
        },
      },
    ],
  });
  return `${gateway.url}/${apiId}`;
}

describe("HTTP_PROXY of a REST API", () => {
  test("passes method, path, query, headers and body on, and the answer back", async () => {
    reply = (_request, response) => {
      response.writeHead(201, { "X-Own": "1", "Content-Type": "text/plain", "Set-Cookie": ["a=1", "b=2"] });
      response.end("made");
    };
    const api = await rest({});
    const response = await fetch(`${api}/a%20b?q=1&q=2&r=%26`, {
      method: "PUT",
      body: "hello",
      headers: { "X-Mine": "yes", "Content-Type": "text/plain" },
    });
    expect(await response.text()).toBe("made");
    expect(response.status).toBe(201);
    expect(response.headers.get("x-own")).toBe("1");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(response.headers.get("x-amzn-remapped-date")).not.toBeNull();
    expect(seen).toMatchObject({ method: "PUT", url: "/base/a%20b?q=1&q=2&r=%26", body: "hello" });
    expect(seen?.headers).toMatchObject({
      "x-mine": "yes",
      host: url.slice("http://".length),
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-amzn-apigateway-api-id": expect.stringMatching(/^r\d+$/),
      "x-amzn-trace-id": expect.stringMatching(/^Root=1-/),
    });
  });

  test("maps parameters: literals, variables, the context, the body; they replace those of the client", async () => {
    const api = await rest({
      requestParameters: {
        "integration.request.path.id": "'fixed/it'",
        "integration.request.header.X-Literal": "'a literal'",
        "integration.request.header.X-Color": "stageVariables.color",
        "integration.request.header.X-Method": "context.httpMethod",
        "integration.request.header.X-Name": "method.request.body.user.names[1]",
        "integration.request.header.X-Gone": "method.request.header.x-none",
        "integration.request.querystring.q": "method.request.header.x-q",
        "integration.request.querystring.all": "method.request.multivaluequerystring.many",
      },
    });
    await fetch(`${api}/x?q=client&many=1&many=2`, {
      method: "POST",
      headers: { "x-q": "mapped & more" },
      body: `{"user":{"names":["a","b"]}}`,
    });
    expect(seen?.url).toBe("/base/fixed/it?many=1&many=2&q=mapped%20%26%20more&all=1&all=2");
    expect(seen?.headers).toMatchObject({
      "x-literal": "a literal",
      "x-color": "blue",
      "x-method": "POST",
      "x-name": "b",
    });
    expect(seen?.headers).not.toHaveProperty("x-gone");
  });

  test("takes the host from a stage variable", async () => {
    const api = await rest({ uri: `http://\${stageVariables.host}:${portOf(upstream)}/v/{id}` });
    expect((await fetch(`${api}/1`)).status).toBe(200);
    expect(seen?.url).toBe("/v/1");
  });

  test.each([["..%2f..%2fadmin"], ["a%2f..%2fb"], ["..%5c"]])("refuses the path variable %s", async (id) => {
    const api = await rest({});
    expect((await fetch(`${api}/${id}`)).status).toBe(400);
    expect(seen).toBeUndefined();
  });

  test.each([
    ["http://169.254.169.254/latest/meta-data"],
    ["http://[::ffff:169.254.169.254]/"],
    ["http://[fd00:ec2::254]/"],
    ["http://2852039166/"],
    ["http://0xa9.0xfe.0xa9.0xfe/"],
  ])("does not connect to %s", async (uri) => {
    const response = await fetch(`${await rest({ uri })}/1`);
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ message: "Internal server error" });
  });

  test("answers 504 where nobody listens, and 500 where there is no such host", async () => {
    expect((await fetch(`${await rest({ uri: "http://127.0.0.1:1/" })}/1`)).status).toBe(504);
    expect((await fetch(`${await rest({ uri: "http://nowhere.invalid/" })}/1`)).status).toBe(500);
  });

  test("answers 504 when the endpoint is late, even in the middle of its answer", async () => {
    reply = () => undefined;
    const never = await fetch(`${await rest({ timeoutMs: 100 })}/1`);
    expect([never.status, await never.json()]).toEqual([504, { message: "Endpoint request timed out" }]);
    reply = (_request, response) => void response.writeHead(200).write("beginning");
    expect((await fetch(`${await rest({ timeoutMs: 100 })}/1`)).status).toBe(504);
  });

  test.each([
    ["closes at once", ""],
    ["is no HTTP", "SSH-2.0-OpenSSH\r\n"],
    ["chunks badly", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\nhello\r\n"],
    ["breaks off", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"],
    ["has two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\nhello"],
  ])("answers 504 to an endpoint that %s", async (_what, text) => {
    rawReply = text;
    expect((await fetch(`${await rest({ uri: rawUrl })}/1`)).status).toBe(504);
  });

  test("answers 500 to headers without end, and to more than 10 MB", async () => {
    rawReply = `HTTP/1.1 200 OK\r\nx-long: ${"a".repeat(40_000)}\r\ncontent-length: 0\r\n\r\n`;
    expect((await fetch(`${await rest({ uri: rawUrl })}/1`)).status).toBe(500);
    reply = (_request, response) => void response.end(Buffer.alloc(10 * 1024 * 1024 + 1));
    expect((await fetch(`${await rest({})}/1`)).status).toBe(500);
    reply = (_request, response) => void response.end(Buffer.alloc(10 * 1024 * 1024, 97));
    expect((await (await fetch(`${await rest({})}/1`)).arrayBuffer()).byteLength).toBe(10 * 1024 * 1024);
  });

  test("streams the answer as it comes, and breaks off with it", async () => {
    let end: (() => void) | undefined;
    reply = (_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      response.write("first");
      end = () => void response.destroy();
    };
    const response = await fetch(`${await rest({ streams: true })}/1`);
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("first");
    end?.();
    await expect(reader?.read()).rejects.toThrow();
  });
});

describe("HTTP of a REST API", () => {
  const response = { statusCode: "200", responseParameters: {}, responseTemplates: {} };

  test("sends what is mapped alone, with a template's body", async () => {
    const api = await rest({
      type: "HTTP",
      httpMethod: "POST",
      requestTemplates: { "application/json": `{"name": $input.json('$.who'), "stage": "$context.stage"}` },
      responses: [response],
    });
    await fetch(`${api}/1?secret=1`, {
      method: "PATCH",
      headers: { "content-type": "application/json", "x-secret": "1" },
      body: `{"who":"me"}`,
    });
    expect(seen).toMatchObject({ method: "POST", url: "/base/1", body: `{"name": "me", "stage": "s"}` });
    expect(seen?.headers).not.toHaveProperty("x-secret");
    expect(seen?.headers).toMatchObject({
      accept: "application/json",
      "content-type": "application/json",
      "user-agent": expect.stringMatching(/^AmazonAPIGateway_r\d+$/),
    });
  });

  test("selects the response by status, maps headers and fills its template", async () => {
    reply = (_request, answered) => {
      answered.writeHead(404, { "content-type": "application/json", "x-why": "gone" });
      answered.end(`{"error":{"code":7}}`);
    };
    const api = await rest({
      type: "HTTP",
      responses: [
        response,
        {
          statusCode: "410",
          selectionPattern: "4\\d{2}",
          responseParameters: {
            "method.response.header.X-Reason": "integration.response.header.x-why",
            "method.response.header.X-Code": "integration.response.body.error.code",
            "method.response.header.X-Id": "context.requestId",
          },
          responseTemplates: { "application/json": `{"code": $input.path('$.error.code')}` },
        },
      ],
    });
    const answered = await fetch(`${api}/1`);
    expect([answered.status, await answered.text()]).toEqual([410, `{"code": 7}`]);
    expect(answered.headers.get("x-reason")).toBe("gone");
    expect(answered.headers.get("x-code")).toBe("7");
    expect(answered.headers.get("x-id")).toBe(answered.headers.get("x-amzn-requestid"));
  });

  test("answers 500 where no response matches and none is the default", async () => {
    const api = await rest({ type: "HTTP", responses: [{ ...response, selectionPattern: "5.." }] });
    expect((await fetch(`${api}/1`)).status).toBe(500);
  });

  test("answers 415 to a content type without a template where that is asked for", async () => {
    const api = await rest({ type: "HTTP", passthroughBehavior: "NEVER", responses: [response] });
    expect((await fetch(`${api}/1`, { method: "POST", body: "x" })).status).toBe(415);
    expect(seen).toBeUndefined();
  });
});

function failure(errorMessage: string) {
  return () => Promise.resolve({ payload: Buffer.from(JSON.stringify({ errorMessage })), functionError: "Unhandled" });
}

describe("AWS with a function", () => {
  const uri =
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations";
  const ok = { statusCode: "200", responseParameters: {}, responseTemplates: {} };
  const failed = {
    statusCode: "400",
    selectionPattern: ".*Invalid.*",
    responseParameters: {},
    responseTemplates: { "application/json": `{"why": $input.json('$.errorMessage')}` },
  };

  test("gives the function the mapped body, and the client what it returns", async () => {
    gateway.answer({ sum: 3 });
    const api = await rest({
      type: "AWS",
      uri,
      httpMethod: "POST",
      requestTemplates: { "application/json": `{"path": "$input.params('id')"}` },
      responses: [ok, failed],
    });
    const response = await fetch(`${api}/seven`);
    expect([response.status, await response.json()]).toEqual([200, { sum: 3 }]);
    expect(gateway.event()).toEqual({ path: "seven" });
  });

  test("selects by the error message of a function that failed, and by nothing else", async () => {
    const api = await rest({ type: "AWS", uri, httpMethod: "POST", responses: [ok, failed] });
    gateway.answer(failure("Invalid name"));
    const matched = await fetch(`${api}/1`);
    expect([matched.status, await matched.json()]).toEqual([400, { why: "Invalid name" }]);
    gateway.answer(failure("Other"));
    expect((await fetch(`${api}/1`)).status).toBe(200);
    gateway.answer({ errorMessage: "Invalid but returned" });
    expect((await fetch(`${api}/1`)).status).toBe(200);
  });

  test("answers 400 to a body that is no JSON, without calling the function", async () => {
    gateway.invocations.length = 0;
    const api = await rest({ type: "AWS", uri, httpMethod: "POST", responses: [ok] });
    expect((await fetch(`${api}/1`, { method: "POST", body: "{" })).status).toBe(400);
    expect(gateway.invocations).toHaveLength(0);
  });
});

describe("HTTP_PROXY of an HTTP API", () => {
  test("passes requests on with what AWS tells of the client, and answers as they are", async () => {
    reply = (_request, response) => void response.writeHead(202, { "X-Own": "1", Server: "mine" }).end("ok");
    const response = await fetch(`${await http({})}/7?q=1`, { method: "DELETE", headers: { Via: "1.0 x" } });
    expect([response.status, await response.text()]).toEqual([202, "ok"]);
    expect(response.headers.get("server")).toBe("mine");
    expect(seen).toMatchObject({ method: "DELETE", url: "/base/7?q=1" });
    expect(seen?.headers).toMatchObject({
      forwarded: expect.stringMatching(/^by=127\.0\.0\.1;for=127\.0\.0\.1;host=.*;proto=http$/),
      via: "HTTP/1.1 AmazonAPIGateway",
      "x-forwarded-for": "127.0.0.1",
    });
  });

  test("changes headers, query and path before the endpoint sees them", async () => {
    const api = await http({
      requestParameters: {
        "append:header.x-id": "$request.path.id",
        "overwrite:header.x-agent": "agent ${request.header.user-agent} in ${stageVariables.color}",
        "remove:header.x-secret": "''",
        "overwrite:querystring.q": "$request.body.a.b",
        "remove:querystring.gone": "''",
        "append:header.x-none": "$request.header.none",
        "overwrite:path": "/other/${request.path.id}",
      },
    });
    await fetch(`${api}/7?q=1&gone=2&kept=3`, {
      method: "POST",
      headers: { "user-agent": "tests", "x-secret": "s", "x-agent": "client", "x-id": "0" },
      body: `{"a":{"b":"c d"}}`,
    });
    expect(seen?.url).toBe("/other/7?kept=3&q=c%20d");
    expect(seen?.headers).toMatchObject({ "x-agent": "agent tests in blue", "x-id": "0, 7" });
    expect(seen?.headers).not.toHaveProperty("x-secret");
    expect(seen?.headers).not.toHaveProperty("x-none");
  });

  test("changes status and headers of the answers that have a mapping", async () => {
    reply = (_request, response) => void response.writeHead(500, { "x-secret": "s" }).end(`{"code":"E1"}`);
    const api = await http({
      responseParameters: {
        "500": {
          "overwrite:statuscode": "403",
          "append:header.x-code": "$response.body.code",
          "remove:header.x-secret": "''",
        },
        "404": { "overwrite:statuscode": "200" },
      },
    });
    const response = await fetch(`${api}/1`);
    expect([response.status, response.headers.get("x-code"), response.headers.get("x-secret")]).toEqual([
      403,
      "E1",
      null,
    ]);
  });

  test("answers 503 to an endpoint that is late or gone, 500 to one that is none", async () => {
    reply = () => undefined;
    const late = await fetch(`${await http({ timeoutMs: 50 })}/1`);
    expect([late.status, await late.json()]).toEqual([503, { message: "Service Unavailable" }]);
    expect((await fetch(`${await http({ uri: "http://127.0.0.1:1/" })}/1`)).status).toBe(503);
    expect((await fetch(`${await http({ uri: "http://169.254.169.254/" })}/1`)).status).toBe(500);
  });
});
