import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../kernel/clock.ts";
import type { InnerRequest } from "../../../wire/service.ts";
import { type FakeGateway, resultOf, startFakeGateway } from "../fake-gateway.ts";
import { connectClient } from "./client.ts";
import { functionArn, invocationUri, mockOf, refusedHandshake, webSocketStage } from "./fake-stage.ts";
import type { PublishedWebSocketEndpoint, PublishedWebSocketRoute } from "./published.ts";

interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const arrived: Arrived[] = [];
/** How the endpoint answers. */
let answerWith: { status: number; headers?: Record<string, string>; body: string | Buffer };
const endpoint = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { method = "", url: path = "", headers } = request;
    arrived.push({ method, url: path, headers, body: Buffer.concat(chunks) });
    response.writeHead(answerWith.status, answerWith.headers).end(answerWith.body);
  });
});
const asked: InnerRequest[] = [];
const roles: string[] = [];
let gateway: FakeGateway;
let endpointUrl: string;

beforeAll(async () => {
  gateway = await startFakeGateway(systemClock, {
    verifier: { verify: () => Promise.reject(new Error("Nobody signs")) },
    authorizer: { authorize: () => Promise.resolve() },
    assumeRole: ({ roleArn, sourceArn }) => {
      roles.push(`${roleArn} ${sourceArn}`);
      const session = { arn: "", roleId: "", sessionName: "s", accessKeyId: "", sessionPolicies: [], sessionTags: {} };
      return Promise.resolve({ type: "assumedRole", account: "000000000000", roleArn, ...session });
    },
    innerApi: (request) => {
      asked.push(request);
      const body = Buffer.from(JSON.stringify({ MessageId: "m1" }));
      return Promise.resolve({ status: 200, headers: { "x-amzn-requestid": "r1" }, body });
    },
  });
  await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
  const address: AddressInfo | string | null = endpoint.address();
  endpointUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterAll(async () => {
  await gateway.stop();
  await new Promise((resolve) => endpoint.close(resolve));
});
beforeEach(() => {
  arrived.length = 0;
  asked.length = 0;
  roles.length = 0;
  answerWith = { status: 200, body: "fine" };
});

const passOn = [{ key: "$default", templates: {} }];

function endpointOf(more: Partial<PublishedWebSocketEndpoint>): PublishedWebSocketEndpoint {
  return {
    type: "HTTP",
    uri: endpointUrl,
    httpMethod: "POST",
    timeoutMs: 29_000,
    requestParameters: {},
    requestTemplates: {},
    passthroughBehavior: "WHEN_NO_MATCH",
    responses: passOn,
    ...more,
  };
}

let apis = 0;
/** Publishes an API with these routes. */
async function publish(routes: readonly Partial<PublishedWebSocketRoute>[], models = {}): Promise<string> {
  apis += 1;
  const apiId = `api${apis}`;
  const all = routes.map((route) => ({
    routeKey: "$default",
    authorizationType: "NONE" as const,
    responds: true,
    ...route,
  }));
  await gateway.publish(webSocketStage(apiId, all, { variables: { color: "red" }, models }));
  return `${gateway.url.replace("http", "ws")}/${apiId}/prod`;
}

/** What a client gets for a message. */
async function say(integration: PublishedWebSocketRoute["integration"], message: unknown, more = {}, models = {}) {
  const url = await publish([{ integration, ...more } as PublishedWebSocketRoute], models);
  const client = await connectClient(url);
  client.send(message);
  const answer = await client.next();
  client.socket.terminate();
  return answer;
}
const messageOf = (frame: string) => JSON.parse(frame).message;

describe("HTTP_PROXY", () => {
  test("posts the message as it is, and passes the answer on", async () => {
    answerWith = { status: 200, body: "pong" };
    const integration = endpointOf({
      type: "HTTP_PROXY",
      uri: `${endpointUrl}/{room}/\${stageVariables.color}`,
      requestParameters: {
        "integration.request.header.connectionId": "context.connectionId",
        "integration.request.querystring.kind": "route.request.body.kind",
        "integration.request.path.room": "'lobby'",
        "integration.request.header.X-Fixed": "'v'",
        "integration.request.header.X-Color": "stageVariables.color",
        "integration.request.header.X-None": "route.request.body.none",
      },
    });
    expect(await say(integration, { action: "x", kind: "a b" })).toBe("pong");
    expect(arrived[0]).toMatchObject({
      method: "POST",
      url: "/lobby/red?kind=a%20b",
      headers: {
        connectionid: expect.stringMatching(/^[\w-]{15}=$/),
        "x-fixed": "v",
        "x-color": "red",
        "x-amzn-apigateway-api-id": expect.any(String),
      },
    });
    expect(arrived[0]?.headers).not.toHaveProperty("x-none");
    expect(String(arrived[0]?.body)).toBe('{"action":"x","kind":"a b"}');
  });

  test("gets a handshake's headers and query, and decides it by its status", async () => {
    const integration = endpointOf({ type: "HTTP_PROXY" });
    const url = await publish([{ routeKey: "$connect", integration }]);
    answerWith = { status: 200, headers: { "Sec-WebSocket-Protocol": "b" }, body: "" };
    const client = await connectClient(`${url}?token=1`, { headers: { "X-Mine": "m" }, subprotocols: ["a", "b"] });
    expect(client.socket.protocol).toBe("b");
    expect(arrived[0]).toMatchObject({ url: "/?token=1", headers: { "x-mine": "m", "x-forwarded-for": "127.0.0.1" } });
    expect(arrived[0]?.headers).not.toHaveProperty("sec-websocket-key");
    client.socket.terminate();
    answerWith = { status: 401, body: "" };
    expect((await refusedHandshake(connectClient(url))).status).toBe(401);
  });

  test("that breaks off is told to the client", async () => {
    const broken = endpointOf({ type: "HTTP_PROXY", uri: "http://127.0.0.1:1/" });
    expect(messageOf(await say(broken, {}))).toBe("Network error communicating with endpoint");
  });

  test("maps a handshake's query and headers, all their values where asked", async () => {
    const requestParameters = {
      "integration.request.header.authToken": "route.request.querystring.authToken",
      "integration.request.header.X-Last": "route.request.header.X-Many",
      "integration.request.querystring.all": "route.request.multivaluequerystring.many",
    };
    const integration = endpointOf({ requestParameters });
    const url = await publish([{ routeKey: "$connect", integration }]);
    const client = await connectClient(`${url}?authToken=t&many=1&many=2`, { headers: { "X-Many": "z" } });
    expect(arrived[0]).toMatchObject({ url: "/?all=1&all=2", headers: { authtoken: "t", "x-last": "z" } });
    client.socket.terminate();
  });
});

describe("HTTP", () => {
  const responses = [
    { key: "$default", templates: { $default: "default $input.body" } },
    { key: "/4\\d\\d/", templates: { $default: "client $input.path('$.why')" } },
    { key: "/500/", templates: {} },
  ];

  test("sends what the template makes that the message selects", async () => {
    const integration = endpointOf({
      requestTemplates: {
        join: '{"joins":"$context.connectionId","to":"$input.path(\'$.room\')"}',
        $default: '{"other":true}',
      },
      templateSelectionExpression: "${request.body.kind}",
    });
    await say(integration, { kind: "join", room: "r" });
    await say(integration, { kind: "else" });
    expect(JSON.parse(String(arrived[0]?.body))).toEqual({ joins: expect.any(String), to: "r" });
    expect(String(arrived[1]?.body)).toBe('{"other":true}');
    expect(arrived[0]?.headers).toMatchObject({ accept: "application/json", "content-type": "application/json" });
  });

  test.each([
    [200, "x", "default x"],
    [404, '{"why":"none"}', "client none"],
    [500, "broken", "broken"],
  ])("a %i selects its integration response by pattern", async (status, body, expected) => {
    answerWith = { status, body };
    expect(await say(endpointOf({ responses }), {})).toBe(expected);
  });

  test("an answer that no response is for is an Internal server error", async () => {
    answerWith = { status: 201, body: "x" };
    const only = [{ key: "/200/", templates: {} }];
    expect(messageOf(await say(endpointOf({ responses: only }), {}))).toBe("Internal server error");
  });

  test("a template of an answer is selected by its status and headers", async () => {
    answerWith = { status: 202, headers: { "X-Kind": "fancy" }, body: "x" };
    const templates = { "202-fancy": "chosen", $default: "default" };
    const expression = "${integration.response.statuscode}-${integration.response.header.x-kind}";
    const chosen = [{ key: "$default", templates, templateSelectionExpression: expression }];
    expect(await say(endpointOf({ responses: chosen }), {})).toBe("chosen");
    answerWith = { status: 200, body: "x" };
    expect(await say(endpointOf({ responses: chosen }), {})).toBe("default");
  });

  test("NEVER passes nothing through that has no template: Unsupported Media Type", async () => {
    const requestTemplates = { known: "{}" };
    for (const passthroughBehavior of ["NEVER", "WHEN_NO_TEMPLATES"] as const) {
      const integration = endpointOf({ requestTemplates, passthroughBehavior });
      expect(messageOf(await say(integration, {}))).toBe("Unsupported Media Type");
    }
    expect(arrived).toHaveLength(0);
  });

  test("text is turned into bytes for the endpoint, and its bytes into text for the client", async () => {
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    answerWith = { status: 200, body: bytes };
    const inText = [{ key: "$default", templates: {}, contentHandling: "CONVERT_TO_TEXT" as const }];
    const integration = endpointOf({ contentHandling: "CONVERT_TO_BINARY", responses: inText });
    expect(await say(integration, bytes.toString("base64"))).toBe(bytes.toString("base64"));
    expect(arrived[0]?.body).toEqual(bytes);
  });

  test("decides a handshake by its status, and its parameters are the answer's headers", async () => {
    answerWith = { status: 200, headers: { "X-Protocol": "b" }, body: "" };
    const parameters = { "route.response.header.Sec-WebSocket-Protocol": "integration.response.header.X-Protocol" };
    const integration = endpointOf({ responses: [{ key: "$default", templates: {}, parameters }] });
    const url = await publish([{ routeKey: "$connect", integration }]);
    const client = await connectClient(url, { subprotocols: ["a", "b"] });
    expect(client.socket.protocol).toBe("b");
    client.socket.terminate();
    answerWith = { status: 403, body: "" };
    expect((await refusedHandshake(connectClient(url))).status).toBe(403);
  });
});

const custom = (more: Partial<PublishedWebSocketEndpoint> = {}) =>
  endpointOf({ type: "AWS", uri: invocationUri, ...more });

describe("AWS", () => {
  test("with a function: the mapped message is its event", async () => {
    gateway.answer({ hello: "you" });
    const requestTemplates = { $default: '{"text":"$input.path(\'$.text\')"}' };
    expect(await say(custom({ requestTemplates }), { text: "t" })).toBe('{"hello":"you"}');
    expect(gateway.event()).toEqual({ text: "t" });
    expect(gateway.invocations.at(-1)).toMatchObject({ functionArn });
  });

  test("with a function that fails: its error message selects the response", async () => {
    gateway.answer(() =>
      Promise.resolve({ ...resultOf({ errorMessage: "Not found: x" }), functionError: "Unhandled" }),
    );
    const responses = [...passOn, { key: "/Not found.*/", templates: { $default: "nothing" } }];
    expect(await say(custom({ responses }), {})).toBe("nothing");
    const url = await publish([{ routeKey: "$connect", integration: custom() }]);
    expect((await refusedHandshake(connectClient(url))).status).toBe(502);
  });

  test("with a function, a message that is no JSON is the client's error", async () => {
    expect(messageOf(await say(custom(), "text"))).toBe("Could not parse request body into json");
  });

  test("with a service: its operation is called as the role", async () => {
    const integration = endpointOf({
      type: "AWS",
      uri: "arn:aws:apigateway:eu-west-1:sqs:action/SendMessage",
      credentials: "arn:aws:iam::000000000000:role/sender",
      requestParameters: { "integration.request.querystring.MessageBody": "route.request.body" },
      responses: [{ key: "$default", templates: { $default: "sent $input.path('$.MessageId')" } }],
    });
    expect(await say(integration, { action: "x" })).toBe("sent m1");
    expect(asked[0]).toMatchObject({
      service: "sqs",
      action: "SendMessage",
      method: "POST",
      query: "MessageBody=%7B%22action%22%3A%22x%22%7D",
      as: { account: "000000000000", region: "eu-west-1" },
    });
    expect(roles[0]).toMatch(
      /^arn:aws:iam::000000000000:role\/sender arn:aws:execute-api:us-east-1:000000000000:api\d+\/prod\/\$default$/,
    );
  });

  test("as the caller is an Internal server error where nobody signs", async () => {
    const credentials = "arn:aws:iam::*:user/*";
    const uri = "arn:aws:apigateway:us-east-1:sqs:action/SendMessage";
    expect(messageOf(await say(endpointOf({ type: "AWS", uri, credentials }), {}))).toBe("Internal server error");
    expect(asked).toHaveLength(0);
  });
});

describe("A route", () => {
  const models = {
    Join: JSON.stringify({ type: "object", required: ["room"], properties: { room: { type: "string" } } }),
    Any: JSON.stringify({ type: "object", maxProperties: 2 }),
  };
  const validated = {
    requestModels: { join: "Join", $default: "Any" },
    modelSelectionExpression: "$request.body.kind",
  };

  test("validates a message by the model that it selects", async () => {
    const integration = mockOf("fine");
    expect(await say(integration, { kind: "join", room: "r" }, validated, models)).toBe("fine");
    expect(messageOf(await say(integration, { kind: "join" }, validated, models))).toBe("Invalid request body");
    expect(await say(integration, { kind: "else" }, validated, models)).toBe("fine");
    expect(messageOf(await say(integration, { a: 1, b: 2, c: 3 }, validated, models))).toBe("Invalid request body");
    expect(messageOf(await say(integration, "text", validated, models))).toBe("Invalid request body");
  });

  test("to a proxy validates nothing", async () => {
    gateway.answer({ statusCode: 200, body: "proxied" });
    const proxy = { type: "AWS_PROXY", uri: functionArn, timeoutMs: 29_000 } as const;
    expect(await say(proxy, { kind: "join" }, validated, models)).toBe("proxied");
  });

  test("$connect refuses a handshake without its required parameters", async () => {
    const requiredParameters = ["route.request.querystring.room", "route.request.header.X-Token"];
    const url = await publish([{ routeKey: "$connect", requiredParameters, integration: mockOf("") }]);
    const refused = await refusedHandshake(connectClient(`${url}?room=%20`));
    expect(refused.status).toBe(400);
    expect(messageOf(refused.body)).toBe("Missing required request parameters: [room, X-Token]");
    const client = await connectClient(`${url}?room=1`, { headers: { "X-Token": "t" } });
    client.socket.terminate();
  });
});
