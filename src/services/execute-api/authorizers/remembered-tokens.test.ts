import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";
import type { PublishedJwtAuthorizer, PublishedRoute } from "../port.ts";
import { functionArn, stageFacts } from "./fake-authorizer.ts";
import { startTestIssuer, type TestIssuer } from "./test-issuer.ts";

const clock = createFakeClock(Date.UTC(2026, 2, 12, 19, 3, 58));
let gateway: FakeGateway;
let issuer: TestIssuer;

beforeAll(async () => {
  gateway = await startFakeGateway(clock);
  issuer = await startTestIssuer(() => Math.floor(clock.now() / 1000));
});
afterAll(async () => {
  await gateway.stop();
  await issuer.stop();
});

function authorizer(id: string, settings: Partial<PublishedJwtAuthorizer> = {}): PublishedJwtAuthorizer {
  const identitySource = "$request.header.Authorization";
  return { id, type: "JWT", identitySource, issuer: issuer.url, audience: ["app"], ...settings };
}

function route(path: string, authorizerId: string, settings: Partial<PublishedRoute> = {}): PublishedRoute {
  return {
    routeKey: `GET ${path}`,
    authorizationType: "JWT",
    authorizerId,
    integration: { type: "AWS_PROXY", uri: functionArn("f"), timeoutMs: 30_000, payloadFormatVersion: "2.0" },
    ...settings,
  };
}

function publish(apiId: string, authorizers: readonly PublishedJwtAuthorizer[], routes: readonly PublishedRoute[]) {
  return gateway.publish({ ...stageFacts, kind: "http", apiId, authorizers, routes });
}

async function ask(apiId: string, path: string, token: string): Promise<number> {
  const response = await fetch(`${gateway.url}/${apiId}/Prod${path}`, { headers: { Authorization: token } });
  await response.arrayBuffer();
  return response.status;
}

test("A token that was verified is refused when its authorizer has become one that does not take it", async () => {
  const token = issuer.sign();
  await publish("changed", [authorizer("j")], [route("/a", "j")]);
  expect(await ask("changed", "/a", token)).toBe(200);
  await publish("changed", [authorizer("j", { audience: ["other"] })], [route("/a", "j")]);
  await expect.poll(() => ask("changed", "/a", token)).toBe(401);
});

test("A token that one authorizer has verified is no other's, in the same API or the next", async () => {
  const token = issuer.sign();
  const strict = authorizer("strict", { audience: ["other"] });
  await publish("one", [authorizer("j"), strict], [route("/a", "j"), route("/b", "strict")]);
  await publish("two", [{ ...strict, id: "j" }], [route("/a", "j")]);
  expect([await ask("one", "/a", token), await ask("one", "/b", token), await ask("two", "/a", token)]).toEqual([
    200, 401, 401,
  ]);
});

test("A token that was verified still needs one of each route's scopes", async () => {
  const token = issuer.sign({ scope: "read" });
  const routes = [
    route("/any", "j"),
    route("/read", "j", { authorizationScopes: ["read", "x"] }),
    route("/write", "j", { authorizationScopes: ["write"] }),
  ];
  await publish("scoped", [authorizer("j")], routes);
  for (let round = 0; round < 2; round += 1) {
    expect(await Promise.all(["/any", "/read", "/write"].map((path) => ask("scoped", path, token)))).toEqual([
      200, 200, 403,
    ]);
  }
});

test("Of tokens that differ in a character from one that was verified none is let in, however many come", async () => {
  const token = issuer.sign();
  await publish("hostile", [authorizer("j")], [route("/a", "j")]);
  expect(await ask("hostile", "/a", token)).toBe(200);
  const [header = "", body = "", signature = ""] = token.split(".");
  const altered = Array.from({ length: 50 }, (_, at) => {
    const other = signature[at] === "A" ? "B" : "A";
    return `${header}.${body}.${signature.slice(0, at)}${other}${signature.slice(at + 1)}`;
  });
  const statuses = await Promise.all(altered.map((each) => ask("hostile", "/a", each)));
  expect(new Set(statuses)).toEqual(new Set([401]));
  expect(await ask("hostile", "/a", token)).toBe(200);
});
