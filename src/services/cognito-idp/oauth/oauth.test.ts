import { createHash, randomBytes } from "node:crypto";
import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import * as openid from "openid-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createHostedBrowser, type HostedBrowser, type Page } from "../../../testing/hosted-pages.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

const callback = "https://app.example.com/callback";
const password = "Correct-horse-1";

let platform: TestPlatform;
let cognito: sdk.CognitoIdentityProviderClient;
let poolId: string;
let base: string;
/** With a secret, and one without. */
let confidential: { readonly id: string; readonly secret: string };
let open: { readonly id: string };

async function createClient(more: Partial<sdk.CreateUserPoolClientCommandInput>) {
  const { UserPoolClient: made } = await cognito.send(
    new sdk.CreateUserPoolClientCommand({
      UserPoolId: poolId,
      ClientName: "app",
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ["code"],
      AllowedOAuthScopes: ["openid", "email", "profile", "shop/read"],
      CallbackURLs: [callback],
      LogoutURLs: ["https://app.example.com/bye"],
      SupportedIdentityProviders: ["COGNITO"],
      EnableTokenRevocation: true,
      ...more,
    }),
  );
  return { id: made?.ClientId ?? "", secret: made?.ClientSecret ?? "" };
}

async function createUser(Username: string, more: readonly sdk.AttributeType[] = []): Promise<void> {
  const UserAttributes = [
    { Name: "email", Value: `${Username}@example.com` },
    { Name: "email_verified", Value: "true" },
    ...more,
  ];
  const user = { UserPoolId: poolId, Username };
  await cognito.send(new sdk.AdminCreateUserCommand({ ...user, UserAttributes, MessageAction: "SUPPRESS" }));
  await cognito.send(new sdk.AdminSetUserPasswordCommand({ ...user, Password: password, Permanent: true }));
}

beforeAll(async () => {
  platform = await startTestPlatform();
  cognito = new sdk.CognitoIdentityProviderClient(platform.settings);
  const { UserPool } = await cognito.send(new sdk.CreateUserPoolCommand({ PoolName: "p" }));
  poolId = UserPool?.Id ?? "";
  await cognito.send(new sdk.CreateUserPoolDomainCommand({ UserPoolId: poolId, Domain: "shop" }));
  await cognito.send(
    new sdk.CreateResourceServerCommand({
      UserPoolId: poolId,
      Identifier: "shop",
      Name: "shop",
      Scopes: [{ ScopeName: "read", ScopeDescription: "read" }],
    }),
  );
  base = `${platform.endpoint}/_cumulet/auth/shop`;
  confidential = await createClient({ GenerateSecret: true });
  open = await createClient({});
  await createUser("jane");
}, 30_000);
afterAll(() => platform.stop());

const verifier = randomBytes(32).toString("base64url");
const challenge = createHash("sha256").update(verifier).digest("base64url");

function authorizeUrl(clientId: string, more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: "code",
    redirect_uri: callback,
    scope: "openid email",
    state: "st",
    ...more,
  });
  return `${base}/oauth2/authorize?${query}`;
}

const browse = (): HostedBrowser => createHostedBrowser(base);

async function signIn(browser: HostedBrowser, url: string, username = "jane"): Promise<Page> {
  return browser.submit(await browser.open(url), "/login", { username, password });
}

/** A code for the client, as the application gets it. */
async function codeFor(clientId: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const { location = "" } = await signIn(browse(), authorizeUrl(clientId, more));
  const answer = new URL(location);
  expect(`${answer.origin}${answer.pathname}`).toBe(callback);
  return answer.searchParams.get("code") ?? "";
}

async function post(
  path: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
) {
  const answer = await fetch(`${base}${path}`, { method: "POST", body: new URLSearchParams(form), headers });
  const text = await answer.text();
  const body: Record<string, unknown> = text === "" ? {} : JSON.parse(text);
  return { status: answer.status, headers: answer.headers, body };
}

const exchange = (code: string, more: Readonly<Record<string, string>> = {}) =>
  post("/oauth2/token", {
    grant_type: "authorization_code",
    client_id: open.id,
    redirect_uri: callback,
    code,
    code_verifier: verifier,
    ...more,
  });

const withChallenge = { code_challenge: challenge, code_challenge_method: "S256" };
const claimsOf = (token: unknown): Record<string, unknown> =>
  JSON.parse(Buffer.from(String(token).split(".")[1] ?? "", "base64url").toString("utf8"));

const basicOf = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`,
});

const userInfoWith = async (authorization?: string) => {
  const headers = authorization === undefined ? {} : { authorization };
  const answer = await fetch(`${base}/oauth2/userInfo`, { headers });
  return `${answer.status} ${answer.headers.get("www-authenticate") ?? ""}`;
};

const refusalOf = async (username: string) => {
  const browser = browse();
  const page = await browser.open(authorizeUrl(open.id));
  return (await browser.submit(page, "/login", { username, password: "Wrong-password-1" })).error;
};

describe("openid-client", () => {
  test("signs in with code and PKCE, asks for the user, refreshes, revokes and signs out", async () => {
    const config = await openid.discovery(
      new URL(`${platform.endpoint}/${poolId}`),
      confidential.id,
      confidential.secret,
      undefined,
      { execute: [openid.allowInsecureRequests] },
    );
    const nonce = openid.randomNonce();
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: callback,
      scope: "openid email shop/read",
      state: "st",
      nonce,
      ...withChallenge,
    });
    const { location = "" } = await signIn(browse(), url.toString());
    const tokens = await openid.authorizationCodeGrant(config, new URL(location), {
      pkceCodeVerifier: verifier,
      expectedState: "st",
      expectedNonce: nonce,
    });
    const claims = tokens.claims();
    expect(claims).toMatchObject({ email: "jane@example.com", "cognito:username": "jane", token_use: "id" });
    expect(claims?.["at_hash"]).toBeTypeOf("string");
    expect(claimsOf(tokens.access_token)).toMatchObject({ scope: "openid email shop/read", username: "jane" });
    const user = await openid.fetchUserInfo(config, tokens.access_token, claims?.sub ?? "");
    expect(user).toMatchObject({ email: "jane@example.com", email_verified: "true", username: "jane" });
    const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? "");
    expect(claimsOf(refreshed.access_token)["scope"]).toBe("openid email shop/read");
    await openid.tokenRevocation(config, tokens.refresh_token ?? "");
    await expect(openid.refreshTokenGrant(config, tokens.refresh_token ?? "")).rejects.toThrow();
    await expect(openid.fetchUserInfo(config, refreshed.access_token, claims?.sub ?? "")).rejects.toThrow();
    const bye = openid.buildEndSessionUrl(config, { post_logout_redirect_uri: "https://app.example.com/bye" });
    const left = await fetch(bye, { redirect: "manual" });
    expect(left.headers.get("location")).toBe("https://app.example.com/bye");
    expect(left.headers.get("set-cookie")).toContain("Max-Age=0");
  });

  test("gets a token for the client itself", async () => {
    const machine = await createClient({
      GenerateSecret: true,
      AllowedOAuthFlows: ["client_credentials"],
      AllowedOAuthScopes: ["shop/read"],
    });
    const config = await openid.discovery(
      new URL(`${platform.endpoint}/${poolId}`),
      machine.id,
      undefined,
      openid.ClientSecretBasic(machine.secret),
      { execute: [openid.allowInsecureRequests] },
    );
    const tokens = await openid.clientCredentialsGrant(config, { scope: "shop/read" });
    expect(claimsOf(tokens.access_token)).toMatchObject({ sub: machine.id, client_id: machine.id, scope: "shop/read" });
    expect(tokens.id_token).toBeUndefined();
    expect(tokens.refresh_token).toBeUndefined();
    await expect(openid.clientCredentialsGrant(config, { scope: "openid" })).rejects.toThrow();
  });
});

describe("an authorization code", () => {
  test("is exchanged once; who comes with it again ends the sign-in that it was for", async () => {
    const code = await codeFor(open.id, withChallenge);
    const first = await exchange(code);
    expect(first).toMatchObject({ status: 200, body: { token_type: "Bearer", expires_in: 3600 } });
    expect(first.headers.get("access-control-allow-origin")).toBe("*");
    expect(await exchange(code)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    const refreshed = await post("/oauth2/token", {
      grant_type: "refresh_token",
      client_id: open.id,
      refresh_token: String(first.body["refresh_token"]),
    });
    expect(refreshed).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    const info = await fetch(`${base}/oauth2/userInfo`, {
      headers: { authorization: `Bearer ${String(first.body["access_token"])}` },
    });
    expect(info.status).toBe(401);
  });

  test("is good for one of two who come at once", async () => {
    const code = await codeFor(open.id, withChallenge);
    const both = await Promise.all([exchange(code), exchange(code)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 400]);
  });

  test.each([
    ["a wrong verifier", { code_verifier: "x".repeat(43) }],
    ["no verifier", { code_verifier: "" }],
    ["another redirect_uri", { redirect_uri: "https://evil.example.com" }],
    ["no redirect_uri", { redirect_uri: "" }],
  ])("is refused with %s, and good afterwards", async (_what, more) => {
    const code = await codeFor(open.id, withChallenge);
    expect(await exchange(code, more)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect((await exchange(code)).status).toBe(200);
  });

  test("is refused to another client, with another's secret, and when it was made up", async () => {
    const code = await codeFor(confidential.id);
    const form = { grant_type: "authorization_code", redirect_uri: callback, code };
    expect((await post("/oauth2/token", { ...form, client_id: open.id })).body).toEqual({ error: "invalid_grant" });
    for (const secret of ["wrong", `${confidential.secret}x`]) {
      const refused = await post("/oauth2/token", form, basicOf(confidential.id, secret));
      expect(refused).toMatchObject({ status: 400, body: { error: "invalid_client" } });
    }
    expect((await post("/oauth2/token", { ...form, client_id: confidential.id })).body).toEqual({
      error: "invalid_client",
    });
    const other = await createClient({ GenerateSecret: true });
    const swapped = await post("/oauth2/token", form, basicOf(confidential.id, other.secret));
    expect(swapped.body).toEqual({ error: "invalid_client" });
    const shown = await post("/oauth2/token", { ...form, client_id: open.id, client_secret: "any" });
    expect(shown.body).toEqual({ error: "invalid_client" });
    expect((await exchange("made-up")).body).toEqual({ error: "invalid_grant" });
    expect((await post("/oauth2/token", form, basicOf(confidential.id, confidential.secret))).status).toBe(200);
  });
});

describe("the token endpoint", () => {
  test.each([
    [{ grant_type: "password" }, "unsupported_grant_type"],
    [{}, "invalid_request"],
    [{ grant_type: "client_credentials" }, "unauthorized_client"],
    [{ grant_type: "refresh_token" }, "invalid_request"],
    [{ grant_type: "refresh_token", refresh_token: "x" }, "invalid_grant"],
  ])("answers %j with %s", async (form: Record<string, string>, error) => {
    expect(await post("/oauth2/token", { ...form, client_id: open.id })).toMatchObject({
      status: 400,
      body: { error },
    });
  });

  test("takes forms only, and no parameter twice", async () => {
    const json = await fetch(`${base}/oauth2/token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ grant_type: "client_credentials" }),
    });
    expect(await json.json()).toEqual({ error: "invalid_request" });
    const twice = await fetch(`${base}/oauth2/token`, {
      method: "POST",
      body: new URLSearchParams([
        ["client_id", open.id],
        ["client_id", open.id],
        ["grant_type", "refresh_token"],
      ]),
    });
    expect(await twice.json()).toEqual({ error: "invalid_request" });
    expect((await fetch(`${base}/oauth2/token`)).status).toBe(405);
    expect((await fetch(`${base}/oauth2/nothing`)).status).toBe(404);
    expect((await fetch(`${platform.endpoint}/_cumulet/auth/nobody/oauth2/token`, { method: "POST" })).status).toBe(
      404,
    );
  });
});

describe("userInfo", () => {
  test("refuses what is no access token of the pool's", async () => {
    const code = await codeFor(open.id, withChallenge);
    const { body } = await exchange(code);
    expect(await userInfoWith()).toContain('400 Bearer error="invalid_request"');
    expect(await userInfoWith(`Bearer ${String(body["id_token"])}`)).toContain('401 Bearer error="invalid_token"');
    const [, payload = ""] = String(body["access_token"]).split(".");
    const none = Buffer.from(JSON.stringify({ alg: "none", kid: "x" })).toString("base64url");
    expect(await userInfoWith(`Bearer ${none}.${payload}.`)).toMatch(/^40[01]/);
    expect(await userInfoWith(`Bearer ${none}.${payload}.AAAA`)).toContain("401");
    expect(await userInfoWith(`Bearer ${String(body["access_token"])}`)).toMatch(/^200/);
  });
});

describe("a signed-in browser", () => {
  test("is not asked again, unless the application wants that", async () => {
    const browser = browse();
    await signIn(browser, authorizeUrl(open.id));
    const again = await browser.open(authorizeUrl(confidential.id));
    expect(again.location).toMatch(/^https:\/\/app\.example\.com\/callback\?code=[^&]+&state=st$/);
    expect((await browser.open(authorizeUrl(open.id, { prompt: "login" }))).status).toBe(200);
    expect((await browser.open(authorizeUrl(open.id, { prompt: "select_account" }))).text).toContain("Continue as");
  });

  test("is signed out by logout, and by a sign-out everywhere", async () => {
    await createUser("leaver");
    const browser = browse();
    const none = authorizeUrl(open.id, { prompt: "none" });
    await signIn(browser, authorizeUrl(open.id), "leaver");
    expect((await browser.open(none)).location).toContain("code=");
    await cognito.send(new sdk.AdminUserGlobalSignOutCommand({ UserPoolId: poolId, Username: "leaver" }));
    expect((await browser.open(none)).location).toBe(`${callback}?error=login_required&state=st`);
    await signIn(browser, authorizeUrl(open.id), "leaver");
    await browser.open(
      `${base}/logout?${new URLSearchParams({ client_id: open.id, logout_uri: "https://app.example.com/bye" })}`,
    );
    expect((await browser.open(none)).location).toContain("error=login_required");
    const foreign = new URLSearchParams({ client_id: open.id, logout_uri: "https://evil.example.com" });
    expect((await browser.open(`${base}/logout?${foreign}`)).status).toBe(400);
  });

  test("does not show another pool's domain its session", async () => {
    const browser = browse();
    await signIn(browser, authorizeUrl(open.id));
    const { UserPool } = await cognito.send(new sdk.CreateUserPoolCommand({ PoolName: "other" }));
    await cognito.send(new sdk.CreateUserPoolDomainCommand({ UserPoolId: UserPool?.Id, Domain: "elsewhere" }));
    const url = authorizeUrl(open.id, { prompt: "none" }).replace("/auth/shop/", "/auth/elsewhere/");
    const there = await browser.open(url);
    expect(there.location ?? "").not.toContain("code=");
  });
});

describe("the authorization endpoint", () => {
  test("shows an error of its own for whom nobody may be sent to", async () => {
    const foreign = await browse().open(authorizeUrl(open.id, { redirect_uri: "https://evil.example.com/" }));
    expect(foreign).toMatchObject({ status: 400, location: undefined });
    expect(foreign.error).toContain("has not registered");
    const unknown = await browse().open(authorizeUrl("nobody"));
    expect(unknown).toMatchObject({ status: 400, location: undefined });
  });

  test("answers the implicit grant in the fragment, without a refresh token", async () => {
    const implicit = await createClient({ AllowedOAuthFlows: ["implicit"] });
    const { location = "" } = await signIn(
      browse(),
      authorizeUrl(implicit.id, { response_type: "token", nonce: "n1" }),
    );
    const fragment = new URLSearchParams(new URL(location).hash.slice(1));
    expect(claimsOf(fragment.get("id_token"))).toMatchObject({ nonce: "n1" });
    expect(fragment.get("token_type")).toBe("Bearer");
    expect(fragment.has("refresh_token")).toBe(false);
  });
});

describe("a hosted page", () => {
  test("is framed by nobody, loads nothing from elsewhere, and is kept nowhere", async () => {
    const page = await browse().open(authorizeUrl(open.id));
    expect(page.headers.get("x-frame-options")).toBe("DENY");
    const policy = page.headers.get("content-security-policy") ?? "";
    for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "script-src 'self'"]) {
      expect(policy).toContain(rule);
    }
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.text).not.toMatch(/<script(?! src)/);
    const cookie = page.headers.getSetCookie().join();
    expect(cookie).toContain("HttpOnly; SameSite=Lax");
  });

  test("takes no form that another site has made the browser send", async () => {
    const browser = browse();
    const page = await browser.open(authorizeUrl(open.id));
    const action = new URL(page.forms[0]?.action ?? "", page.url).toString();
    const fields = { ...page.forms[0]?.fields, username: "jane", password };
    const send = (headers: Record<string, string>, form: Record<string, string>) =>
      browser.open(action, { method: "POST", headers, body: new URLSearchParams(form) });
    const own = new URL(base).origin;
    expect((await send({ origin: "https://evil.example.com" }, fields)).status).toBe(403);
    expect((await send({ origin: own, "sec-fetch-site": "cross-site" }, fields)).status).toBe(403);
    expect((await send({ origin: own }, { ...fields, _csrf: "x".repeat(43) })).status).toBe(403);
    expect((await send({}, { username: "jane", password })).status).toBe(403);
    expect((await send({ origin: own }, fields)).location).toContain("code=");
  });

  test("says the same of a wrong password as of nobody", async () => {
    expect(await refusalOf("jane")).toBe("Incorrect username or password.");
    expect(await refusalOf("nobody")).toBe("Incorrect username or password.");
  });

  test("repeats nothing of an address as markup", async () => {
    const attack = `"><img src=x onerror=alert(1)>`;
    const page = await browse().open(authorizeUrl(open.id, { state: attack, login_hint: attack, lang: attack }));
    expect(page.text).not.toContain("<img src=x");
    const error = await browse().open(`${base}/error?error=${encodeURIComponent(attack)}&client_id=${open.id}`);
    expect(error.text).not.toContain("<img src=x");
  });
});
