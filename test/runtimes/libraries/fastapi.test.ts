import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deployApp, type DeployedApp } from "./deployed-app.ts";
import { makePackages, pythonRuntime } from "./packages.ts";

const made = await makePackages("fastapi");
if ("missing" in made) process.stderr.write(`skipped: ${made.missing}\n`);

describe.skipIf("missing" in made)("FastAPI by Mangum", () => {
  let app: DeployedApp;
  beforeAll(async () => {
    app = await deployApp("fastapi", "zips" in made ? made.zips : {}, { Runtime: await pythonRuntime() });
  });
  afterAll(() => app.stop());

  describe.each([
    ["HttpApi", "an HTTP API, payload format 2.0", "2.0"],
    ["RestApi", "a REST API, payload format 1.0", "Prod"],
  ] as const)("behind a %s", (api, _name, version) => {
    const call = (path: string, init?: RequestInit) => fetch(app.url(api) + path, { redirect: "manual", ...init });

    test("a route has its parameters, repeated query parameters, cookies, the event and the context", async () => {
      const answer = await call("/items/7?tag=a&tag=b%20c", { headers: { cookie: "theme=dark; x=y" } });
      expect([answer.status, await answer.json()]).toEqual([
        200,
        {
          number: 7,
          tags: ["a", "b c"],
          theme: "dark",
          client: "127.0.0.1",
          version,
          function: "fastapi",
          started: expect.arrayContaining(["yes"]),
        },
      ]);
    });

    test("JSON, forms and files are parsed", async () => {
      const json = { method: "POST", headers: { "content-type": "application/json" } };
      const item = await call("/items", { ...json, body: JSON.stringify({ name: "Zoë 🌍", price: 1.5 }) });
      expect([item.status, await item.json()]).toEqual([201, { made: { name: "Zoë 🌍", price: 1.5 } }]);
      const form = await call("/form", { method: "POST", body: new URLSearchParams({ name: "a&b" }) });
      expect(await form.json()).toEqual({ name: "a&b" });
      const body = new FormData();
      body.set("file", new Blob([new Uint8Array([0, 1, 255])]), "some.bin");
      const file = await call("/upload", { method: "POST", body });
      expect(await file.json()).toEqual({ name: "some.bin", bytes: [0, 1, 255] });
    });

    test("what breaks the model is a 422 that says where", async () => {
      const headers = { "content-type": "application/json" };
      const answer = await call("/items", { method: "POST", headers, body: '{"name":"x","price":0}' });
      expect([answer.status, await answer.json()]).toMatchObject([422, { detail: [{ loc: ["body", "price"] }] }]);
      expect((await call("/items/seven")).status).toBe(422);
    });

    test("two cookies are set", async () => {
      const cookies = (await call("/login")).headers.getSetCookie();
      expect(cookies).toEqual(["session=s1; HttpOnly; Path=/; SameSite=lax", "theme=dark; Path=/; SameSite=lax"]);
    });

    test("bytes go in and come out as they are", async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      const headers = { "content-type": "image/png" };
      const answer = await call("/bytes", { method: "PUT", headers, body: bytes });
      expect(await answer.bytes()).toEqual(bytes.toReversed());
    });

    test("a redirect, an HTTPException, a route that is not there and an error are answers", async () => {
      const moved = await call("/old");
      expect([moved.status, moved.headers.get("location")]).toEqual([301, "/new"]);
      const refused = await call("/refused");
      expect([refused.status, refused.headers.get("x-pot"), await refused.json()]).toEqual([
        418,
        "tea",
        { detail: "a teapot" },
      ]);
      expect((await call("/nowhere")).status).toBe(404);
      const failed = await call("/fails");
      expect([failed.status, await failed.text()]).toEqual([500, "Internal Server Error"]);
    });

    test("its OpenAPI document and its page are there", async () => {
      expect(await (await call("/openapi.json")).json()).toHaveProperty("paths./items/{number}.get");
      const page = await call("/docs");
      expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    });
  });
});
