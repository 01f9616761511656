import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";
import type { PublishedCaching, PublishedMethod, PublishedRestStage } from "../port.ts";
import { createStageCaches } from "./stage-caches.ts";

const clock = createFakeClock(Date.UTC(2026, 2, 12));
let gateway: FakeGateway;
let calls = 0;

beforeAll(async () => {
  gateway = await startFakeGateway(clock);
});
beforeEach(() => {
  calls = 0;
  gateway.answer(() => {
    calls++;
    const payload = Buffer.from(JSON.stringify({ statusCode: 200, headers: { "x-own": "1" }, body: `call ${calls}` }));
    return Promise.resolve({ payload });
  });
});
afterAll(() => gateway.stop());

const uri =
  "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations";
const caching: PublishedCaching = {
  ttlSeconds: 300,
  requiresAuthorization: false,
  unauthorizedStrategy: "SUCCEED_WITH_RESPONSE_HEADER",
};

function method(httpMethod: string, path: string, more: Partial<PublishedMethod> = {}): PublishedMethod {
  const integration = { type: "AWS_PROXY" as const, uri, timeoutMs: 29_000 };
  return { resourceId: path, path, httpMethod, authorizationType: "NONE", integration, ...more };
}

async function publish(apiId: string, more: Partial<PublishedRestStage> = {}): Promise<string> {
  await gateway.publish({
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
    methods: [method("GET", "/a"), method("POST", "/a")],
    methodSettings: { "*/*": { caching } },
    cache: { sizeBytes: 1_000_000, generation: "1" },
    ...more,
  });
  return `${gateway.url}/${apiId}/Prod`;
}

const text = async (url: string, init?: RequestInit) => (await fetch(url, init)).text();
test("a key of megabytes, and many that are nobody's, are refused and leave nothing behind", async () => {
  const url = await publish("hostile", { methods: [method("GET", "/a", { apiKeyRequired: true })] });
  const ask = async (key: string) => (await fetch(`${url}/a`, { headers: { "x-api-key": key } })).status;
  expect([403, 431]).toContain(await ask("k".repeat(2_000_000)).catch(() => 431));
  expect([await ask("k".repeat(10_000)), await ask(""), await ask("a, b")]).toEqual([403, 403, 403]);
  const statuses = await Promise.all(Array.from({ length: 300 }, (_, index) => ask(`nobody-${index}`)));
  expect(new Set(statuses)).toEqual(new Set([403]));
  expect(gateway.invocations.length).toBe(calls);
});

const renewing = { headers: { "Cache-Control": "max-age=0" } };

describe("a stage's cache", () => {
  test("answers GET again until the time to live has passed, with the headers it had", async () => {
    const url = await publish("ttl");
    expect(await text(`${url}/a`)).toBe("call 1");
    const again = await fetch(`${url}/a`);
    expect([await again.text(), again.headers.get("x-own")]).toEqual(["call 1", "1"]);
    clock.advance(300_000);
    expect(await text(`${url}/a`)).toBe("call 2");
  });

  test("leaves methods other than GET alone unless they have settings of their own", async () => {
    const url = await publish("post");
    expect([await text(`${url}/a`, { method: "POST" }), await text(`${url}/a`, { method: "POST" })]).toEqual([
      "call 1",
      "call 2",
    ]);
    const own = await publish("own", { methodSettings: { "a/POST": { caching }, "*/*": {} } });
    expect([await text(`${own}/a`, { method: "POST" }), await text(`${own}/a`, { method: "POST" })]).toEqual([
      "call 3",
      "call 3",
    ]);
    expect([await text(`${own}/a`), await text(`${own}/a`)]).toEqual(["call 4", "call 5"]);
  });

  test("tells answers apart by key parameters, and by nothing else", async () => {
    const url = await publish("keys", {
      methods: [
        method("GET", "/{id}", {
          cacheKeyParameters: [
            "method.request.path.id",
            "method.request.querystring.q",
            "method.request.header.X-Tenant",
          ],
        }),
        method("GET", "/plain/{id}"),
      ],
    });
    const answers = [];
    for (const path of ["/1?q=a", "/2?q=a", "/1?q=b", "/1?q=a&z=9", "/plain/1", "/plain/2"]) {
      answers.push(await text(url + path));
    }
    answers.push(await text(`${url}/1?q=a`, { headers: { "x-tenant": "t" } }));
    expect(answers).toEqual(["call 1", "call 2", "call 3", "call 1", "call 4", "call 4", "call 5"]);
  });

  test("keeps the integration's errors, as AWS does, and none of the gateway's own", async () => {
    const url = await publish("errors");
    gateway.answer({ statusCode: 429, body: "slow down" });
    expect((await fetch(`${url}/a`)).status).toBe(429);
    gateway.answer({ nonsense: true });
    expect((await fetch(`${url}/a`)).status).toBe(429);
    const other = await publish("malformed");
    expect((await fetch(`${other}/a`)).status).toBe(502);
    gateway.answer({ statusCode: 200 });
    expect((await fetch(`${other}/a`)).status).toBe(200);
  });

  test("is renewed by Cache-Control: max-age=0 where no authorization is required", async () => {
    const url = await publish("renew");
    expect(await text(`${url}/a`)).toBe("call 1");
    expect(await text(`${url}/a`, renewing)).toBe("call 2");
    expect(await text(`${url}/a`)).toBe("call 2");
  });

  test.each([
    ["FAIL_WITH_403", 403, null],
    [
      "SUCCEED_WITH_RESPONSE_HEADER",
      200,
      "199 Cache-control headers were ignored because the caller was unauthorized.",
    ],
    ["SUCCEED_WITHOUT_RESPONSE_HEADER", 200, null],
  ] as const)("is not renewed by whoever may not; %s", async (unauthorizedStrategy, status, warning) => {
    const gatekept = { caching: { ...caching, requiresAuthorization: true, unauthorizedStrategy } };
    const denying = await startFakeGateway(clock, {
      verifier: {
        verify: () =>
          Promise.resolve({ principal: { type: "anonymous" }, region: undefined, payload: { kind: "unsigned" } }),
      },
      authorizer: { authorize: () => Promise.resolve() },
    });
    denying.answer({ statusCode: 200, body: "kept" });
    await denying.publish({
      kind: "rest",
      version: 1,
      account: "000000000000",
      region: "us-east-1",
      apiId: "auth",
      stageName: "Prod",
      deploymentId: "dep1",
      variables: {},
      disableExecuteApiEndpoint: false,
      binaryMediaTypes: [],
      gatewayResponses: [],
      methods: [method("GET", "/a")],
      methodSettings: { "*/*": gatekept },
      cache: { sizeBytes: 1_000_000, generation: "1" },
    });
    const url = `${denying.url}/auth/Prod/a`;
    await text(url);
    const response = await fetch(url, renewing);
    expect([response.status, response.headers.get("warning")]).toEqual([status, warning]);
    expect(denying.invocations).toHaveLength(1);
    await denying.stop();
  });

  test("is void after a flush, and stays when the stage is published again otherwise", async () => {
    const url = await publish("flush");
    expect(await text(`${url}/a`)).toBe("call 1");
    await publish("flush", { variables: { v: "1" } });
    expect(await text(`${url}/a`)).toBe("call 1");
    await publish("flush", { cache: { sizeBytes: 1_000_000, generation: "2" } });
    expect(await text(`${url}/a`)).toBe("call 2");
  });

  test("holds no more than its size, forgets what was unused the longest, and keeps nothing larger than 1 MB", () => {
    const cache = createStageCaches().of("s", { sizeBytes: 100_000, generation: "" });
    for (let index = 0; index < 10; index++) {
      cache.set(`k${index}`, entry("x".repeat(20_000)));
      cache.get("k0", 0);
    }
    const kept = Array.from({ length: 10 }, (_, index) => index).filter((index) => cache.get(`k${index}`, 0));
    expect(kept).toEqual([0, 7, 8, 9]);
    const large = createStageCaches().of("l", { sizeBytes: 1e9, generation: "" });
    large.set("k", entry("x".repeat(1_048_577)));
    expect(large.get("k", 0)).toBeUndefined();
  });
});

describe("a canary", () => {
  test("answers its share of requests with its deployment, its variables and a cache of its own", async () => {
    const url = await publish("canary", {
      methods: [method("GET", "/a"), method("GET", "/which", { integration: mock("stage") })],
      canary: {
        percentTraffic: 50,
        deploymentId: "dep2",
        variables: {},
        useStageCache: false,
        snapshot: {
          methods: [method("GET", "/a"), method("GET", "/which", { integration: mock("canary") })],
          binaryMediaTypes: [],
          gatewayResponses: [],
          disableExecuteApiEndpoint: false,
        },
      },
      methodSettings: { "a/GET": { caching } },
    });
    const answers = await Promise.all(Array.from({ length: 200 }, () => text(`${url}/which`)));
    const canaries = answers.filter((answer) => answer === "canary").length;
    expect(canaries).toBeGreaterThan(50);
    expect(canaries).toBeLessThan(150);
    const cached = [];
    for (let sent = 0; sent < 40; sent++) cached.push(await text(`${url}/a`));
    expect(new Set(cached)).toEqual(new Set(["call 1", "call 2"]));
  });

  test.each([
    [0, "stage"],
    [100, "canary"],
  ])("with %d percent, all requests go one way", async (percentTraffic, expected) => {
    const url = await publish(`all${percentTraffic}`, {
      methods: [method("GET", "/which", { integration: mock("stage") })],
      canary: {
        percentTraffic,
        deploymentId: "dep2",
        variables: {},
        useStageCache: true,
        snapshot: {
          methods: [method("GET", "/which", { integration: mock("canary") })],
          binaryMediaTypes: [],
          gatewayResponses: [],
          disableExecuteApiEndpoint: false,
        },
      },
    });
    const answers = await Promise.all(Array.from({ length: 20 }, () => text(`${url}/which`, renewing)));
    expect(new Set(answers)).toEqual(new Set([expected]));
  });
});

function entry(body: string) {
  return { status: 200, headers: [], body, expiresAt: 10 };
}

function mock(body: string): PublishedMethod["integration"] {
  return {
    type: "MOCK",
    requestTemplates: { "application/json": '{"statusCode": 200}' },
    passthroughBehavior: "WHEN_NO_MATCH",
    responses: [{ statusCode: "200", responseParameters: {}, responseTemplates: { "text/plain": body } }],
  };
}
