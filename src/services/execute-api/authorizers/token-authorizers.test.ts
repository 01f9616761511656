import { createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";
import type { PublishedJwtAuthorizer, PublishedMethod, PublishedPoolAuthorizer, PublishedRoute } from "../port.ts";
import { functionArn, restStageFacts, stageFacts } from "./fake-authorizer.ts";
import { startTestIssuer, type TestIssuer } from "./test-issuer.ts";

const clock = createFakeClock(Date.UTC(2026, 2, 12, 19, 3, 58));
const seconds = () => Math.floor(clock.now() / 1000);
let gateway: FakeGateway;
let issuer: TestIssuer;
const pool = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc";

beforeAll(async () => {
  gateway = await startFakeGateway(clock, {
    verifier: { verify: () => Promise.reject(new Error("nobody signs here")) },
    authorizer: { authorize: () => Promise.reject(new Error("nobody signs here")) },
    issuerOf: (arn) => (arn === pool ? issuer.url : undefined),
  });
});
beforeEach(async () => {
  gateway.invocations.length = 0;
  issuer = await startTestIssuer(seconds);
  return () => issuer.stop();
});
afterAll(() => gateway.stop());

const uri = functionArn("f");

let count = 0;
async function publishHttp(
  authorizer: Partial<PublishedJwtAuthorizer> = {},
  route: Partial<PublishedRoute> = {},
  payloadFormatVersion: "1.0" | "2.0" = "2.0",
): Promise<string> {
  const apiId = `http${++count}`;
  await gateway.publish({
    ...stageFacts,
    kind: "http",
    apiId,
    routes: [
      {
        routeKey: "GET /a",
        authorizationType: "JWT",
        authorizerId: "j",
        integration: { type: "AWS_PROXY", uri, timeoutMs: 30_000, payloadFormatVersion },
        ...route,
      },
    ],
    authorizers: [
      {
        id: "j",
        type: "JWT",
        identitySource: "$request.header.Authorization",
        issuer: issuer.url,
        audience: ["app", "other"],
        ...authorizer,
      },
    ],
  });
  return `${gateway.url}/${apiId}/Prod/a`;
}

const as = (token: string) => ({ headers: { Authorization: token } });

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

async function refusal(url: string, token: string): Promise<readonly unknown[]> {
  const response = await fetch(url, as(token));
  return [response.status, await response.text(), response.headers.get("www-authenticate")];
}

const invalid = (description: string) => [
  401,
  '{"message":"Unauthorized"}',
  `Bearer scope="" error="invalid_token" error_description="${description}"`,
];

async function publishRest(
  method: Partial<PublishedMethod> = {},
  authorizer: Partial<PublishedPoolAuthorizer> = {},
  policy?: string,
): Promise<string> {
  const apiId = `rest${++count}`;
  await gateway.publish({
    ...restStageFacts,
    apiId,
    ...(policy === undefined ? {} : { policy }),
    methods: [
      {
        resourceId: "r",
        path: "/a",
        httpMethod: "GET",
        authorizationType: "COGNITO_USER_POOLS",
        authorizerId: "c",
        integration: { type: "AWS_PROXY", uri, timeoutMs: 29_000 },
        ...method,
      },
    ],
    authorizers: [
      {
        id: "c",
        type: "COGNITO_USER_POOLS",
        providerArns: [pool],
        identitySource: "method.request.header.Authorization",
        ...authorizer,
      },
    ],
  });
  return `${gateway.url}/${apiId}/Prod/a`;
}

describe("A JWT authorizer", () => {
  test("lets its issuer's tokens through, with and without Bearer, and asks the issuer once", async () => {
    const url = await publishHttp();
    for (const prefix of ["", "Bearer ", "bearer "]) {
      expect((await fetch(url, as(prefix + issuer.sign()))).status).toBe(200);
    }
    expect(issuer.requests).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  test("tells claims as text: lists in brackets, numbers without exponents; scopes are null where none are asked for", async () => {
    const claims = { scope: "a b", groups: ["x", "y"], flag: true, nested: { b: 1, a: ["z"] } };
    await fetch(await publishHttp(), as(issuer.sign(claims)));
    expect(gateway.event()["requestContext"]?.["authorizer"]).toEqual({
      jwt: {
        claims: {
          iss: issuer.url,
          aud: "app",
          sub: "me",
          iat: String(seconds()),
          exp: String(seconds() + 3600),
          scope: "a b",
          groups: "[x y]",
          flag: "true",
          nested: "map[a:[z] b:1]",
        },
        scopes: null,
      },
    });
    await fetch(await publishHttp({}, {}, "1.0"), as(issuer.sign()));
    expect(gateway.event()["requestContext"]?.["authorizer"]).toMatchObject({ claims: { sub: "me" }, scopes: null });
  });

  test("wants one of the route's scopes, of scope or scp: 403 without", async () => {
    const url = await publishHttp({}, { authorizationScopes: ["read", "write"] });
    for (const claims of [{ scope: "read x" }, { scp: ["write"] }, { scp: "a read" }]) {
      expect((await fetch(url, as(issuer.sign(claims)))).status).toBe(200);
    }
    expect(gateway.event()["requestContext"]?.["authorizer"]).toMatchObject({ jwt: { scopes: ["read"] } });
    for (const claims of [{}, { scope: "readwrite" }, { scope: 1 }, { scp: [1] }, { scope: "READ" }]) {
      const response = await fetch(url, as(issuer.sign(claims)));
      expect([response.status, await response.text()]).toEqual([403, '{"message":"Forbidden"}']);
      expect(response.headers.get("www-authenticate")).toContain('scope="read write" error="insufficient_scope"');
    }
  });

  test("without a token answers 401 with a bare challenge", async () => {
    const response = await fetch(await publishHttp());
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    const query = await publishHttp({ identitySource: "$request.querystring.token" });
    expect((await fetch(`${query}?token=`)).status).toBe(401);
    expect((await fetch(`${query}?token=${issuer.sign()}`)).status).toBe(200);
  });

  test("refuses what is not signed by its issuer's key: alg none, HS256 with the public key, foreign keys, altered tokens", async () => {
    const url = await publishHttp();
    const good = issuer.sign();
    const [header = "", body = "", signature = ""] = good.split(".");
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString());
    const unsigned = `${encode({ alg: "none", kid })}.${body}`;
    expect(await refusal(url, `${unsigned}.`)).toEqual(invalid("signing method none is invalid"));
    expect(await refusal(url, `${unsigned}.${signature}`)).toEqual(invalid("signing method none is invalid"));
    const text = `${encode({ alg: "HS256", kid })}.${body}`;
    const mac = createHmac("sha256", issuer.publicKey()).update(text).digest("base64url");
    expect(await refusal(url, `${text}.${mac}`)).toEqual(invalid("signing method HS256 is invalid"));
    expect(await refusal(url, issuer.sign({}, { alg: "ES256" }))).toEqual(invalid("signing method ES256 is invalid"));
    expect(await refusal(url, issuer.sign({}, { alg: 'x"\\' }))).toEqual(
      invalid("signing method unspecified is invalid"),
    );
    const altered = `${header}.${encode({ ...JSON.parse(Buffer.from(body, "base64url").toString()), sub: "root" })}`;
    expect(await refusal(url, `${altered}.${signature}`)).toEqual(invalid("signature is invalid"));
    expect(await refusal(url, issuer.sign({}, { crit: ["x"], x: 1 }))).toEqual(invalid("signature is invalid"));
    const foreign = await startTestIssuer(seconds);
    expect(await refusal(url, foreign.sign({ iss: issuer.url }))).toEqual(invalid("signature is invalid"));
    expect(await refusal(url, foreign.sign())).toEqual(invalid("issuer does not match"));
    await foreign.stop();
    expect(gateway.invocations).toEqual([]);
  });

  test("takes keys from its issuer alone, whatever the header names", async () => {
    const url = await publishHttp();
    const foreign = await startTestIssuer(seconds);
    for (const header of [{ jku: `${foreign.url}/keys` }, { x5u: foreign.url }, { jwk: {} }]) {
      expect(await refusal(url, foreign.sign({ iss: issuer.url }, header))).toEqual(invalid("signature is invalid"));
    }
    for (const kid of [undefined, 1, "", "../../keys", "k1' OR '1'='1", "__proto__", "constructor"]) {
      const [status] = await refusal(url, issuer.sign({}, { kid }));
      expect(status).toBe(401);
    }
    expect(foreign.requests).toEqual([]);
    await foreign.stop();
  });

  test("refuses tokens for others, before and after their time, and those without an end", async () => {
    const url = await publishHttp();
    const now = seconds();
    expect(await refusal(url, issuer.sign({ aud: "stranger" }))).toEqual(
      invalid("the token does not have a valid audience"),
    );
    // AWS: client_id is looked at only without aud.
    expect((await refusal(url, issuer.sign({ aud: "stranger", client_id: "app" })))[0]).toBe(401);
    expect((await refusal(url, issuer.sign({ aud: undefined, client_id: "app" })))[0]).toBe(200);
    expect((await refusal(url, issuer.sign({ aud: ["x", "other"] })))[0]).toBe(200);
    for (const claims of [{ aud: undefined }, { aud: null }, { aud: [] }, { aud: { app: 1 } }]) {
      expect((await refusal(url, issuer.sign(claims)))[0]).toBe(401);
    }
    expect(await refusal(url, issuer.sign({ exp: now - 1 }))).toEqual(invalid("the token has expired"));
    for (const claims of [
      { exp: undefined },
      { exp: "9999999999" },
      { nbf: now + 60 },
      { iat: now + 60 },
      { nbf: "0" },
    ]) {
      expect((await refusal(url, issuer.sign(claims)))[0]).toBe(401);
    }
  });

  test("refuses what is no token at all, and does not read huge ones", async () => {
    const url = await publishHttp();
    for (const value of [
      "a",
      "a.b",
      "a.b.c",
      "..",
      "a.b.c.d.e",
      `${"e".repeat(12_289)}`,
      "e30.e30.e30",
      "W10.W10.W10",
    ]) {
      expect((await refusal(url, value))[0]).toBe(401);
    }
    expect(issuer.requests).toEqual([]);
  });

  test("stops knowing a token when it ends", async () => {
    const url = await publishHttp();
    const token = issuer.sign({ exp: seconds() + 10 });
    expect((await refusal(url, token))[0]).toBe(200);
    clock.advance(9_000);
    expect((await refusal(url, token))[0]).toBe(200);
    clock.advance(1_001);
    expect(await refusal(url, token)).toEqual(invalid("the token has expired"));
  });

  test("takes a key that its issuer has begun to sign with, and drops one that is gone", async () => {
    const url = await publishHttp();
    const old = issuer.sign();
    expect((await refusal(url, old))[0]).toBe(200);
    issuer.rotate(false);
    clock.advance(31_000);
    expect((await refusal(url, issuer.sign()))[0]).toBe(200);
    // Still remembered as verified; minutes later it is looked at again.
    clock.advance(5 * 60_000);
    expect((await refusal(url, old))[0]).toBe(401);
  });

  test("does not ask its issuer for each unknown key", async () => {
    const url = await publishHttp();
    for (let index = 0; index < 20; index++) await refusal(url, issuer.sign({}, { kid: `made-up-${index}` }));
    expect(issuer.requests.length).toBe(2);
    clock.advance(31_000);
    for (let index = 0; index < 20; index++) await refusal(url, issuer.sign({}, { kid: `again-${index}` }));
    expect(issuer.requests.length).toBe(4);
  });

  test("goes on with known keys for two hours while its issuer is out; without keys it says so", async () => {
    const url = await publishHttp();
    expect((await refusal(url, issuer.sign()))[0]).toBe(200);
    issuer.fail(503);
    clock.advance(119 * 60_000);
    expect((await refusal(url, issuer.sign()))[0]).toBe(200);
    clock.advance(2 * 60_000);
    expect(await refusal(url, issuer.sign())).toEqual(invalid("OIDC discovery endpoint communication error"));
    const asked = issuer.requests.length;
    for (let index = 0; index < 5; index++) await refusal(url, issuer.sign({ jti: index }));
    expect(issuer.requests.length).toBe(asked);
    issuer.fail(200);
    clock.advance(2_001);
    expect((await refusal(url, issuer.sign()))[0]).toBe(200);
  });
});

const statement = (Effect: string, ip: string) => ({
  Effect,
  Principal: "*",
  Action: "execute-api:Invoke",
  Resource: "arn:aws:execute-api:us-east-1:000000000000:*",
  Condition: { IpAddress: { "aws:SourceIp": ip } },
});

describe("A user pool authorizer", () => {
  const id = { token_use: "id", "cognito:groups": ["a", "b"] };
  const access = { token_use: "access", aud: undefined, client_id: "app", scope: "x/read openid" };

  test("lets identity tokens through, and tells their claims as text", async () => {
    const url = await publishRest();
    const exp = Date.UTC(2027, 0, 1) / 1000;
    expect((await fetch(url, as(issuer.sign({ ...id, exp })))).status).toBe(200);
    expect(gateway.event()["requestContext"]?.["authorizer"]).toMatchObject({
      claims: { sub: "me", aud: "app", token_use: "id", "cognito:groups": "a,b", exp: "Fri Jan 01 00:00:00 UTC 2027" },
    });
  });

  test("with scopes wants an access token that has one of them, and without scopes an identity token", async () => {
    const open = await publishRest();
    const scoped = await publishRest({ authorizationScopes: ["x/read", "x/write"] });
    expect((await refusal(open, issuer.sign(access)))[0]).toBe(401);
    expect((await refusal(scoped, issuer.sign(access)))[0]).toBe(200);
    expect((await refusal(scoped, issuer.sign({ ...access, scope: "openid" })))[0]).toBe(401);
    expect((await refusal(scoped, issuer.sign({ ...id, scope: "x/read" })))[0]).toBe(401);
    // The same token, known by one method, is looked at by the other.
    const token = issuer.sign(id);
    expect((await refusal(open, token))[0]).toBe(200);
  });

  // Source: "How API Gateway resource policies affect authorization workflow": the pool first, then the policy, which must allow.
  test.each([
    ["passes", "allows", 200],
    ["passes", "neither", 403],
    ["passes", "denies", 403],
    ["fails", "allows", 401],
    ["fails", "neither", 401],
    ["fails", "denies", 401],
  ] as const)("that %s beside a resource policy that %s is %i", async (ofToken, ofPolicy, status) => {
    const statements = {
      allows: statement("Allow", "127.0.0.1/32"),
      neither: statement("Allow", "192.0.2.1/32"),
      denies: statement("Deny", "127.0.0.1/32"),
    };
    const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statements[ofPolicy]] });
    const url = await publishRest({}, {}, policy);
    expect((await refusal(url, ofToken === "passes" ? issuer.sign(id) : "x"))[0]).toBe(status);
    expect(gateway.invocations).toHaveLength(status === 200 ? 1 : 0);
  });

  test("answers 401 for everything else, and says of a token that it has expired", async () => {
    const url = await publishRest();
    expect((await fetch(url)).status).toBe(401);
    const expired = await fetch(url, as(issuer.sign({ ...id, exp: seconds() - 1 })));
    expect([expired.status, await expired.text()]).toEqual([401, '{"message":"The incoming token has expired"}']);
    for (const token of [
      "x",
      issuer.sign({ ...id, iss: "https://elsewhere.example" }),
      issuer.sign(id, { alg: "none" }),
    ]) {
      const response = await fetch(url, as(token));
      expect([response.status, await response.text()]).toEqual([401, '{"message":"Unauthorized"}']);
    }
    const strict = await publishRest({}, { identityValidationExpression: "app-.*" });
    expect((await refusal(strict, issuer.sign(id)))[0]).toBe(401);
    expect((await refusal(strict, issuer.sign({ ...id, aud: "app-1" })))[0]).toBe(200);
    const unknown = await publishRest({}, { providerArns: [`${pool}x`] });
    expect((await refusal(unknown, issuer.sign(id)))[0]).toBe(401);
  });
});
