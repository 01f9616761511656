import { request as httpRequest } from "node:http";
import { deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";
import { executeApiLimits } from "../limits.ts";
import { chooseCoding } from "./compression.ts";

let gateway: FakeGateway;
const text = JSON.stringify({ pets: Array.from({ length: 50 }, (_, id) => ({ id, type: "dog" })) });

beforeAll(async () => {
  gateway = await startFakeGateway(createFakeClock(Date.UTC(2026, 2, 12)));
  const integration = {
    type: "AWS_PROXY",
    uri: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations",
    timeoutMs: 29_000,
  } as const;
  const method = { resourceId: "r", path: "/a", httpMethod: "ANY", authorizationType: "NONE", integration } as const;
  const stage = {
    kind: "rest",
    version: 1,
    account: "000000000000",
    region: "us-east-1",
    stageName: "p",
    deploymentId: "d",
    variables: {},
    disableExecuteApiEndpoint: false,
    binaryMediaTypes: [],
    gatewayResponses: [],
    methods: [
      method,
      {
        ...method,
        path: "/checked",
        validation: { requiredParameters: [], bodyModels: { "application/json": "Pets" } },
      },
    ],
    models: { Pets: '{"type":"object","required":["pets"]}' },
  } as const;
  await gateway.publish({ ...stage, apiId: "plain" });
  await gateway.publish({ ...stage, apiId: "small", minimumCompressionSize: 0 });
  await gateway.publish({ ...stage, apiId: "large", minimumCompressionSize: 500 });
});
afterAll(() => gateway.stop());

interface Sent {
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly body?: Buffer | string;
}

/** As it comes: `fetch` decompresses by itself. */
function ask(apiId: string, { path = "/a", headers = {}, method = "GET", body }: Sent = {}) {
  return new Promise<{ status: number; coding: string | undefined; length: string | undefined; body: Buffer }>(
    (resolve, reject) => {
      const sent = httpRequest(`${gateway.url}/${apiId}/p${path}`, { method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            coding: response.headers["content-encoding"],
            length: response.headers["content-length"],
            body: Buffer.concat(chunks),
          }),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    },
  );
}

describe("Answers", () => {
  test("are compressed as the client asks, where they are large enough and the API compresses", async () => {
    gateway.answer({ statusCode: 200, body: text });
    const zipped = await ask("large", { headers: { "accept-encoding": "gzip, deflate, br" } });
    expect([zipped.status, zipped.coding, zipped.length]).toEqual([200, "gzip", String(zipped.body.length)]);
    expect(gunzipSync(zipped.body).toString()).toBe(text);
    const deflated = await ask("large", { headers: { "accept-encoding": "deflate;q=1.0, gzip;q=0.5" } });
    expect([deflated.coding, inflateSync(deflated.body).toString()]).toEqual(["deflate", text]);
    for (const accept of ["", "*", "identity", "br", "br;q=1.0, gzip;q=0.5", "gzip;q=0"]) {
      const plain = await ask("large", { headers: { "accept-encoding": accept } });
      expect([plain.coding, plain.body.toString()], accept).toEqual([undefined, text]);
    }
    expect((await ask("large")).coding).toBeUndefined();
    expect((await ask("plain", { headers: { "accept-encoding": "gzip" } })).coding).toBeUndefined();
    gateway.answer({ statusCode: 200, body: "small" });
    expect((await ask("large", { headers: { "accept-encoding": "gzip" } })).coding).toBeUndefined();
    expect((await ask("small", { headers: { "accept-encoding": "gzip" } })).coding).toBe("gzip");
  });

  test("that are encoded already, have no body, or are the gateway's own are left as they are", async () => {
    const headers = { "accept-encoding": "gzip" };
    gateway.answer({ statusCode: 200, headers: { "Content-Encoding": "br" }, body: text });
    expect([(await ask("small", { headers })).coding, (await ask("small", { headers })).body.toString()]).toEqual([
      "br",
      text,
    ]);
    gateway.answer({ statusCode: 204 });
    expect(await ask("small", { headers })).toMatchObject({ status: 204, coding: undefined });
    gateway.answer({ nonsense: true });
    expect(await ask("small", { headers })).toMatchObject({ status: 502, coding: undefined });
  });
});

const post = (apiId: string, coding: string, body: Buffer | string, path = "/a") =>
  ask(apiId, { path, method: "POST", headers: { "content-encoding": coding }, body });
const seen = () => {
  const { body, headers } = gateway.event();
  return { body, headers };
};

describe("Requests", () => {
  test("are decompressed before they are validated and mapped", async () => {
    gateway.answer({ statusCode: 200, body: "ok" });
    for (const [coding, bytes] of [
      ["gzip", gzipSync(text)],
      ["GZIP", gzipSync(text)],
      ["deflate", deflateSync(text)],
      ["identity", text],
    ] as const) {
      expect((await post("small", coding, bytes, "/checked")).status, coding).toBe(200);
      expect(seen().body).toBe(text);
      expect(Object.keys(seen().headers ?? {}).includes("content-encoding")).toBe(coding === "identity");
    }
    expect((await post("small", "gzip", gzipSync("{}"), "/checked")).status).toBe(400);
  });

  test("of other codings, or that are not what they claim, are 415", async () => {
    for (const [coding, bytes] of [
      ["br", "x"],
      ["gzip, deflate", gzipSync(text)],
      ["gzip", "not compressed"],
      ["deflate", gzipSync(text)],
      ["gzip", gzipSync(text).subarray(0, 20)],
    ] as const) {
      const refused = await post("small", coding, bytes);
      expect([refused.status, refused.body.toString()], coding).toEqual([415, '{"message":"Unsupported Media Type"}']);
    }
  });

  test("that unpack to more than a request may have are 413", async () => {
    const bomb = gzipSync(Buffer.alloc(executeApiLimits.bodyBytesMax + 1));
    expect(bomb.length).toBeLessThan(20_000);
    expect((await post("small", "gzip", bomb)).status).toBe(413);
  });

  test("to an API that does not compress, or smaller than its minimum, are passed on as they are", async () => {
    gateway.answer({ statusCode: 200, body: "ok" });
    expect((await post("plain", "gzip", gzipSync(text))).status).toBe(200);
    expect(seen().body).not.toBe(text);
    expect((await post("large", "gzip", gzipSync("tiny"))).status).toBe(200);
    expect(seen().headers).toHaveProperty("content-encoding", "gzip");
  });
});

// Source: "Enable payload compression for an API in API Gateway", the formats it supports.
test.each([
  ["deflate,gzip", "deflate"],
  ["", undefined],
  ["*", undefined],
  ["deflate;q=0.5,gzip;q=1.0", "gzip"],
  ["gzip;q=1.0,identity;q=0.5,*;q=0", "gzip"],
  ["identity;q=1.0,gzip;q=0.5", undefined],
])("Accept-Encoding: %s chooses %s", (accept, coding) => {
  expect(chooseCoding(accept)).toBe(coding);
});

test("whatever Accept-Encoding says, something is chosen or nothing is", () => {
  fc.assert(fc.property(fc.string(), (accept) => [undefined, "gzip", "deflate"].includes(chooseCoding(accept))));
});
