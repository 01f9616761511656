import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deployApp, type DeployedApp } from "./deployed-app.ts";
import { makePackages } from "./packages.ts";

const made = await makePackages("express");
if ("missing" in made) process.stderr.write(`skipped: ${made.missing}\n`);

describe.skipIf("missing" in made)("Express by @codegenie/serverless-express", () => {
  let app: DeployedApp;
  beforeAll(async () => {
    app = await deployApp("express", "zips" in made ? made.zips : {});
  });
  afterAll(() => app.stop());

  describe.each([
    ["HttpApi", "an HTTP API, payload format 2.0", "2.0"],
    ["RestApi", "a REST API, payload format 1.0", "Prod"],
  ] as const)("behind a %s", (api, _name, version) => {
    const call = (path: string, init?: RequestInit) => fetch(app.url(api) + path, { redirect: "manual", ...init });

    test("a page is HTML with its length and ETag", async () => {
      const answer = await call("/");
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(answer.headers.get("etag")).toMatch(/^W\/"/);
      expect(answer.headers.get("x-powered-by")).toBe("Express");
      expect(await answer.text()).toBe("<h1>home</h1>");
    });

    test("a route has its parameters, query, headers, the caller's address, the event and the context", async () => {
      const answer = await call("/users/Zo%C3%AB?a=1&b=x%20y", { headers: { "accept-language": "nl" } });
      expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(await answer.json()).toEqual({
        id: "Zoë",
        query: { a: "1", b: "x y" },
        language: "nl",
        ip: "127.0.0.1",
        version,
      });
    });

    test("JSON and forms are parsed", async () => {
      const json = await call("/users", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "Zoë 🌍" }),
      });
      expect([json.status, json.headers.get("location"), await json.json()]).toEqual([
        201,
        "/users/7",
        { made: { name: "Zoë 🌍" } },
      ]);
      const form = await call("/users", { method: "POST", body: new URLSearchParams({ name: "a&b" }) });
      expect(await form.json()).toEqual({ made: { name: "a&b" } });
    });

    test("what is no JSON is a 400, by Express's own words", async () => {
      const headers = { "content-type": "application/json" };
      const answer = await call("/users", { method: "POST", headers, body: "{" });
      expect(await answer.json()).toEqual({ error: expect.stringContaining("JSON") });
    });

    test("cookies come, and two are set", async () => {
      const answer = await call("/login", { headers: { cookie: "a=1; b=2" } });
      expect(answer.headers.getSetCookie()).toEqual(["session=a%20b; Path=/; HttpOnly", "theme=dark; Path=/"]);
      expect(await answer.json()).toEqual({ cookie: "a=1; b=2" });
    });

    test("bytes go in and come out as they are", async () => {
      const pixel = await call("/pixel.png");
      expect(pixel.headers.get("content-type")).toBe("image/png");
      expect(await pixel.bytes()).toEqual(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 255]));
      const headers = { "content-type": "application/octet-stream" };
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      const reversed = await call("/bytes", { method: "PUT", headers, body: bytes });
      expect(await reversed.bytes()).toEqual(bytes.toReversed());
    });

    test("a redirect, a route that is not there and an error are answers", async () => {
      const moved = await call("/old");
      expect([moved.status, moved.headers.get("location")]).toEqual([301, "/new"]);
      expect((await call("/nowhere")).status).toBe(404);
      const failed = await call("/fails");
      expect([failed.status, await failed.json()]).toEqual([500, { error: "out of range" }]);
    });

    test("HEAD has the headers alone, and a cached page is not sent again", async () => {
      const head = await call("/", { method: "HEAD" });
      expect([head.status, await head.text()]).toEqual([200, ""]);
      // fetch asks for no cache at all where it is not told otherwise.
      const headers = { "if-none-match": head.headers.get("etag") ?? "", "cache-control": "max-age=60" };
      expect((await call("/", { headers })).status).toBe(304);
    });
  });

  test("its version 4, whose handler takes a callback, runs on nodejs22.x", async () => {
    const request = { rawPath: "/login", rawQueryString: "", headers: { host: "example.com" }, isBase64Encoded: false };
    const http = { method: "GET", path: "/login", sourceIp: "192.0.2.1" };
    const answer = await app.invoke("express-4", { version: "2.0", ...request, requestContext: { http } });
    expect(answer).toMatchObject({
      statusCode: 200,
      cookies: ["session=a%20b; Path=/; HttpOnly", "theme=dark; Path=/"],
    });
  });
});
