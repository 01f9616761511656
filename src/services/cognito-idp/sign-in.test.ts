import {
  AdminCreateUserCommand,
  AdminGetUserCommand,
  AdminInitiateAuthCommand,
  AdminSetUserPasswordCommand,
  AdminUpdateUserAttributesCommand,
  AssociateSoftwareTokenCommand,
  ChangePasswordCommand,
  ConfirmForgotPasswordCommand,
  ConfirmSignUpCommand,
  DeleteUserCommand,
  ForgotPasswordCommand,
  GetTokensFromRefreshTokenCommand,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
  RevokeTokenCommand,
  SetUserMFAPreferenceCommand,
  SetUserPoolMfaConfigCommand,
  SignUpCommand,
  VerifySoftwareTokenCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import { JwtVerifier } from "aws-jwt-verify";
import { createHmac } from "node:crypto";
import { generate } from "otplib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFakeClock, startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { poolsOf } from "../../testing/user-pools.ts";

const password = "Correct-Horse-1";
const clock = createFakeClock(Date.now());
let platform: TestPlatform;
let pools: ReturnType<typeof poolsOf>;
let poolId: string;
let clientId: string;
beforeAll(async () => {
  platform = await startTestPlatform({ clock });
  pools = poolsOf(platform);
  poolId = await pools.createPool({ AutoVerifiedAttributes: ["email"] });
  clientId = (
    await pools.createClient(poolId, {
      ExplicitAuthFlows: [
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
      ],
      PreventUserExistenceErrors: "ENABLED",
    })
  ).id;
});
afterAll(() => platform.stop());

/** In all by less than five minutes before the last test: the client signs with the real time. */
const advance = clock.advance;

let made = 0;
/** A confirmed user with an email address. */
async function newUser(pool = poolId): Promise<string> {
  const Username = `user${++made}`;
  const email = `${Username}@example.com`;
  const UserAttributes = [
    { Name: "email", Value: email },
    { Name: "email_verified", Value: "true" },
  ];
  await pools.cognito.send(
    new AdminCreateUserCommand({ UserPoolId: pool, Username, UserAttributes, MessageAction: "SUPPRESS" }),
  );
  await pools.cognito.send(
    new AdminSetUserPasswordCommand({ UserPoolId: pool, Username, Password: password, Permanent: true }),
  );
  return Username;
}

function byPassword(USERNAME: string, PASSWORD = password, ClientId = clientId) {
  const AuthParameters = { USERNAME, PASSWORD };
  return pools.cognito.send(new InitiateAuthCommand({ ClientId, AuthFlow: "USER_PASSWORD_AUTH", AuthParameters }));
}

async function tokensOf(username: string) {
  const { AuthenticationResult } = await byPassword(username);
  return {
    AccessToken: AuthenticationResult?.AccessToken ?? "",
    IdToken: AuthenticationResult?.IdToken ?? "",
    RefreshToken: AuthenticationResult?.RefreshToken ?? "",
  };
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

describe("From signing up to signing out", () => {
  test("a user signs up, confirms the code that was sent, signs in and is gone after DeleteUser", async () => {
    const Username = "Alice";
    const email = "alice@example.com";
    const signedUp = await pools.cognito.send(
      new SignUpCommand({
        ClientId: clientId,
        Username,
        Password: password,
        UserAttributes: [{ Name: "email", Value: email }],
      }),
    );
    expect(signedUp).toMatchObject({
      UserConfirmed: false,
      CodeDeliveryDetails: { Destination: "a***@e***", DeliveryMedium: "EMAIL", AttributeName: "email" },
    });
    await expect(byPassword("alice")).rejects.toMatchObject({ name: "UserNotConfirmedException" });
    const wrong = { ClientId: clientId, Username, ConfirmationCode: "000000" };
    const code = await pools.lastCode(email);
    if (code !== "000000") {
      await expect(pools.cognito.send(new ConfirmSignUpCommand(wrong))).rejects.toMatchObject({
        name: "CodeMismatchException",
      });
    }
    await pools.cognito.send(new ConfirmSignUpCommand({ ...wrong, ConfirmationCode: code }));
    await expect(
      pools.cognito.send(new ConfirmSignUpCommand({ ...wrong, ConfirmationCode: code })),
    ).rejects.toMatchObject({ name: "NotAuthorizedException" });
    // Names do not differ by case.
    const { AccessToken } = await tokensOf("ALICE");
    const user = await pools.cognito.send(new GetUserCommand({ AccessToken }));
    expect(user.Username).toBe("Alice");
    expect(user.UserAttributes).toContainEqual({ Name: "email_verified", Value: "true" });
    await pools.cognito.send(new DeleteUserCommand({ AccessToken }));
    await expect(pools.cognito.send(new GetUserCommand({ AccessToken }))).rejects.toMatchObject({
      name: "NotAuthorizedException",
    });
  });

  test("tokens have the documented claims and are verified by aws-jwt-verify with the pool's own issuer", async () => {
    const name = await newUser();
    const { AccessToken, IdToken } = await tokensOf(name);
    const access = claimsOf(AccessToken);
    const id = claimsOf(IdToken);
    const issuer = `${platform.endpoint}/${poolId}`;
    expect(access).toMatchObject({
      iss: issuer,
      client_id: clientId,
      token_use: "access",
      scope: "aws.cognito.signin.user.admin",
      username: name,
    });
    expect(id).toMatchObject({
      iss: issuer,
      aud: clientId,
      token_use: "id",
      "cognito:username": name,
      email: `${name}@example.com`,
      email_verified: true,
    });
    expect(id.sub).toBe(access.sub);
    expect(id.origin_jti).toBe(access.origin_jti);
    const discovered = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    expect(discovered).toMatchObject({ issuer, jwks_uri: `${issuer}/.well-known/jwks.json` });
    const jwks = await (await fetch(discovered.jwks_uri)).json();
    const verifier = JwtVerifier.create({ issuer, audience: clientId, jwksUri: discovered.jwks_uri });
    verifier.cacheJwks(jwks);
    await expect(verifier.verify(IdToken)).resolves.toMatchObject({ sub: id.sub });
  });

  test("refresh, revoke and global sign-out: what was ended is refused", async () => {
    const name = await newUser();
    const first = await tokensOf(name);
    const refresh = (REFRESH_TOKEN: string) =>
      pools.cognito.send(
        new InitiateAuthCommand({
          ClientId: clientId,
          AuthFlow: "REFRESH_TOKEN_AUTH",
          AuthParameters: { REFRESH_TOKEN },
        }),
      );
    const refreshed = await refresh(first.RefreshToken);
    expect(refreshed.AuthenticationResult?.RefreshToken).toBeUndefined();
    const again = refreshed.AuthenticationResult?.AccessToken ?? "";
    expect(claimsOf(again).auth_time).toBe(claimsOf(first.AccessToken).auth_time);
    await pools.cognito.send(new RevokeTokenCommand({ ClientId: clientId, Token: first.RefreshToken }));
    await expect(refresh(first.RefreshToken)).rejects.toThrow("Refresh Token has been revoked");
    for (const AccessToken of [first.AccessToken, again]) {
      await expect(pools.cognito.send(new GetUserCommand({ AccessToken }))).rejects.toThrow("has been revoked");
    }
    await expect(
      pools.cognito.send(new RevokeTokenCommand({ ClientId: clientId, Token: first.AccessToken })),
    ).rejects.toMatchObject({ name: "UnsupportedTokenTypeException" });

    const second = await tokensOf(name);
    await pools.cognito.send(new GlobalSignOutCommand({ AccessToken: second.AccessToken }));
    await expect(refresh(second.RefreshToken)).rejects.toThrow("Refresh Token has been revoked");
    await expect(pools.cognito.send(new GetUserCommand({ AccessToken: second.AccessToken }))).rejects.toThrow(
      "revoked",
    );
  });

  test("a password is reset with the code that was sent, once", async () => {
    const name = await newUser();
    await pools.cognito.send(new ForgotPasswordCommand({ ClientId: clientId, Username: name }));
    const ConfirmationCode = await pools.lastCode(`${name}@example.com`);
    const reset = { ClientId: clientId, Username: name, ConfirmationCode, Password: "Another-Horse-2" };
    await expect(
      pools.cognito.send(new ConfirmForgotPasswordCommand({ ...reset, Password: "short" })),
    ).rejects.toMatchObject({ name: "InvalidPasswordException" });
    await pools.cognito.send(new ConfirmForgotPasswordCommand(reset));
    await expect(pools.cognito.send(new ConfirmForgotPasswordCommand(reset))).rejects.toMatchObject({
      name: "ExpiredCodeException",
    });
    await expect(byPassword(name)).rejects.toThrow("Incorrect username or password.");
    await expect(byPassword(name, "Another-Horse-2")).resolves.toMatchObject({ AuthenticationResult: {} });
  });
});

const srp = (Username: string, Password: string) =>
  new Promise<string>((resolve, reject) => {
    const Pool = new CognitoUserPool({ UserPoolId: poolId, ClientId: clientId, endpoint: platform.endpoint });
    const user = new CognitoUser({ Username, Pool });
    user.authenticateUser(new AuthenticationDetails({ Username, Password }), {
      onSuccess: (session) => resolve(session.getIdToken().getJwtToken()),
      onFailure: reject,
      newPasswordRequired: () => reject(new Error("NEW_PASSWORD_REQUIRED")),
    });
  });

describe("Signing in with SRP", () => {
  test("amazon-cognito-identity-js signs in, and does not for nobody", async () => {
    const name = await newUser();
    expect(claimsOf(await srp(name, password))["cognito:username"]).toBe(name);
    // Where existence is hidden, nobody is told apart from who has mistyped.
    await expect(srp("nobody", password)).rejects.toMatchObject({
      code: "NotAuthorizedException",
      message: "Incorrect username or password.",
    });
  });

  test("a public value that would give the key away is refused", async () => {
    const name = await newUser();
    for (const SRP_A of ["0", "00", "xyz"]) {
      await expect(
        pools.cognito.send(
          new InitiateAuthCommand({
            ClientId: clientId,
            AuthFlow: "USER_SRP_AUTH",
            AuthParameters: { USERNAME: name, SRP_A },
          }),
        ),
      ).rejects.toMatchObject({ name: "InvalidParameterException" });
    }
  });
});

describe("Second factors", () => {
  test("a code of an authenticator app is asked for, good once, and a wrong one is refused", async () => {
    const pool = await pools.createPool();
    const { id: ClientId } = await pools.createClient(pool, { ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"] });
    await pools.cognito.send(
      new SetUserPoolMfaConfigCommand({
        UserPoolId: pool,
        MfaConfiguration: "OPTIONAL",
        SoftwareTokenMfaConfiguration: { Enabled: true },
      }),
    );
    const name = await newUser(pool);
    const { AuthenticationResult } = await byPassword(name, password, ClientId);
    const AccessToken = AuthenticationResult?.AccessToken;
    const { SecretCode: secret = "" } = await pools.cognito.send(new AssociateSoftwareTokenCommand({ AccessToken }));
    const codeNow = () => generate({ secret, epoch: Math.floor(clock.now() / 1000) });
    const good = await codeNow();
    const bad = good === "000000" ? "000001" : "000000";
    await expect(
      pools.cognito.send(new VerifySoftwareTokenCommand({ AccessToken, UserCode: bad })),
    ).rejects.toMatchObject({ name: "EnableSoftwareTokenMFAException" });
    await pools.cognito.send(new VerifySoftwareTokenCommand({ AccessToken, UserCode: good }));
    await pools.cognito.send(
      new SetUserMFAPreferenceCommand({ AccessToken, SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true } }),
    );
    const respond = (Session: string | undefined, SOFTWARE_TOKEN_MFA_CODE: string) =>
      pools.cognito.send(
        new RespondToAuthChallengeCommand({
          ClientId,
          ChallengeName: "SOFTWARE_TOKEN_MFA",
          Session,
          ChallengeResponses: { USERNAME: name, SOFTWARE_TOKEN_MFA_CODE },
        }),
      );
    const asked = await byPassword(name, password, ClientId);
    expect(asked).toMatchObject({ ChallengeName: "SOFTWARE_TOKEN_MFA" });
    await expect(respond(asked.Session, bad)).rejects.toMatchObject({ name: "CodeMismatchException" });
    advance(31_000);
    // The one that set the app up was used.
    await expect(respond(asked.Session, good)).rejects.toMatchObject({ name: "ExpiredCodeException" });
    const next = await codeNow();
    await expect(respond(asked.Session, next)).resolves.toMatchObject({ AuthenticationResult: {} });
    await expect(respond(asked.Session, next)).rejects.toThrow("session can only be used once");
    const later = await byPassword(name, password, ClientId);
    await expect(respond(later.Session, next)).rejects.toMatchObject({ name: "ExpiredCodeException" });
    advance(180_001);
    await expect(respond(later.Session, await codeNow())).rejects.toThrow("session is expired");
  });
});

describe("What is refused", () => {
  test("temporary passwords must be replaced, and a session belongs to its user", async () => {
    const Username = `user${++made}`;
    await pools.cognito.send(
      new AdminCreateUserCommand({
        UserPoolId: poolId,
        Username,
        TemporaryPassword: password,
        MessageAction: "SUPPRESS",
      }),
    );
    const other = await newUser();
    const asked = await byPassword(Username);
    expect(asked.ChallengeName).toBe("NEW_PASSWORD_REQUIRED");
    const respond = (USERNAME: string, NEW_PASSWORD: string) =>
      pools.cognito.send(
        new RespondToAuthChallengeCommand({
          ClientId: clientId,
          ChallengeName: "NEW_PASSWORD_REQUIRED",
          Session: asked.Session,
          ChallengeResponses: { USERNAME, NEW_PASSWORD },
        }),
      );
    await expect(respond(other, "Another-Horse-2")).rejects.toThrow("Invalid session for the user");
    await expect(respond(Username, "short")).rejects.toMatchObject({ name: "InvalidPasswordException" });
    await expect(respond(Username, "Another-Horse-2")).resolves.toMatchObject({ AuthenticationResult: {} });
    await expect(respond(Username, "Third-Horse-3")).rejects.toThrow("session can only be used once");
    const user = await pools.cognito.send(new AdminGetUserCommand({ UserPoolId: poolId, Username }));
    expect(user.UserStatus).toBe("CONFIRMED");
  });

  test("after five failures nobody gets in for a second, then for two", async () => {
    const name = await newUser();
    for (let failure = 0; failure < 5; failure += 1) {
      await expect(byPassword(name, "Wrong-Horse-1")).rejects.toThrow("Incorrect username or password.");
    }
    await expect(byPassword(name)).rejects.toThrow("Password attempts exceeded");
    advance(1_001);
    await expect(byPassword(name, "Wrong-Horse-1")).rejects.toThrow("Incorrect username or password.");
    advance(1_001);
    await expect(byPassword(name)).rejects.toThrow("Password attempts exceeded");
    advance(1_001);
    await expect(byPassword(name)).resolves.toMatchObject({ AuthenticationResult: {} });
  });

  test("clients with a secret must prove it, with theirs and no other", async () => {
    const { id: ClientId, secret } = await pools.createClient(poolId, {
      GenerateSecret: true,
      ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"],
    });
    const other = await pools.createClient(poolId, { GenerateSecret: true });
    const name = await newUser();
    const hash = (key: string) => createHmac("sha256", key).update(`${name}${ClientId}`).digest("base64");
    const signIn = (SECRET_HASH?: string) =>
      pools.cognito.send(
        new InitiateAuthCommand({
          ClientId,
          AuthFlow: "USER_PASSWORD_AUTH",
          AuthParameters: { USERNAME: name, PASSWORD: password, ...(SECRET_HASH && { SECRET_HASH }) },
        }),
      );
    await expect(signIn()).rejects.toThrow("SECRET_HASH was not received");
    await expect(signIn(hash(other.secret))).rejects.toThrow(`Unable to verify secret hash for client ${ClientId}`);
    await expect(signIn(hash(secret))).resolves.toMatchObject({ AuthenticationResult: {} });
  });

  test("flows that the client does not have, and administrators' flows to who is none", async () => {
    const { id: ClientId } = await pools.createClient(poolId);
    const name = await newUser();
    await expect(byPassword(name, password, ClientId)).rejects.toThrow("USER_PASSWORD_AUTH flow not enabled");
    const asAdmin = {
      ClientId: clientId,
      AuthFlow: "ADMIN_USER_PASSWORD_AUTH" as const,
      AuthParameters: { USERNAME: name, PASSWORD: password },
    };
    await expect(pools.cognito.send(new InitiateAuthCommand(asAdmin))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    await expect(
      pools.cognito.send(new AdminInitiateAuthCommand({ ...asAdmin, UserPoolId: poolId })),
    ).resolves.toMatchObject({ AuthenticationResult: {} });
  });

  test("a refresh token that was rotated: within its grace it is good, after it the sign-in is over", async () => {
    const { id: ClientId } = await pools.createClient(poolId, {
      ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"],
      RefreshTokenRotation: { Feature: "ENABLED", RetryGracePeriodSeconds: 10 },
    });
    const name = await newUser();
    const first = (await byPassword(name, password, ClientId)).AuthenticationResult?.RefreshToken;
    const refresh = async (RefreshToken: string | undefined) =>
      (await pools.cognito.send(new GetTokensFromRefreshTokenCommand({ ClientId, RefreshToken }))).AuthenticationResult
        ?.RefreshToken;
    const second = await refresh(first);
    expect(second).not.toBe(first);
    await expect(refresh(first)).resolves.toBeTruthy();
    advance(10_001);
    await expect(refresh(first)).rejects.toMatchObject({ name: "RefreshTokenReuseException" });
    await expect(refresh(second)).rejects.toThrow("Refresh Token has been revoked");
  });

  test("a password that was used before, and attributes that are not the client's to write", async () => {
    const pool = await pools.createPool({
      Policies: { PasswordPolicy: { MinimumLength: 8, PasswordHistorySize: 2 } },
      Schema: [{ Name: "tenant", AttributeDataType: "String", Mutable: true }],
    });
    const { id: ClientId } = await pools.createClient(pool, { ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"] });
    const name = await newUser(pool);
    const AccessToken = (await byPassword(name, password, ClientId)).AuthenticationResult?.AccessToken;
    const change = (PreviousPassword: string, ProposedPassword: string) =>
      pools.cognito.send(new ChangePasswordCommand({ AccessToken, PreviousPassword, ProposedPassword }));
    await expect(change("wrong", "new-password")).rejects.toThrow("Incorrect username or password.");
    await expect(change(password, password)).rejects.toMatchObject({ name: "PasswordHistoryPolicyViolationException" });
    await change(password, "new-password");
    await expect(change("new-password", password)).rejects.toMatchObject({
      name: "PasswordHistoryPolicyViolationException",
    });
    const set = (Name: string, Value: string) =>
      pools.cognito.send(
        new AdminUpdateUserAttributesCommand({ UserPoolId: pool, Username: name, UserAttributes: [{ Name, Value }] }),
      );
    await set("custom:tenant", "acme");
    await expect(set("custom:other", "x")).rejects.toThrow("could not be determined");
    await expect(set("sub", "x")).rejects.toMatchObject({ name: "NotAuthorizedException" });
    await expect(set("phone_number", "12")).rejects.toThrow("Invalid phone number format.");
  });

  test("tokens that were changed, have ended, are of another kind, or say alg none", async () => {
    const name = await newUser();
    const { AccessToken, IdToken } = await tokensOf(name);
    const [header = "", body = "", signature = ""] = AccessToken.split(".");
    const claims = claimsOf(AccessToken);
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString());
    const forged = [
      IdToken,
      `${header}.${encode({ ...claims, username: "root" })}.${signature}`,
      `${encode({ alg: "none", kid })}.${body}.`,
      `${encode({ alg: "none", kid })}.${body}.${signature}`,
      `${encode({ alg: "HS256", kid })}.${body}.${createHmac("sha256", kid).update("x").digest("base64url")}`,
      `${header}.${body}`,
    ];
    for (const token of forged) {
      await expect(pools.cognito.send(new GetUserCommand({ AccessToken: token }))).rejects.toThrow(
        "Invalid Access Token",
      );
    }
    advance(3_600_001);
    await expect(pools.cognito.send(new GetUserCommand({ AccessToken }))).rejects.toThrow("Access Token has expired");
  });
});
