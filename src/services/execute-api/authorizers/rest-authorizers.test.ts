import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AwsError } from "../../../aws/error.ts";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import type { FakeGateway } from "../fake-gateway.ts";
import type { PublishedLambdaAuthorizer, PublishedMethod, PublishedRestStage } from "../port.ts";
import {
  allow,
  type FakeAuthorizer,
  functionArn,
  invokePolicy as policy,
  restStageFacts,
  startFakeAuthorizer,
} from "./fake-authorizer.ts";

const clock = createFakeClock(Date.UTC(2026, 2, 12, 19, 3, 58));
let gateway: FakeGateway;
let fake: FakeAuthorizer;
/** What the authorizer's function answers, or does. */
let authorize: (event: Record<string, unknown>) => unknown;
const asked = () => fake.asked();
const lastAsked = () => fake.lastAsked();

beforeAll(async () => {
  fake = await startFakeAuthorizer(clock);
  ({ gateway } = fake);
});
beforeEach(() => {
  gateway.invocations.length = 0;
  fake.authorize((event) => authorize(event));
  authorize = () => allow("*");
});
afterAll(() => gateway.stop());

const functionUri = (name: string) =>
  `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn(name)}/invocations`;

const token: PublishedLambdaAuthorizer = {
  id: "a1",
  type: "TOKEN",
  uri: functionUri("auth"),
  identitySources: ["method.request.header.Authorization"],
  ttlSeconds: 0,
};

function method(path: string, more: Partial<PublishedMethod> = {}): PublishedMethod {
  return {
    resourceId: "r",
    path,
    httpMethod: "ANY",
    authorizationType: "CUSTOM",
    authorizerId: "a1",
    integration: { type: "AWS_PROXY", uri: functionUri("f"), timeoutMs: 29_000 },
    ...more,
  };
}

let count = 0;
async function publish(
  authorizer: Partial<PublishedLambdaAuthorizer>,
  more: Partial<PublishedRestStage> = {},
): Promise<string> {
  const apiId = `api${++count}`;
  await gateway.publish({
    ...restStageFacts,
    apiId,
    methods: [method("/a"), method("/b")],
    authorizers: [{ ...token, ...authorizer }],
    ...more,
  });
  return `${gateway.url}/${apiId}/Prod`;
}

const as = (Authorization: string) => ({ headers: { Authorization } });

const from = (effect: string, range: string, more: object = {}) => ({
  Effect: effect,
  Principal: "*",
  Action: "execute-api:Invoke",
  Resource: "arn:aws:execute-api:us-east-1:000000000000:*",
  Condition: { IpAddress: { "aws:SourceIp": range } },
  ...more,
});

const document = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });

describe("A TOKEN authorizer", () => {
  test("is asked with the token and the method's ARN alone, as itself", async () => {
    const url = await publish({});
    const response = await fetch(`${url}/a`, as("let me"));
    expect([response.status, await response.text()]).toEqual([200, "through"]);
    expect(lastAsked()).toEqual({
      type: "TOKEN",
      methodArn: `arn:aws:execute-api:us-east-1:000000000000:api${count}/Prod/GET/a`,
      authorizationToken: "let me",
    });
    expect(asked()[0]?.principal).toEqual({
      type: "service",
      service: "apigateway.amazonaws.com",
      sourceArn: `arn:aws:execute-api:us-east-1:000000000000:api${count}/authorizers/a1`,
      sourceAccount: "000000000000",
    });
  });

  test("passes its context on as text, with who it is and how long it took", async () => {
    authorize = () => allow("*", { context: { text: "t", number: 1, flag: true } });
    await fetch(`${await publish({})}/a`, as("x"));
    expect(gateway.event()["requestContext"]?.["authorizer"]).toEqual({
      text: "t",
      number: "1",
      flag: "true",
      principalId: "me",
      integrationLatency: 0,
    });
  });

  test("is not asked without a token, or for one that its validation expression does not match as a whole: 401", async () => {
    const url = await publish({ identityValidationExpression: "Bearer [a-z]+" });
    for (const init of [{}, as(""), as("Bearer 1"), as("Bearer abc1"), as("x Bearer abc")]) {
      const response = await fetch(`${url}/a`, init);
      expect([response.status, response.headers.get("x-amzn-errortype"), await response.text()]).toEqual([
        401,
        "UnauthorizedException",
        '{"message":"Unauthorized"}',
      ]);
    }
    expect(asked()).toEqual([]);
    expect((await fetch(`${url}/a`, as("Bearer abc"))).status).toBe(200);
  });

  test("is asked each time with a TTL of 0", async () => {
    const url = await publish({ ttlSeconds: 0 });
    for (let round = 0; round < 3; round++) await fetch(`${url}/a`, as("x"));
    expect(asked()).toHaveLength(3);
  });

  test("whose policy was remembered for one method is denied for another, without being asked again", async () => {
    authorize = ({ methodArn }) => allow(String(methodArn));
    const url = await publish({ ttlSeconds: 300 });
    expect((await fetch(`${url}/a`, as("x"))).status).toBe(200);
    const other = await fetch(`${url}/b`, as("x"));
    expect([other.status, await other.text()]).toEqual([
      403,
      '{"Message":"User is not authorized to access this resource"}',
    ]);
    expect(asked()).toHaveLength(1);
  });

  test("is asked again once its TTL has passed, for another token, and when the stage or its flush has changed", async () => {
    const url = await publish({ ttlSeconds: 60 });
    const send = () => fetch(`${url}/a`, as("x"));
    await send();
    clock.advance(59_999);
    await send();
    expect(asked()).toHaveLength(1);
    clock.advance(2);
    await send();
    expect(asked()).toHaveLength(2);
    await fetch(`${url}/a`, as("y"));
    expect(asked()).toHaveLength(3);
    const stage = {
      kind: "rest",
      version: 1,
      account: "000000000000",
      region: "us-east-1",
      apiId: `api${count}`,
      stageName: "Prod",
      deploymentId: "d1",
      variables: {},
      disableExecuteApiEndpoint: false,
      binaryMediaTypes: [],
      gatewayResponses: [],
      methods: [method("/a")],
      authorizers: [{ ...token, ttlSeconds: 60 }],
    } as const;
    // Another API's deployment compiles everything again: what was said is still known.
    await gateway.publish({ ...stage, apiId: "other" });
    await send();
    expect(asked()).toHaveLength(3);
    await gateway.publish({ ...stage, authorizersFlushedAt: 5 });
    await send();
    expect(asked()).toHaveLength(4);
    await gateway.publish({ ...stage, authorizersFlushedAt: 5, deploymentId: "d2" });
    await send();
    expect(asked()).toHaveLength(5);
  });

  test("is asked once by simultaneous requests with one token", async () => {
    const { promise, resolve } = Promise.withResolvers();
    authorize = () => promise;
    const url = await publish({ ttlSeconds: 60 });
    const sent = [1, 2, 3].map(() => fetch(`${url}/a`, as("same")));
    await expect.poll(() => asked().length).toBe(1);
    resolve(allow("*"));
    expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(asked()).toHaveLength(1);
  });

  test("that denies is 403 with AWS's words, remembered too", async () => {
    authorize = () => ({ principalId: "me", policyDocument: policy("Deny", "*") });
    const url = await publish({ ttlSeconds: 60 });
    for (let round = 0; round < 2; round++) {
      const response = await fetch(`${url}/a`, as("x"));
      expect([response.status, response.headers.get("x-amzn-errortype"), await response.text()]).toEqual([
        403,
        "AccessDeniedException",
        '{"Message":"User is not authorized to access this resource with an explicit deny"}',
      ]);
    }
    expect(asked()).toHaveLength(1);
  });

  test("that throws Unauthorized is 401; anything else that it does is 500, and nothing of it is remembered", async () => {
    const url = await publish({ ttlSeconds: 60 });
    authorize = () => new Error("Unauthorized");
    expect((await fetch(`${url}/a`, as("x"))).status).toBe(401);
    const nonsense = [
      new Error("unauthorized"),
      null,
      "allow",
      [],
      {},
      { principalId: "me" },
      { principalId: "me", policyDocument: null },
      { principalId: "me", policyDocument: { Version: "2012-10-17", Statement: [] } },
      { principalId: 7, policyDocument: policy("Allow", "*") },
      { principalId: "me", policyDocument: policy("Perhaps", "*") },
      { principalId: "me", policyDocument: policy("Allow", "*"), context: { a: { b: 1 } } },
      { principalId: "me", policyDocument: policy("Allow", "*"), context: [1] },
      { principalId: "me", policyDocument: policy("Allow", "*"), usageIdentifierKey: 1 },
      { isAuthorized: true },
      { ...allow("*"), context: { large: "x".repeat(8192) } },
    ];
    for (const answer of nonsense) {
      authorize = () => answer;
      const response = await fetch(`${url}/a`, as("x"));
      expect([response.status, response.headers.get("x-amzn-errortype"), await response.text()]).toEqual([
        500,
        "AuthorizerConfigurationException",
        '{"message":null}',
      ]);
    }
    expect(asked()).toHaveLength(nonsense.length + 1);
  });

  test("that may not be called is 500, and so is one whose role cannot be assumed", async () => {
    gateway.answer(() => Promise.reject(new AwsError("AccessDeniedException", 403, "no")));
    expect((await fetch(`${await publish({})}/a`, as("x"))).status).toBe(500);
    const url = await publish({ credentials: "arn:aws:iam::000000000000:role/r" });
    const response = await fetch(`${url}/a`, as("x"));
    expect([response.status, response.headers.get("x-amzn-errortype")]).toEqual([
      500,
      "AuthorizerConfigurationException",
    ]);
  });

  test("that hangs is 500 after as long as an integration may take", async () => {
    authorize = () => new Promise(() => {});
    const sent = fetch(`${await publish({})}/a`, as("x"));
    await expect.poll(() => asked().length).toBe(1);
    clock.advance(29_001);
    const response = await sent;
    expect([response.status, response.headers.get("x-amzn-errortype"), await response.text()]).toEqual([
      500,
      "AuthorizerFailureException",
      '{"message":null}',
    ]);
  });

  test("sees conditions of its policy evaluated for each request", async () => {
    authorize = () => ({
      policyDocument: policy("Allow", "*", { Condition: { StringEquals: { "aws:UserAgent": "good" } } }),
    });
    const url = await publish({ ttlSeconds: 60 });
    const send = (agent: string) => fetch(`${url}/a`, { headers: { Authorization: "x", "User-Agent": agent } });
    expect([(await send("good")).status, (await send("bad")).status, (await send("good")).status]).toEqual([
      200, 403, 200,
    ]);
    expect(asked()).toHaveLength(1);
  });
});

describe("A REQUEST authorizer", () => {
  const request = { type: "REQUEST", identitySources: [] } as const;

  test("is asked with the integration's event without its body, and empty objects for what there is not", async () => {
    await fetch(`${await publish(request)}/a`, { method: "POST", body: "secret" });
    const { headers, multiValueHeaders, requestContext, ...rest } = lastAsked();
    expect(rest).toEqual({
      type: "REQUEST",
      methodArn: `arn:aws:execute-api:us-east-1:000000000000:api${count}/Prod/POST/a`,
      resource: "/a",
      path: "/a",
      httpMethod: "POST",
      queryStringParameters: {},
      multiValueQueryStringParameters: {},
      pathParameters: {},
      stageVariables: {},
    });
    expect(headers["X-Forwarded-Port"]).toBe(String(gateway.port));
    expect(multiValueHeaders["X-Forwarded-Port"]).toEqual([String(gateway.port)]);
    expect(requestContext).toMatchObject({ resourceId: "r", stage: "Prod", path: "/Prod/a", httpMethod: "POST" });
  });

  test("is not asked where one of its identity sources is missing or empty: 401", async () => {
    const url = await publish(
      {
        ...request,
        identitySources: [
          "method.request.header.Who",
          "method.request.querystring.q",
          "stageVariables.v",
          "context.identity.sourceIp",
        ],
      },
      { variables: { v: "1" } },
    );
    for (const [query, headers] of [
      ["", { Who: "me" }],
      ["?q=", { Who: "me" }],
      ["?q=1", {}],
      ["?q=1", { Who: "" }],
    ] as const) {
      expect((await fetch(`${url}/a${query}`, { headers })).status).toBe(401);
    }
    expect(asked()).toEqual([]);
    expect((await fetch(`${url}/a?q=1`, { headers: { Who: "me" } })).status).toBe(200);
  });

  test("is remembered by all of its identity sources together", async () => {
    const sources = ["method.request.header.a", "method.request.header.b"];
    const url = await publish({ ...request, identitySources: sources, ttlSeconds: 60 });
    await fetch(`${url}/a`, { headers: { a: "1", b: "23" } });
    await fetch(`${url}/a`, { headers: { a: "12", b: "3" } });
    await fetch(`${url}/a`, { headers: { a: "1", b: "23" } });
    expect(asked()).toHaveLength(2);
  });
});

async function sendOpen(policyText: string): Promise<Response> {
  const methods = [method("/a", { authorizationType: "NONE" })];
  return fetch(`${await publish({}, { methods, policy: policyText })}/a`);
}

describe("A resource policy", () => {
  test("alone must allow: what it denies, or does not speak of, is 403 with most of the account's number hidden", async () => {
    expect((await sendOpen(document(from("Allow", "127.0.0.0/8")))).status).toBe(200);
    const unspoken = await sendOpen(document(from("Allow", "192.0.2.0/24")));
    expect([unspoken.status, await unspoken.json()]).toEqual([
      403,
      {
        Message: `User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:api${count}/Prod/GET/a`,
      },
    ]);
    const denied = await sendOpen(document(from("Allow", "127.0.0.1/32"), from("Deny", "127.0.0.1/32")));
    expect([denied.status, (await denied.text()).includes("with an explicit deny")]).toEqual([403, true]);
    const account = { Principal: { AWS: "000000000000" }, Condition: {} };
    expect((await sendOpen(document(from("Allow", "127.0.0.1/32", account)))).status).toBe(403);
  });

  // Source: "How API Gateway resource policies affect authorization workflow", table A.
  test.each([
    ["allows", "allows", 200],
    ["allows", "neither", 200],
    ["allows", "denies", 403],
    ["neither", "allows", 200],
    ["neither", "neither", 403],
    ["neither", "denies", 403],
    ["denies", "allows", 403],
    ["denies", "neither", 403],
    ["denies", "denies", 403],
  ] as const)("that %s beside a Lambda authorizer that %s is %i", async (ofPolicy, ofAuthorizer, status) => {
    const statements = {
      allows: from("Allow", "127.0.0.1/32"),
      neither: from("Allow", "192.0.2.1/32"),
      denies: from("Deny", "127.0.0.1/32"),
    };
    const answers = {
      allows: allow("*"),
      neither: allow("arn:aws:execute-api:*:*:other/*"),
      denies: { policyDocument: policy("Deny", "*") },
    };
    authorize = () => answers[ofAuthorizer];
    const url = await publish({}, { policy: document(statements[ofPolicy]) });
    expect((await fetch(`${url}/a`, as("x"))).status).toBe(status);
    // What is denied already is not asked for.
    expect(asked()).toHaveLength(ofPolicy === "denies" ? 0 : 1);
  });
});
