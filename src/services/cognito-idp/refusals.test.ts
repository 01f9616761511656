import { createHmac } from "node:crypto";
import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { poolsOf } from "../../testing/user-pools.ts";
import { lockMsAfter } from "./auth/attempts.ts";

const password = "Correct-Horse-1";
const wrongPassword = "Wrong-Horse-1";
let platform: TestPlatform;
let pools: ReturnType<typeof poolsOf>;
let poolId: string;
/** Does not tell whether somebody exists. */
let discreet: string;
let talkative: string;

const flows: sdk.ExplicitAuthFlowsType[] = [
  "ALLOW_USER_PASSWORD_AUTH",
  "ALLOW_USER_SRP_AUTH",
  "ALLOW_USER_AUTH",
  "ALLOW_ADMIN_USER_PASSWORD_AUTH",
];

beforeAll(async () => {
  platform = await startTestPlatform();
  pools = poolsOf(platform);
  poolId = await pools.createPool({
    AutoVerifiedAttributes: ["email"],
    Policies: { SignInPolicy: { AllowedFirstAuthFactors: ["PASSWORD", "EMAIL_OTP"] } },
  });
  discreet = (await pools.createClient(poolId, { ExplicitAuthFlows: flows, PreventUserExistenceErrors: "ENABLED" })).id;
  talkative = (await pools.createClient(poolId, { ExplicitAuthFlows: flows, PreventUserExistenceErrors: "LEGACY" })).id;
});
afterAll(() => platform.stop());

let made = 0;
async function newUser(confirmed = true, Permanent = true): Promise<string> {
  const Username = `person${++made}`;
  const UserAttributes = [{ Name: "email", Value: `${Username}@example.com` }];
  if (!confirmed) {
    await pools.cognito.send(
      new sdk.SignUpCommand({ ClientId: discreet, Username, Password: password, UserAttributes }),
    );
    return Username;
  }
  const user = { UserPoolId: poolId, Username };
  UserAttributes.push({ Name: "email_verified", Value: "true" });
  await pools.cognito.send(new sdk.AdminCreateUserCommand({ ...user, UserAttributes, MessageAction: "SUPPRESS" }));
  await pools.cognito.send(new sdk.AdminSetUserPasswordCommand({ ...user, Password: password, Permanent }));
  return Username;
}

/** What an operation answers, without what is drawn anew each time. */
async function answerOf(asked: Promise<object>): Promise<object> {
  try {
    const answer = await asked;
    const { $metadata: _metadata, Session, ChallengeParameters, ...told }: Record<string, unknown> = { ...answer };
    return {
      ...told,
      hasSession: Session !== undefined,
      parameters: Object.keys(typeof ChallengeParameters === "object" ? { ...ChallengeParameters } : {}).toSorted(),
    };
  } catch (error) {
    if (!(error instanceof sdk.CognitoIdentityProviderServiceException)) throw error;
    return { name: error.name, status: error.$metadata.httpStatusCode, message: error.message };
  }
}

const begin = (
  ClientId: string,
  AuthFlow: sdk.AuthFlowType,
  USERNAME: string,
  more: Readonly<Record<string, string>> = {},
) => pools.cognito.send(new sdk.InitiateAuthCommand({ ClientId, AuthFlow, AuthParameters: { USERNAME, ...more } }));

/** The public operations, each as somebody tries it who wants to know whether there is such a user. */
const tried: Readonly<Record<string, (ClientId: string, Username: string) => Promise<object>>> = {
  USER_PASSWORD_AUTH: (id, name) => begin(id, "USER_PASSWORD_AUTH", name, { PASSWORD: wrongPassword }),
  ADMIN_USER_PASSWORD_AUTH: (ClientId, USERNAME) =>
    pools.cognito.send(
      new sdk.AdminInitiateAuthCommand({
        UserPoolId: poolId,
        ClientId,
        AuthFlow: "ADMIN_USER_PASSWORD_AUTH",
        AuthParameters: { USERNAME, PASSWORD: wrongPassword },
      }),
    ),
  USER_SRP_AUTH: (id, name) => begin(id, "USER_SRP_AUTH", name, { SRP_A: "abcdef" }),
  "a wrong proof of USER_SRP_AUTH": async (ClientId, name) => {
    const { ChallengeParameters: asked } = await begin(ClientId, "USER_SRP_AUTH", name, { SRP_A: "abcdef" });
    return pools.cognito.send(
      new sdk.RespondToAuthChallengeCommand({
        ClientId,
        ChallengeName: "PASSWORD_VERIFIER",
        ChallengeResponses: {
          USERNAME: asked?.["USERNAME"] ?? "",
          PASSWORD_CLAIM_SECRET_BLOCK: asked?.["SECRET_BLOCK"] ?? "",
          PASSWORD_CLAIM_SIGNATURE: Buffer.alloc(32).toString("base64"),
          TIMESTAMP: "Sun Nov 22 14:00:00 UTC 2026",
        },
      }),
    );
  },
  USER_AUTH: (id, name) => begin(id, "USER_AUTH", name),
  "a wrong password of USER_AUTH": (id, name) =>
    begin(id, "USER_AUTH", name, { PREFERRED_CHALLENGE: "PASSWORD", PASSWORD: wrongPassword }),
  EMAIL_OTP: (id, name) => begin(id, "USER_AUTH", name, { PREFERRED_CHALLENGE: "EMAIL_OTP" }),
  "a wrong code of EMAIL_OTP": async (ClientId, USERNAME) => {
    const { Session } = await begin(ClientId, "USER_AUTH", USERNAME, { PREFERRED_CHALLENGE: "EMAIL_OTP" });
    return pools.cognito.send(
      new sdk.RespondToAuthChallengeCommand({
        ClientId,
        ChallengeName: "EMAIL_OTP",
        Session,
        ChallengeResponses: { USERNAME, EMAIL_OTP_CODE: "none" },
      }),
    );
  },
  ForgotPassword: (ClientId, Username) => pools.cognito.send(new sdk.ForgotPasswordCommand({ ClientId, Username })),
  ConfirmForgotPassword: async (ClientId, Username) => {
    await pools.cognito.send(new sdk.ForgotPasswordCommand({ ClientId, Username }));
    return pools.cognito.send(
      new sdk.ConfirmForgotPasswordCommand({ ClientId, Username, ConfirmationCode: "000", Password: password }),
    );
  },
  "ConfirmForgotPassword with a weak password": (ClientId, Username) =>
    pools.cognito.send(
      new sdk.ConfirmForgotPasswordCommand({ ClientId, Username, ConfirmationCode: "000", Password: "short1" }),
    ),
};

const salt = async () =>
  (await begin(discreet, "USER_SRP_AUTH", "phantom", { SRP_A: "abcdef" })).ChallengeParameters?.["SALT"];

const resend = (Username: string) =>
  answerOf(pools.cognito.send(new sdk.ResendConfirmationCodeCommand({ ClientId: discreet, Username })));

const cpuOf = async (Username: string) => {
  const from = process.cpuUsage();
  for (let turn = 0; turn < 10; turn += 1) {
    const asked = { ClientId: discreet, Username, ConfirmationCode: "000", Password: password };
    await answerOf(pools.cognito.send(new sdk.ConfirmForgotPasswordCommand(asked)));
  }
  const spent = process.cpuUsage(from);
  return spent.user + spent.system;
};

describe("Where existence is not told", () => {
  test.each(Object.keys(tried))("%s answers the same of a user as of nobody", async (what) => {
    const ask = tried[what];
    if (!ask) throw new Error(what);
    const user = await newUser();
    const nobody = user.replace("person", "phantom");
    expect(await answerOf(ask(discreet, nobody))).toEqual(await answerOf(ask(discreet, user)));
    const told = await answerOf(ask(talkative, nobody));
    const isWeak = what.endsWith("weak password");
    expect(told).toMatchObject({ name: isWeak ? "InvalidPasswordException" : "UserNotFoundException" });
  });

  test("ResendConfirmationCode answers the same of who has not confirmed as of nobody", async () => {
    const user = await newUser(false);
    expect(await resend(user.replace("person", "phantom"))).toEqual(await resend(user));
  });

  test("a user who is disabled is nobody, until the password is right", async () => {
    const user = await newUser();
    await pools.cognito.send(new sdk.AdminDisableUserCommand({ UserPoolId: poolId, Username: user }));
    expect(await answerOf(begin(discreet, "USER_PASSWORD_AUTH", user, { PASSWORD: wrongPassword }))).toMatchObject({
      message: "Incorrect username or password.",
    });
    await expect(begin(discreet, "USER_PASSWORD_AUTH", user, { PASSWORD: password })).rejects.toThrow(
      "User is disabled.",
    );
    const reset = tried["ForgotPassword"];
    if (!reset) throw new Error();
    const nobody = user.replace("person", "phantom");
    expect(await answerOf(reset(discreet, user))).toEqual(await answerOf(reset(discreet, nobody)));
  });

  test("codes are refused to nobody as they are to users, once too many were asked for", async () => {
    for (const name of [await newUser(), "phantom"]) {
      const ask = () =>
        answerOf(pools.cognito.send(new sdk.ForgotPasswordCommand({ ClientId: discreet, Username: name })));
      let answer: object = {};
      for (let sent = 0; sent <= 20; sent += 1) answer = await ask();
      expect(answer).toMatchObject({ name: "LimitExceededException" });
    }
  });

  test("ConfirmForgotPassword takes nobody as much processor time as a user", async () => {
    const user = await newUser();
    // Alternating; the least of each is what it takes. Without a verifier that is made it would be less than half.
    const least = { user: Number.POSITIVE_INFINITY, nobody: Number.POSITIVE_INFINITY };
    for (let round = 0; round < 5; round += 1) {
      least.user = Math.min(least.user, await cpuOf(user));
      least.nobody = Math.min(least.nobody, await cpuOf("phantom"));
    }
    expect(least.nobody / least.user).toBeGreaterThan(0.6);
    expect(least.nobody / least.user).toBeLessThan(1.7);
  });

  test("what nobody is told of SRP is the same each time", async () => {
    expect(await salt()).toBe(await salt());
  });
});

describe("What is used up", () => {
  test("a code that confirmed a sign-up, and five wrong ones use it up as well", async () => {
    const Username = await newUser(false);
    const confirm = (ConfirmationCode: string) =>
      pools.cognito.send(new sdk.ConfirmSignUpCommand({ ClientId: discreet, Username, ConfirmationCode }));
    const code = await pools.lastCode(`${Username}@example.com`);
    for (let guess = 0; guess < 5; guess += 1) {
      await expect(confirm("none")).rejects.toMatchObject({ name: "CodeMismatchException" });
    }
    await expect(confirm(code)).rejects.toMatchObject({ name: "LimitExceededException" });
    await pools.cognito.send(new sdk.ResendConfirmationCodeCommand({ ClientId: discreet, Username }));
    await expect(confirm(code)).rejects.toMatchObject({ name: "CodeMismatchException" });
  });

  test("an SRP exchange: who has seen an answer cannot give it again", async () => {
    // The proof is refused here, and the block with it after five: what is right is used up at once (see the client's tests).
    const name = await newUser();
    const { ChallengeParameters: asked } = await begin(discreet, "USER_SRP_AUTH", name, { SRP_A: "abcdef" });
    const prove = (block: string, ClientId = discreet) =>
      pools.cognito.send(
        new sdk.RespondToAuthChallengeCommand({
          ClientId,
          ChallengeName: "PASSWORD_VERIFIER",
          ChallengeResponses: {
            USERNAME: name,
            PASSWORD_CLAIM_SECRET_BLOCK: block,
            PASSWORD_CLAIM_SIGNATURE: Buffer.alloc(32).toString("base64"),
            TIMESTAMP: "Sun Nov 22 14:00:00 UTC 2026",
          },
        }),
      );
    const block = asked?.["SECRET_BLOCK"] ?? "";
    await expect(prove(block, talkative)).rejects.toThrow("Invalid session for the user.");
    await expect(prove(`${block.slice(0, -8)}AAAAAAA=`)).rejects.toThrow("Invalid session for the user.");
    await expect(prove(block)).rejects.toThrow("Incorrect username or password.");
  });

  test("a refresh token that was rotated, and all of its sign-in with it", async () => {
    const { id: ClientId } = await pools.createClient(poolId, {
      ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"],
      RefreshTokenRotation: { Feature: "ENABLED", RetryGracePeriodSeconds: 0 },
    });
    const name = await newUser();
    const { AuthenticationResult: first } = await begin(ClientId, "USER_PASSWORD_AUTH", name, { PASSWORD: password });
    const refresh = (RefreshToken: string | undefined) =>
      pools.cognito.send(new sdk.GetTokensFromRefreshTokenCommand({ ClientId, RefreshToken }));
    const { AuthenticationResult: second } = await refresh(first?.RefreshToken);
    await expect(refresh(first?.RefreshToken)).rejects.toMatchObject({ name: "RefreshTokenReuseException" });
    await expect(refresh(second?.RefreshToken)).rejects.toThrow("Refresh Token has been revoked");
    await expect(pools.cognito.send(new sdk.GetUserCommand({ AccessToken: second?.AccessToken }))).rejects.toThrow(
      "Access Token has been revoked",
    );
    await expect(
      pools.cognito.send(
        new sdk.InitiateAuthCommand({
          ClientId,
          AuthFlow: "REFRESH_TOKEN_AUTH",
          AuthParameters: { REFRESH_TOKEN: second?.RefreshToken ?? "" },
        }),
      ),
    ).rejects.toThrow();
  });
});

describe("What belongs to somebody else", () => {
  test("tokens of another pool, another client's refresh token, another client's session", async () => {
    const other = await pools.createPool();
    const { id: theirs } = await pools.createClient(other, { ExplicitAuthFlows: flows });
    const user = { UserPoolId: other, Username: "stranger" };
    await pools.cognito.send(new sdk.AdminCreateUserCommand({ ...user, MessageAction: "SUPPRESS" }));
    await pools.cognito.send(new sdk.AdminSetUserPasswordCommand({ ...user, Password: password, Permanent: true }));
    const { AuthenticationResult: foreign } = await begin(theirs, "USER_PASSWORD_AUTH", "stranger", {
      PASSWORD: password,
    });
    const REFRESH_TOKEN = foreign?.RefreshToken ?? "";
    for (const ClientId of [discreet, talkative]) {
      await expect(
        pools.cognito.send(
          new sdk.InitiateAuthCommand({ ClientId, AuthFlow: "REFRESH_TOKEN_AUTH", AuthParameters: { REFRESH_TOKEN } }),
        ),
      ).rejects.toThrow();
      await expect(pools.cognito.send(new sdk.RevokeTokenCommand({ ClientId, Token: REFRESH_TOKEN }))).rejects.toThrow(
        "Invalid Refresh Token",
      );
    }
    // A token's pool is in its signature: the claims of one with the key of another are worth nothing.
    const [head = "", body = "", signature = ""] = (foreign?.AccessToken ?? "").split(".");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString());
    const moved = { ...claims, iss: String(claims.iss).replace(other, poolId) };
    const forged = `${head}.${Buffer.from(JSON.stringify(moved)).toString("base64url")}.${signature}`;
    await expect(pools.cognito.send(new sdk.GetUserCommand({ AccessToken: forged }))).rejects.toThrow(
      "Invalid Access Token",
    );
    const name = await newUser(true, false);
    const { Session, ChallengeName } = await begin(discreet, "USER_PASSWORD_AUTH", name, { PASSWORD: password });
    expect(ChallengeName).toBe("NEW_PASSWORD_REQUIRED");
    await expect(
      pools.cognito.send(
        new sdk.RespondToAuthChallengeCommand({
          ClientId: talkative,
          ChallengeName,
          Session,
          ChallengeResponses: { USERNAME: name, NEW_PASSWORD: "Another-Horse-2" },
        }),
      ),
    ).rejects.toThrow("Invalid session for the user.");
  });

  test("a client's secret: another's, none, or for who has none; a hash of another name", async () => {
    const secretive = await pools.createClient(poolId, { ExplicitAuthFlows: flows, GenerateSecret: true });
    const other = await pools.createClient(poolId, { ExplicitAuthFlows: flows, GenerateSecret: true });
    const name = await newUser();
    const hash = (secret: string, username = name, id = secretive.id) =>
      createHmac("sha256", secret).update(`${username}${id}`).digest("base64");
    const ask = (ClientId: string, SecretHash?: string) =>
      pools.cognito.send(
        new sdk.ForgotPasswordCommand({ ClientId, Username: name, ...(SecretHash !== undefined && { SecretHash }) }),
      );
    for (const wrong of [hash(other.secret), hash(secretive.secret, "other"), hash(secretive.secret, name, other.id)]) {
      await expect(ask(secretive.id, wrong)).rejects.toThrow("Unable to verify secret hash for client");
    }
    await expect(ask(secretive.id)).rejects.toThrow("SECRET_HASH was not received");
    await expect(ask(discreet, hash(secretive.secret))).rejects.toThrow("is not configured with secret");
    await expect(ask(secretive.id, hash(secretive.secret))).resolves.toHaveProperty("CodeDeliveryDetails");
  });
});

test("after five failures nobody may try for a second, doubled with each further one up to a quarter of an hour", () => {
  expect([0, 4, 5, 6, 7, 10].map(lockMsAfter)).toEqual([0, 0, 1_000, 2_000, 4_000, 32_000]);
  expect(lockMsAfter(15)).toBe(15 * 60_000);
  expect(lockMsAfter(10_000)).toBe(15 * 60_000);
});
