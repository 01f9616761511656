import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deployApp, type DeployedApp } from "./deployed-app.ts";
import { makePackages } from "./packages.ts";

const made = await makePackages("hono");
if ("missing" in made) process.stderr.write(`skipped: ${made.missing}\n`);

describe.skipIf("missing" in made)("Hono by its adapter for Lambda", () => {
  let app: DeployedApp;
  beforeAll(async () => {
    app = await deployApp("hono", "zips" in made ? made.zips : {});
  });
  afterAll(() => app.stop());

  describe.each([
    ["HttpApi", "2.0"],
    ["RestApi", "Prod"],
    ["UrlId", "2.0"],
  ] as const)("behind a %s", (front, version) => {
    const call = (path: string, init?: RequestInit) => fetch(app.url(front) + path, init);

    test("a route has its parameters, repeated query parameters, cookies, the event and the context", async () => {
      const answer = await call("/users/7?tag=a&tag=b", { headers: { cookie: "theme=dark" } });
      expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(await answer.json()).toEqual({ id: "7", tags: ["a", "b"], theme: "dark", version });
    });

    test("JSON is parsed, and a status is the answer's", async () => {
      const answer = await call("/users", { method: "POST", body: JSON.stringify({ name: "Zoë 🌍" }) });
      expect([answer.status, await answer.json()]).toEqual([201, { made: { name: "Zoë 🌍" } }]);
    });

    test("two cookies are set", async () => {
      const answer = await call("/login");
      expect(answer.headers.getSetCookie()).toEqual(["session=s1; Path=/; HttpOnly", "theme=dark; Path=/"]);
      expect(await answer.text()).toBe("welcome");
    });

    test("an HTTPException, an error and a route that is not there are answers", async () => {
      const refused = await call("/refused");
      expect([refused.status, await refused.text()]).toEqual([418, "a teapot"]);
      const failed = await call("/fails");
      expect([failed.status, await failed.text()]).toEqual([500, "Internal Server Error"]);
      const nowhere = await call("/nowhere");
      expect([nowhere.status, await nowhere.text()]).toEqual([404, "404 Not Found"]);
    });
  });

  // A REST API decodes what is listed as binary alone, and this one lists nothing.
  test.each(["HttpApi", "UrlId"] as const)("bytes go in and come out as they are behind a %s", async (front) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const headers = { "content-type": "image/png" };
    const answer = await fetch(`${app.url(front)}/bytes`, { method: "PUT", headers, body: bytes });
    expect(await answer.bytes()).toEqual(bytes.toReversed());
  });

  test("a function URL streams: the first part is here before the second is written", async () => {
    const answer = await fetch(`${app.url("UrlId")}/stream`);
    const arrivals: { readonly text: string; readonly at: number }[] = [];
    for await (const chunk of answer.body ?? []) {
      arrivals.push({ text: Buffer.from(chunk).toString(), at: performance.now() });
    }
    expect(arrivals.map(({ text }) => text)).toEqual(["first ", "second"]);
    const [first, second] = arrivals;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(150);
  });

  test("server-sent events come by a function URL", async () => {
    const answer = await fetch(`${app.url("UrlId")}/events`);
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect(await answer.text()).toBe("event: tick\ndata: tick 1\nid: 1\n\nevent: tick\ndata: tick 2\nid: 2\n\n");
  });
});
