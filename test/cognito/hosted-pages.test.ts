import { createHash, randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateAuthorizerCommand,
  CreateIntegrationCommand,
  CreateRouteCommand,
  CreateStageCommand,
} from "@aws-sdk/client-apigatewayv2";
import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { tools } from "../../src/testing/tools.ts";

const skipped = tools.chromium === undefined;
if (skipped) {
  process.stderr.write(
    "Chromium is missing (apt-get install chromium-headless-shell): hosted pages are not tried in it\n",
  );
}

const password = "Correct-horse-1";

describe.skipIf(skipped)("a single-page application, in Chromium,", () => {
  let platform: TestPlatform;
  let cognito: sdk.CognitoIdentityProviderClient;
  let application: Server;
  let browser: Browser;
  let origin: string;
  let endpoint: string;
  let api: string;
  let poolId: string;
  let clientId: string;

  beforeAll(async () => {
    platform = await startTestPlatform({ sandbox: "process" });
    // Passkeys are for names, not for addresses.
    endpoint = `http://localhost:${platform.port}`;
    cognito = new sdk.CognitoIdentityProviderClient({ ...platform.settings, endpoint });
    application = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>app</title>");
    });
    await new Promise<void>((resolve) => application.listen(0, "127.0.0.1", resolve));
    origin = `http://localhost:${(application.address() as AddressInfo).port}`;

    const { UserPool } = await cognito.send(
      new sdk.CreateUserPoolCommand({
        PoolName: "p",
        Policies: { SignInPolicy: { AllowedFirstAuthFactors: ["PASSWORD", "WEB_AUTHN"] } },
      }),
    );
    poolId = UserPool?.Id ?? "";
    await cognito.send(
      new sdk.SetUserPoolMfaConfigCommand({
        UserPoolId: poolId,
        MfaConfiguration: "OFF",
        WebAuthnConfiguration: { RelyingPartyId: "localhost", UserVerification: "preferred" },
      }),
    );
    await cognito.send(new sdk.CreateUserPoolDomainCommand({ UserPoolId: poolId, Domain: "spa" }));
    const { UserPoolClient } = await cognito.send(
      new sdk.CreateUserPoolClientCommand({
        UserPoolId: poolId,
        ClientName: "spa",
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ["code"],
        AllowedOAuthScopes: ["openid", "email"],
        CallbackURLs: [`${origin}/callback`],
        SupportedIdentityProviders: ["COGNITO"],
        ExplicitAuthFlows: ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
      }),
    );
    clientId = UserPoolClient?.ClientId ?? "";
    const user = { UserPoolId: poolId, Username: "jane" };
    const UserAttributes = [{ Name: "email", Value: "jane@example.com" }];
    await cognito.send(new sdk.AdminCreateUserCommand({ ...user, UserAttributes, MessageAction: "SUPPRESS" }));
    await cognito.send(new sdk.AdminSetUserPasswordCommand({ ...user, Password: password, Permanent: true }));
    api = await createApi();
    browser = await chromium.launch({
      executablePath: tools.chromium ?? "",
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    });
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    application.closeAllConnections();
    application.close();
    await platform.stop();
  });

  /** An HTTP API that lets users of the pool in, and other origins' pages. */
  async function createApi(): Promise<string> {
    const gateway = new ApiGatewayV2Client(platform.settings);
    const Role = await createFunctionRole(platform.settings, "hello");
    const source =
      "export const handler = async (event) => ({ statusCode: 200, body: event.requestContext.authorizer.jwt.claims.username });";
    await createNodeFunction(platform.settings, { FunctionName: "hello", Role, source });
    const permission = { StatementId: "g", Action: "lambda:InvokeFunction", Principal: "apigateway.amazonaws.com" };
    await new LambdaClient(platform.settings).send(new AddPermissionCommand({ FunctionName: "hello", ...permission }));
    const { ApiId } = await gateway.send(
      new CreateApiCommand({
        Name: "api",
        ProtocolType: "HTTP",
        CorsConfiguration: { AllowOrigins: [origin], AllowHeaders: ["authorization"], AllowMethods: ["GET"] },
      }),
    );
    const { IntegrationId } = await gateway.send(
      new CreateIntegrationCommand({
        ApiId,
        IntegrationType: "AWS_PROXY",
        PayloadFormatVersion: "2.0",
        IntegrationUri: "arn:aws:lambda:us-east-1:000000000000:function:hello",
      }),
    );
    const { AuthorizerId } = await gateway.send(
      new CreateAuthorizerCommand({
        ApiId,
        Name: "jwt",
        AuthorizerType: "JWT",
        IdentitySource: ["$request.header.Authorization"],
        JwtConfiguration: { Issuer: `https://cognito-idp.us-east-1.amazonaws.com/${poolId}`, Audience: [clientId] },
      }),
    );
    const Target = `integrations/${IntegrationId}`;
    const route = { ApiId, RouteKey: "GET /hello", Target, AuthorizationType: "JWT" as const, AuthorizerId };
    await gateway.send(new CreateRouteCommand(route));
    await gateway.send(new CreateStageCommand({ ApiId, StageName: "$default", AutoDeploy: true }));
    return `${platform.endpoint}/_cumulet/api/${ApiId}/hello`;
  }

  const verifier = randomBytes(32).toString("base64url");

  function pageUrl(path: string): string {
    const query = new URLSearchParams({
      client_id: clientId,
      response_type: "code",
      redirect_uri: `${origin}/callback`,
      scope: "openid email",
      state: "st",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    });
    return `${endpoint}/_cumulet/auth/spa${path}?${query}`;
  }

  /** What the application's script does once it is called back: it trades the code for tokens, and calls the API. */
  async function callApi(page: Page): Promise<string> {
    await page.waitForURL(`${origin}/callback?*`);
    return page.evaluate(
      async ({ tokenUrl, apiUrl, client_id, code_verifier, redirect_uri }) => {
        const query = new URLSearchParams(location.search);
        if (query.get("state") !== "st") return "another state";
        const body = new URLSearchParams({
          grant_type: "authorization_code",
          client_id,
          code_verifier,
          redirect_uri,
          code: query.get("code") ?? "",
        });
        const tokens = await (await fetch(tokenUrl, { method: "POST", body })).json();
        const denied = await fetch(apiUrl);
        const answer = await fetch(apiUrl, { headers: { authorization: `Bearer ${tokens.access_token}` } });
        return `${denied.status} ${answer.status} ${await answer.text()}`;
      },
      {
        tokenUrl: `${endpoint}/_cumulet/auth/spa/oauth2/token`,
        apiUrl: api,
        client_id: clientId,
        code_verifier: verifier,
        redirect_uri: `${origin}/callback`,
      },
    );
  }

  test("signs in through the hosted pages with code and PKCE, and calls a protected API", async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(pageUrl("/oauth2/authorize"));
    await page.getByLabel("Username").fill("jane");
    await page.getByLabel("Password").fill("Wrong-password-1");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    const alert = page.getByRole("alert");
    expect(await alert.textContent()).toBe("Incorrect username or password.");
    expect(await page.getByLabel("Password").getAttribute("aria-describedby")).toBe("error");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    expect(await callApi(page)).toBe("401 200 jane");
  }, 60_000);

  test("signs in with a passkey that was added on the hosted pages", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    await page.goto(pageUrl("/oauth2/authorize"));
    await page.getByLabel("Username").fill("jane");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.waitForURL(`${origin}/callback?*`);
    await page.goto(pageUrl("/passkeys/add"));
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.waitForURL(`${origin}/callback?*`);

    await context.clearCookies();
    await page.goto(pageUrl("/oauth2/authorize"));
    await page.getByLabel("Username").fill("jane");
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    expect(await callApi(page)).toBe("401 200 jane");
  }, 60_000);
});
