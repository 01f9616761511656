import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { generate } from "otplib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account } from "../../../testing/access.ts";
import { createHostedBrowser, type HostedBrowser, type Page } from "../../../testing/hosted-pages.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { readMessages } from "../outbox/outbox.ts";

const callback = "https://app.example.com/callback";
const password = "Correct-horse-1";

let platform: TestPlatform;
let cognito: sdk.CognitoIdentityProviderClient;
beforeAll(async () => {
  platform = await startTestPlatform();
  cognito = new sdk.CognitoIdentityProviderClient(platform.settings);
}, 30_000);
afterAll(() => platform.stop());

/** A pool with a domain and a client. */
async function createPool(
  domain: string,
  settings: Partial<sdk.CreateUserPoolCommandInput> = {},
  ofClient: Partial<sdk.CreateUserPoolClientCommandInput> = {},
) {
  const { UserPool } = await cognito.send(new sdk.CreateUserPoolCommand({ PoolName: domain, ...settings }));
  const UserPoolId = UserPool?.Id ?? "";
  await cognito.send(new sdk.CreateUserPoolDomainCommand({ UserPoolId, Domain: domain }));
  const { UserPoolClient } = await cognito.send(
    new sdk.CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: "app",
      GenerateSecret: true,
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ["code"],
      AllowedOAuthScopes: ["openid", "profile"],
      CallbackURLs: [callback],
      SupportedIdentityProviders: ["COGNITO"],
      PreventUserExistenceErrors: "ENABLED",
      ...ofClient,
    }),
  );
  const clientId = UserPoolClient?.ClientId ?? "";
  const base = `${platform.endpoint}/_cumulet/auth/${domain}`;
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: "code",
    redirect_uri: callback,
    scope: "openid profile",
    state: "st",
  });
  const tokens = async ({ location = "" }: Page): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${base}/oauth2/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        code: new URL(location).searchParams.get("code") ?? "",
        redirect_uri: callback,
        client_id: clientId,
        ...(UserPoolClient?.ClientSecret && { client_secret: UserPoolClient.ClientSecret }),
      }),
    });
    const { id_token: token } = await answer.json();
    return JSON.parse(Buffer.from(String(token).split(".")[1] ?? "", "base64url").toString("utf8"));
  };
  return {
    UserPoolId,
    clientId,
    secret: UserPoolClient?.ClientSecret ?? "",
    base,
    url: (path: string) => `${base}${path}?${query}`,
    browse: (): HostedBrowser => createHostedBrowser(base),
    tokens,
  };
}

/** The latest code that was sent to somebody. */
async function codeSentTo(destination: string): Promise<string> {
  const messages = await platform.platform.store.read((reader) => readMessages(reader, account, 100));
  const message = messages.find((each) => each.destination === destination);
  return /\b\d{6,8}\b/.exec(message?.body ?? "")?.[0] ?? "";
}

describe("somebody new", () => {
  test("signs up, confirms with the code that was sent, signs in, and sets a forgotten password anew", async () => {
    const pool = await createPool("newcomers", { AutoVerifiedAttributes: ["email"] });
    const browser = pool.browse();
    const form = await browser.open(pool.url("/signup"));
    const weak = await browser.submit(form, "/signup", { username: "new", email: "new@example.com", password: "weak" });
    expect(weak.error).toContain("Password did not conform with policy");
    const asked = await browser.submit(weak, "/signup", { username: "new", email: "new@example.com", password });
    expect(asked.text).toContain("Confirm your account");
    const wrong = await browser.submit(asked, "/confirmUser", { code: "000000" });
    expect(wrong.error).toContain("Invalid verification code");
    const again = await browser.submit(wrong, "/resendcode", {});
    expect(again.text).toContain("A new code was sent.");
    const confirmed = await browser.submit(again, "/confirmUser", { code: await codeSentTo("new@example.com") });
    expect(confirmed.text).toContain("You can sign in now.");
    const done = await browser.submit(confirmed, "/login", { username: "new", password });
    expect(await pool.tokens(done)).toMatchObject({ email: "new@example.com", email_verified: true });

    const forgot = await pool.browse().open(pool.url("/forgotPassword"));
    const other = pool.browse();
    const reset = await other.submit(await other.open(forgot.url), "/forgotPassword", { username: "new" });
    const entered = { password: "Another-horse-2", confirm_password: "Another-horse-2" };
    const mismatch = await other.submit(reset, "/confirmForgotPassword", {
      ...entered,
      code: "1",
      confirm_password: "x",
    });
    expect(mismatch.error).toBe("The passwords are not the same.");
    const code = await codeSentTo("new@example.com");
    const signedIn = await other.submit(mismatch, "/confirmForgotPassword", { ...entered, code });
    expect(signedIn.location).toContain("code=");
    const replayed = await other.submit(mismatch, "/confirmForgotPassword", { ...entered, code });
    expect(replayed.location).toBeUndefined();
    expect(replayed.error).toBeDefined();
  });

  test("does not learn by a forgotten password who is a user", async () => {
    const pool = await createPool("silent");
    const browser = pool.browse();
    const page = await browser.submit(await browser.open(pool.url("/forgotPassword")), "/forgotPassword", {
      username: "nobody",
    });
    expect(page.text).toContain("Set a new password");
    const page2 = await browser.submit(page, "/confirmForgotPassword", {
      code: "123456",
      password,
      confirm_password: password,
    });
    expect(page2.error).toMatch(/^Invalid verification code|^Invalid code/);
  });

  test("cannot sign up where only administrators create users", async () => {
    const pool = await createPool("closed", { AdminCreateUserConfig: { AllowAdminCreateUserOnly: true } });
    const browser = pool.browse();
    expect((await browser.open(pool.url("/signup"))).status).toBe(403);
    const page = await browser.open(pool.url("/login"));
    expect(page.text).not.toContain("/signup");
  });
});

describe("a user whom an administrator has created", () => {
  test("chooses a password, sets up an authenticator app, and then signs in with its codes", async () => {
    const pool = await createPool("strict");
    await cognito.send(
      new sdk.SetUserPoolMfaConfigCommand({
        UserPoolId: pool.UserPoolId,
        MfaConfiguration: "ON",
        SoftwareTokenMfaConfiguration: { Enabled: true },
      }),
    );
    await cognito.send(
      new sdk.AdminCreateUserCommand({
        UserPoolId: pool.UserPoolId,
        Username: "joe",
        TemporaryPassword: "Temporary-1",
        MessageAction: "SUPPRESS",
      }),
    );
    const browser = pool.browse();
    const page = await browser.open(pool.url("/login"));
    const choose = await browser.submit(page, "/login", { username: "joe", password: "Temporary-1" });
    expect(choose.text).toContain("Choose a new password");
    const setUp = await browser.submit(choose, "/challenge", { password, confirm_password: password });
    const secret = /<code id="totp-secret">([A-Z2-7]+)<\/code>/.exec(setUp.text)?.[1] ?? "";
    expect(setUp.text).toContain("data:image/svg+xml;base64,");
    const wrong = await browser.submit(setUp, "/challenge", { code: "000000" });
    expect(wrong.error).toBeDefined();
    const retry = wrong.forms.some(({ action }) => action.includes("/challenge")) ? wrong : setUp;
    const done = await browser.submit(retry, "/challenge", { code: await generate({ secret }) });
    expect(done.location).toContain("code=");

    const second = pool.browse();
    const asked = await second.submit(await second.open(pool.url("/login")), "/login", { username: "joe", password });
    expect(asked.text).toContain("authenticator app");
    const refused = await second.submit(asked, "/challenge", { code: "000000" });
    expect(refused.location).toBeUndefined();
    // The code of the set-up was used: it counts no more.
    const replayed = await second.submit(refused, "/challenge", { code: await generate({ secret }) });
    expect(replayed.location).toBeUndefined();
  });

  test("gets nowhere with a step that was changed, of another client, or without one", async () => {
    const pool = await createPool("steps");
    const { UserPoolId } = pool;
    const user = { UserPoolId, Username: "joe" };
    await cognito.send(
      new sdk.AdminCreateUserCommand({ ...user, TemporaryPassword: "Temporary-1", MessageAction: "SUPPRESS" }),
    );
    const browser = pool.browse();
    const choose = await browser.submit(await browser.open(pool.url("/login")), "/login", {
      username: "joe",
      password: "Temporary-1",
    });
    const chosen = { password, confirm_password: password };
    for (const step of ["", "AAAA", `${choose.forms[0]?.fields["step"] ?? ""}A`]) {
      const page = await browser.submit(choose, "/challenge", { ...chosen, step });
      expect(page.location).toBeUndefined();
      expect(page.error).toContain("open for too long");
    }
  });
});

describe("a user of another OpenID Connect provider", () => {
  test("signs in here, is created once, and is told by the identities attribute", async () => {
    const outside = await createPool(
      "outside",
      {},
      {
        CallbackURLs: [`${platform.endpoint}/_cumulet/auth/inside/oauth2/idpresponse`],
        AllowedOAuthScopes: ["openid", "profile"],
      },
    );
    const user = { UserPoolId: outside.UserPoolId, Username: "ann" };
    const UserAttributes = [{ Name: "email", Value: "ann@example.com" }];
    await cognito.send(new sdk.AdminCreateUserCommand({ ...user, UserAttributes, MessageAction: "SUPPRESS" }));
    await cognito.send(new sdk.AdminSetUserPasswordCommand({ ...user, Password: password, Permanent: true }));
    const inside = await createPool("inside");
    await cognito.send(
      new sdk.CreateIdentityProviderCommand({
        UserPoolId: inside.UserPoolId,
        ProviderName: "Partner",
        ProviderType: "OIDC",
        ProviderDetails: {
          client_id: outside.clientId,
          client_secret: outside.secret,
          attributes_request_method: "GET",
          oidc_issuer: `${platform.endpoint}/${outside.UserPoolId}`,
          authorize_scopes: "openid profile",
        },
        AttributeMapping: { email: "email", username: "sub" },
      }),
    );
    await cognito.send(
      new sdk.UpdateUserPoolClientCommand({
        UserPoolId: inside.UserPoolId,
        ClientId: inside.clientId,
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ["code"],
        AllowedOAuthScopes: ["openid", "profile"],
        CallbackURLs: [callback],
        SupportedIdentityProviders: ["COGNITO", "Partner"],
      }),
    );
    const page = await inside.browse().open(inside.url("/login"));
    expect(page.text).toContain("Continue with Partner");

    const go = `${inside.url("/oauth2/authorize")}&identity_provider=Partner`;
    /** A browser that goes to both domains, as far as the code of the partner. */
    const arrive = async (browser: HostedBrowser) => {
      const sent = await browser.open(go);
      expect(sent.location).toContain("/auth/outside/oauth2/authorize");
      const partner = outside.browse();
      const login = await partner.open(sent.location ?? "");
      return (await partner.submit(login, "/login", { username: "ann", password })).location ?? "";
    };
    const browser = inside.browse();
    const back = await arrive(browser);
    // Another browser cannot go on with it, and nobody can twice.
    expect((await inside.browse().open(back)).location).toBeUndefined();
    expect((await browser.open(back)).location).toBeUndefined();
    const second = inside.browse();
    const done = await second.open(await arrive(second));
    const claims = await inside.tokens(done);
    expect(claims).toMatchObject({
      email: "ann@example.com",
      identities: [expect.objectContaining({ providerName: "Partner", providerType: "OIDC", primary: "true" })],
    });
    expect(String(claims["cognito:username"])).toMatch(/^Partner_/);
    const third = inside.browse();
    expect((await inside.tokens(await third.open(await arrive(third))))["sub"]).toBe(claims["sub"]);
    const { Users } = await cognito.send(new sdk.ListUsersCommand({ UserPoolId: inside.UserPoolId }));
    expect(Users?.map(({ UserStatus }) => UserStatus)).toEqual(["EXTERNAL_PROVIDER"]);
    const forged = await second.open(`${inside.base}/oauth2/idpresponse?code=x&state=made-up`);
    expect(forged).toMatchObject({ status: 400, location: undefined });
  });
});

describe("the look of the pages", () => {
  test("is the client's own, with a style sheet and a logo that were checked", async () => {
    const pool = await createPool("styled");
    const CSS = ".banner-customizable { background: #123456; }";
    const png = Buffer.from("89504e470d0a1a0a0000", "hex");
    const look = { UserPoolId: pool.UserPoolId, ClientId: pool.clientId };
    const { UICustomization } = await cognito.send(new sdk.SetUICustomizationCommand({ ...look, CSS, ImageFile: png }));
    expect(UICustomization?.ImageUrl).toContain("/logo?client_id=");
    const page = await pool.browse().open(pool.url("/login"));
    expect(page.text).toContain(`/custom.css?client_id=${pool.clientId}`);
    const css = await fetch(`${pool.base}/custom.css?client_id=${pool.clientId}`);
    expect(await css.text()).toContain("background: #123456");
    const logo = await fetch(UICustomization?.ImageUrl ?? "");
    expect(logo.headers.get("content-type")).toBe("image/png");
    expect(Buffer.from(await logo.arrayBuffer()).equals(png)).toBe(true);
    const evil = cognito.send(new sdk.SetUICustomizationCommand({ ...look, CSS: "body { display: none }" }));
    await expect(evil).rejects.toThrow("Invalid class name");
    const svg = cognito.send(new sdk.SetUICustomizationCommand({ ...look, ImageFile: Buffer.from("<svg></svg>") }));
    await expect(svg).rejects.toThrow("PNG or JPEG");
  });
});
