import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  startTriggeredPool,
  triggeredPassword,
  triggeredClient,
  triggerArn,
  type TriggerScript,
} from "../../../testing/pool-triggers.ts";

const password = triggeredPassword;
let triggered: Awaited<ReturnType<typeof startTriggeredPool>>;
let platform: typeof triggered.platform;
let pools: typeof triggered.pools;
let trigger: typeof triggered.trigger;
let poolId: typeof triggered.poolId;
let clientId: typeof triggered.clientId;
let newUser: typeof triggered.newUser;
let signIn: typeof triggered.signIn;

beforeAll(async () => {
  triggered = await startTriggeredPool([
    "DefineAuthChallenge",
    "CreateAuthChallenge",
    "VerifyAuthChallengeResponse",
    "PostAuthentication",
  ]);
  ({ platform, pools, trigger, poolId, clientId, newUser, signIn } = triggered);
}, 30_000);
afterAll(() => triggered.stop());
beforeEach(() => triggered.trigger.answer({}));

const claimsOf = (token: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(token?.split(".")[1] ?? "", "base64url").toString());

const begin = (USERNAME: string) =>
  pools.cognito.send(
    new sdk.InitiateAuthCommand({ ClientId: clientId, AuthFlow: "CUSTOM_AUTH", AuthParameters: { USERNAME } }),
  );
const answer = (USERNAME: string, Session: string | undefined, ANSWER: string) =>
  pools.cognito.send(
    new sdk.RespondToAuthChallengeCommand({
      ClientId: clientId,
      ChallengeName: "CUSTOM_CHALLENGE",
      Session,
      ChallengeResponses: { USERNAME, ANSWER },
      ClientMetadata: { try: "it" },
    }),
  );

describe("Custom challenges", () => {
  /** One challenge; three wrong answers are too many. */
  const riddle: TriggerScript = {
    DefineAuthChallenge_Authentication: ({ request }) => {
      const steps = request["session"] as readonly {
        readonly challengeName: string;
        readonly challengeResult: boolean;
      }[];
      const last = steps.at(-1);
      if (last?.challengeName === "SRP_A") return { challengeName: "PASSWORD_VERIFIER" };
      if (last?.challengeName === "CUSTOM_CHALLENGE" && last.challengeResult) return { issueTokens: true };
      if (steps.length >= 3) return { failAuthentication: true };
      return { challengeName: "CUSTOM_CHALLENGE", issueTokens: false, failAuthentication: false };
    },
    CreateAuthChallenge_Authentication: () => ({
      publicChallengeParameters: { question: "6 × 7" },
      privateChallengeParameters: { answer: "42" },
      challengeMetadata: "RIDDLE",
    }),
    VerifyAuthChallengeResponse_Authentication: ({ request }) => ({
      answerCorrect:
        request["challengeAnswer"] === (request["privateChallengeParameters"] as { readonly answer?: string }).answer,
    }),
  };

  test("are defined, created and verified by functions, which are told the documented events", async () => {
    const name = await newUser();
    trigger.answer(riddle);
    const first = await begin(name);
    expect(first).toMatchObject({
      ChallengeName: "CUSTOM_CHALLENGE",
      ChallengeParameters: { USERNAME: name, question: "6 × 7" },
    });
    expect(Object.keys(first.ChallengeParameters ?? {})).toEqual(["USERNAME", "question"]);
    const second = await answer(name, first.Session, "41");
    await expect(answer(name, first.Session, "42")).rejects.toThrow("session can only be used once");
    trigger.events.length = 0;
    const done = await answer(name, second.Session, "42");
    expect(claimsOf(done.AuthenticationResult?.IdToken)["cognito:username"]).toBe(name);
    const wrong = { challengeName: "CUSTOM_CHALLENGE", challengeResult: false, challengeMetadata: "RIDDLE" };
    expect(
      trigger.events.map(({ triggerSource, request, response }) => ({ triggerSource, request, response })),
    ).toEqual([
      {
        triggerSource: "VerifyAuthChallengeResponse_Authentication",
        request: {
          userAttributes: expect.objectContaining({ email: `${name}@example.com` }),
          privateChallengeParameters: { answer: "42" },
          challengeAnswer: "42",
          clientMetadata: { try: "it" },
        },
        response: { answerCorrect: false },
      },
      {
        triggerSource: "DefineAuthChallenge_Authentication",
        request: {
          userAttributes: expect.objectContaining({ email: `${name}@example.com` }),
          session: [wrong, { ...wrong, challengeResult: true }],
          clientMetadata: { try: "it" },
        },
        response: { challengeName: null, issueTokens: null, failAuthentication: null },
      },
      expect.objectContaining({ triggerSource: "PostAuthentication_Authentication" }),
    ]);
  });

  test("end when the function says so", async () => {
    const name = await newUser();
    trigger.answer(riddle);
    let session = (await begin(name)).Session;
    for (const wrong of ["1", "2"]) session = (await answer(name, session, wrong)).Session;
    await expect(answer(name, session, "3")).rejects.toThrow("Incorrect username or password.");
  });

  test("are asked of who does not exist, and never answered rightly", async () => {
    trigger.answer(riddle);
    const first = await begin("ghost");
    expect(first.ChallengeName).toBe("CUSTOM_CHALLENGE");
    expect(trigger.events.find(({ triggerSource }) => triggerSource.startsWith("Define"))?.request).toMatchObject({
      userNotFound: true,
      userAttributes: {},
    });
    const second = await answer("ghost", first.Session, "42");
    expect(second.AuthenticationResult).toBeUndefined();
  });

  test("amazon-cognito-identity-js shows a password by SRP first, and answers the challenge then", async () => {
    const name = await newUser();
    trigger.answer(riddle);
    const Pool = new CognitoUserPool({ UserPoolId: poolId, ClientId: clientId, endpoint: platform.endpoint });
    const user = new CognitoUser({ Username: name, Pool });
    user.setAuthenticationFlowType("CUSTOM_AUTH");
    const token = await new Promise<string>((resolve, reject) => {
      user.authenticateUser(new AuthenticationDetails({ Username: name, Password: password }), {
        onSuccess: (session) => resolve(session.getIdToken().getJwtToken()),
        onFailure: reject,
        customChallenge() {
          user.sendCustomChallengeAnswer("42", {
            onSuccess: (session) => resolve(session.getIdToken().getJwtToken()),
            onFailure: reject,
          });
        },
      });
    });
    expect(claimsOf(token)["cognito:username"]).toBe(name);
    expect(trigger.events.find(({ triggerSource }) => triggerSource.startsWith("Create"))?.request["session"]).toEqual([
      { challengeName: "SRP_A", challengeResult: true },
      { challengeName: "PASSWORD_VERIFIER", challengeResult: true },
    ]);
  });

  test("an answer that is none is refused", async () => {
    const name = await newUser();
    trigger.answer({ DefineAuthChallenge_Authentication: () => ({ challengeName: "SOMETHING" }) });
    await expect(begin(name)).rejects.toMatchObject({ name: "InvalidLambdaResponseException" });
  });
});

async function poolWith(LambdaVersion: sdk.PreTokenGenerationLambdaVersionType) {
  const pool = await pools.createPool({
    LambdaConfig: { PreTokenGenerationConfig: { LambdaVersion, LambdaArn: triggerArn } },
  });
  const { id } = await pools.createClient(pool, triggeredClient);
  const name = await newUser(pool);
  await pools.cognito.send(new sdk.CreateGroupCommand({ UserPoolId: pool, GroupName: "staff" }));
  await pools.cognito.send(
    new sdk.AdminAddUserToGroupCommand({ UserPoolId: pool, GroupName: "staff", Username: name }),
  );
  return { name, id };
}

const changes = () => ({
  claimsAndScopeOverrideDetails: {
    idTokenGeneration: { claimsToAddOrOverride: { roles: ["a", "b"] }, claimsToSuppress: ["email_verified"] },
    accessTokenGeneration: {
      claimsToAddOrOverride: { tenant: { id: 7 }, client_id: "forged" },
      claimsToSuppress: ["cognito:groups"],
      scopesToAdd: ["shop/read"],
      scopesToSuppress: ["aws.cognito.signin.user.admin"],
    },
  },
});

describe("PreTokenGeneration", () => {
  const groupConfiguration = { groupsToOverride: ["staff"], iamRolesToOverride: [], preferredRole: null };

  test("version 1 changes claims of the ID token and groups", async () => {
    const { name, id } = await poolWith("V1_0");
    trigger.answer({
      TokenGeneration_Authentication: () => ({
        claimsOverrideDetails: {
          claimsToAddOrOverride: { tier: "gold", sub: "forged" },
          claimsToSuppress: ["email"],
          groupOverrideDetails: { groupsToOverride: ["guests"] },
        },
      }),
    });
    const { AuthenticationResult: tokens } = await signIn(name, undefined, id);
    expect(trigger.events[0]).toMatchObject({ version: "1", request: { groupConfiguration } });
    expect(trigger.events[0]?.response).toEqual({ claimsOverrideDetails: null });
    expect(trigger.events[0]?.request).not.toHaveProperty("scopes");
    const claims = claimsOf(tokens?.IdToken);
    expect(claims).toMatchObject({ tier: "gold", "cognito:groups": ["guests"] });
    expect(claims).not.toHaveProperty("email");
    expect(claims["sub"]).not.toBe("forged");
    expect(claimsOf(tokens?.AccessToken)).not.toHaveProperty("tier");
    trigger.answer({
      TokenGeneration_Authentication: () => ({ claimsOverrideDetails: { claimsToAddOrOverride: { n: 1 } } }),
    });
    await expect(signIn(name, undefined, id)).rejects.toMatchObject({ name: "InvalidLambdaResponseException" });
  });

  test.each(["V2_0", "V3_0"] as const)(
    "version %s changes claims and scopes of the access token too",
    async (version) => {
      const { name, id } = await poolWith(version);
      trigger.answer({ TokenGeneration_Authentication: changes, TokenGeneration_RefreshTokens: changes });
      const { AuthenticationResult: tokens } = await signIn(name, undefined, id);
      expect(trigger.events[0]).toMatchObject({
        version: version.slice(1, 2),
        triggerSource: "TokenGeneration_Authentication",
        request: { groupConfiguration, scopes: ["aws.cognito.signin.user.admin"] },
      });
      expect(trigger.events[0]?.response).toEqual({ claimsAndScopeOverrideDetails: null });
      const access = claimsOf(tokens?.AccessToken);
      expect(access).toMatchObject({ tenant: { id: 7 }, scope: "shop/read", client_id: id });
      expect(access).not.toHaveProperty("cognito:groups");
      expect(claimsOf(tokens?.IdToken)).toMatchObject({ roles: ["a", "b"] });
      const REFRESH_TOKEN = tokens?.RefreshToken ?? "";
      await pools.cognito.send(
        new sdk.InitiateAuthCommand({
          ClientId: id,
          AuthFlow: "REFRESH_TOKEN_AUTH",
          AuthParameters: { REFRESH_TOKEN },
        }),
      );
      expect(trigger.sources()).toEqual(["TokenGeneration_Authentication", "TokenGeneration_RefreshTokens"]);
    },
  );
});
