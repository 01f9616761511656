import fc from "fast-check";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../kernel/clock.ts";
import { type FakeGateway, startFakeGateway } from "./fake-gateway.ts";
import { quote } from "../../proxy/json-text.ts";
import { everyQuery, joinedQuery, lastQuery, parseQuery } from "../../proxy/query-string.ts";
import { createRouter } from "./router.ts";

const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.string({ maxLength: 400 }));

test("A quoted string is what JSON.stringify makes of it", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(quote(text)).toBe(JSON.stringify(text));
    }),
  );
  expect(quote("\ud800")).toBe(JSON.stringify("\ud800"));
});

test("Query parameters are written as JSON.stringify writes their object", () => {
  const name = fc
    .string({ unit: "grapheme", minLength: 1 })
    .filter((text) => text !== "__proto__" && !/^\d+$/.test(text));
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          name,
          anyText.filter((text) => text.isWellFormed()),
        ),
        { maxLength: 40 },
      ),
      (pairs) => {
        const query = pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join("&");
        const grouped = new Map<string, string[]>();
        for (const [key, value] of pairs) grouped.set(key, [...(grouped.get(key) ?? []), value]);
        const entries = [...grouped];
        const parsed = parseQuery(query);
        expect(JSON.parse(everyQuery(parsed))).toEqual(Object.fromEntries(entries));
        expect(JSON.parse(lastQuery(parsed))).toEqual(
          Object.fromEntries(entries.map(([key, all]) => [key, all.at(-1)])),
        );
        expect(JSON.parse(joinedQuery(parsed))).toEqual(
          Object.fromEntries(entries.map(([key, all]) => [key, all.join(",")])),
        );
      },
    ),
  );
});

test("A query string is read with its oddities", () => {
  expect(parseQuery("a+b=c+d&&x&%zz=%&x=%C3%A9")).toEqual({
    names: ["a b", "x", "%zz"],
    values: [["c d"], ["", "é"], ["%"]],
  });
});

test("A router finds what a look at every route finds", () => {
  const part = fc.constantFrom("a", "b", "{x}", "{y}");
  const template = fc
    .tuple(fc.array(part, { maxLength: 3 }), fc.boolean())
    .map(([parts, greedy]) => `/${[...parts, ...(greedy ? ["{p+}"] : [])].join("/")}`);
  const request = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
  fc.assert(
    fc.property(fc.uniqueArray(template, { selector: shapeOf }), request, (templates, path) => {
      const router = createRouter(
        templates.map((value) => ({ method: "ANY", path: value, value })),
        "route-first",
      );
      const found = router.match("GET", path)?.value;
      const candidates = templates.filter((candidate) => matches(candidate, path));
      expect(found === undefined).toBe(candidates.length === 0);
      if (found !== undefined) expect(candidates).toContain(found);
    }),
  );
});

function shapeOf(template: string): string {
  return template.replaceAll(/\{\w\}/g, "{}");
}

function matches(template: string, path: string): boolean {
  const source = template.replaceAll("{p+}", ".+").replaceAll(/\{\w\}/g, "[^/]+");
  return new RegExp(`^${source}$`).test(path);
}

let gateway: FakeGateway;
beforeAll(async () => {
  gateway = await startFakeGateway(systemClock);
  for (const [apiId, format] of [
    ["fuzz1", "1.0"],
    ["fuzz2", "2.0"],
  ] as const) {
    await gateway.publish({
      kind: "http",
      version: 1,
      account: "000000000000",
      region: "us-east-1",
      apiId,
      stageName: "$default",
      deploymentId: "d1",
      variables: {},
      disableExecuteApiEndpoint: false,
      routes: ["ANY /{proxy+}", "$default"].map((routeKey) => ({
        routeKey,
        authorizationType: "NONE" as const,
        integration: {
          type: "AWS_PROXY" as const,
          uri: "arn:aws:lambda:us-east-1:000000000000:function:f",
          timeoutMs: 30_000,
          payloadFormatVersion: format,
        },
      })),
    });
  }
});
afterAll(() => gateway.stop());

test("Events are JSON that tells the request, whatever bytes it is made of", async () => {
  const headerValue = fc.string({
    unit: fc
      .integer({ min: 0x21, max: 0xff })
      .filter((c) => c !== 0x7f)
      .map((c) => String.fromCharCode(c)),
  });
  const target = fc.string({ unit: fc.constantFrom("a", "/", "%", "2", "0", "?", "&", "=", "+", '"', "\\", "é", "<") });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("fuzz1", "fuzz2"),
      target,
      headerValue,
      headerValue,
      async (apiId, path, one, two) => {
        gateway.invocations.length = 0;
        const status = await send(
          `GET /${apiId}/${path} HTTP/1.1\r\nHost: x\r\nX-A: ${one}\r\nx-a: ${two}\r\nConnection: close\r\n\r\n`,
        );
        expect([200, 400]).toContain(status);
        if (status !== 200) return;
        const event = gateway.event();
        if (apiId === "fuzz2") expect(event["headers"]?.["x-a"]).toBe(`${one},${two}`);
        else expect(event["multiValueHeaders"]?.["X-A"]).toEqual([one, two]);
      },
    ),
    { numRuns: 200 },
  );
});

function send(bytes: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(gateway.port, "127.0.0.1", () => socket.end(Buffer.from(bytes, "latin1")));
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => resolve(Number(answer.slice(9, 12))));
  });
}
