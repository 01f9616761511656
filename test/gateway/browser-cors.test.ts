import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ApiGatewayV2Client, CreateApiCommand, UpdateApiCommand } from "@aws-sdk/client-apigatewayv2";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { tools } from "../../src/testing/tools.ts";

/** What a page was told of its request; of an answer that the browser kept from it, only that it failed. */
interface Told {
  readonly status?: number;
  readonly body?: string;
  readonly exposed?: string | null;
  readonly error?: string;
}

const skipped = tools.chromium === undefined;
if (skipped)
  process.stderr.write("Chromium is missing (apt-get install chromium-headless-shell): its test is skipped\n");

describe.skipIf(skipped)("a page on another origin, in Chromium,", () => {
  let platform: TestPlatform;
  let pages: Server;
  let origin: string;
  let apiId: string;
  let api: ApiGatewayV2Client;
  /** What the page runs, and who waits for what it says. */
  let script = "";
  let hear: ((told: Told) => void) | undefined;

  beforeAll(async () => {
    platform = await startTestPlatform({ sandbox: "process" });
    pages = createServer((request, response) => {
      if (request.method === "POST") {
        void text(request).then((body) => {
          hear?.(JSON.parse(body));
          response.end();
        });
        return;
      }
      response.setHeader("content-type", "text/html");
      response.end(`<!doctype html><script type="module">${script}</script>`);
    });
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    api = new ApiGatewayV2Client(platform.settings);
    const Role = await createFunctionRole(platform.settings, "hello");
    const source =
      "export const handler = async (event) => ({ statusCode: 200, headers: { 'x-said': 'yes', 'x-hidden': 'no' }, body: event.requestContext.http.method });";
    await createNodeFunction(platform.settings, { FunctionName: "hello", Role, source });
    await new LambdaClient(platform.settings).send(
      new AddPermissionCommand({
        FunctionName: "hello",
        StatementId: "gateway",
        Action: "lambda:InvokeFunction",
        Principal: "apigateway.amazonaws.com",
      }),
    );
    const Target = "arn:aws:lambda:us-east-1:000000000000:function:hello";
    const made = await api.send(new CreateApiCommand({ Name: "cors", ProtocolType: "HTTP", Target }));
    apiId = made.ApiId ?? "";
  }, 60_000);
  afterAll(async () => {
    pages.closeAllConnections();
    pages.close();
    await platform.stop();
  });

  const allow = (AllowOrigins: string[], more: object = {}) =>
    api.send(new UpdateApiCommand({ ApiId: apiId, CorsConfiguration: { AllowOrigins, ...more } }));

  /** Opens the page, which asks the API and says what it was told. */
  async function visit(init: string): Promise<Told> {
    const url = `${platform.endpoint}/_cumulet/api/${apiId}/hello`;
    script = `
      let told;
      try {
        const answer = await fetch(${JSON.stringify(url)}, ${init});
        told = { status: answer.status, body: await answer.text(), exposed: answer.headers.get("x-said") };
      } catch (error) {
        told = { error: error.name };
      }
      await fetch("/told", { method: "POST", body: JSON.stringify(told) });`;
    const profile = await mkdtemp(join(tmpdir(), "cumulet-browser-"));
    const told = new Promise<Told>((resolve) => (hear = resolve));
    const browser = openBrowser(profile, `${origin}/`);
    try {
      return await told;
    } finally {
      await ended(browser);
      await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    }
  }

  test("reads an answer where its origin is allowed, and the headers that are exposed", async () => {
    await allow([origin], { AllowMethods: ["GET"], ExposeHeaders: ["x-said"] });
    expect(await visit("{}")).toEqual({ status: 200, body: "GET", exposed: "yes" });
  }, 60_000);

  test("reads none where only another origin is allowed", async () => {
    await allow(["https://elsewhere.example.com"]);
    expect(await visit("{}")).toEqual({ error: "TypeError" });
  }, 60_000);

  test("may send a method and a header that the preflight allows", async () => {
    await allow([origin], { AllowMethods: ["PUT"], AllowHeaders: ["x-mine"] });
    expect(await visit(`{ method: "PUT", headers: { "x-mine": "1" } }`)).toMatchObject({ status: 200, body: "PUT" });
  }, 60_000);

  test("may not send a header that the preflight does not allow", async () => {
    await allow([origin], { AllowMethods: ["PUT"], AllowHeaders: ["x-other"] });
    expect(await visit(`{ method: "PUT", headers: { "x-mine": "1" } }`)).toEqual({ error: "TypeError" });
  }, 60_000);

  test("gets no answer with credentials unless they are allowed", async () => {
    await allow([origin], { AllowMethods: ["GET"] });
    expect(await visit(`{ credentials: "include" }`)).toEqual({ error: "TypeError" });
    await allow([origin], { AllowMethods: ["GET"], AllowCredentials: true });
    expect(await visit(`{ credentials: "include" }`)).toMatchObject({ status: 200 });
  }, 60_000);
});

/** Its own sandbox needs more than a test may have; it loads nothing but the page. */
function openBrowser(profile: string, url: string): ChildProcess {
  const options = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
  ];
  return spawn(tools.chromium ?? "", [...options, `--user-data-dir=${profile}`, url], {
    stdio: "ignore",
    // A group of its own: it ends with all of its processes.
    detached: true,
  });
}

async function ended(browser: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => browser.once("close", resolve));
  if (browser.pid !== undefined) process.kill(-browser.pid, "SIGKILL");
  await closed;
}
