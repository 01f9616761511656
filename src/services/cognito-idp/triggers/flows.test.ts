import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTriggeredPool, triggeredPassword } from "../../../testing/pool-triggers.ts";

const password = triggeredPassword;
let triggered: Awaited<ReturnType<typeof startTriggeredPool>>;
let pools: typeof triggered.pools;
let trigger: typeof triggered.trigger;
let poolId: typeof triggered.poolId;
let clientId: typeof triggered.clientId;
let newUser: typeof triggered.newUser;
let signIn: typeof triggered.signIn;

beforeAll(async () => {
  triggered = await startTriggeredPool([
    "PreSignUp",
    "CustomMessage",
    "PostConfirmation",
    "PreAuthentication",
    "PostAuthentication",
    "UserMigration",
  ]);
  ({ pools, trigger, poolId, clientId, newUser, signIn } = triggered);
}, 30_000);
afterAll(() => triggered.stop());
beforeEach(() => triggered.trigger.answer({}));

describe("Signing up", () => {
  test("PreSignUp, CustomMessage and PostConfirmation are told the documented events", async () => {
    const email = "ann@example.com";
    const { UserSub: sub } = await pools.cognito.send(
      new sdk.SignUpCommand({
        ClientId: clientId,
        Username: "ann",
        Password: password,
        UserAttributes: [{ Name: "email", Value: email }],
        ValidationData: [{ Name: "promise", Value: "kept" }],
        ClientMetadata: { from: "test" },
      }),
    );
    const ConfirmationCode = await pools.lastCode(email);
    const confirmation = { ClientId: clientId, Username: "ann", ConfirmationCode };
    await pools.cognito.send(new sdk.ConfirmSignUpCommand(confirmation));
    const common = {
      version: "1",
      region: "us-east-1",
      userPoolId: poolId,
      userName: "ann",
      callerContext: { awsSdkVersion: "aws-sdk-unknown-unknown", clientId },
    };
    expect(trigger.events).toEqual([
      {
        ...common,
        triggerSource: "PreSignUp_SignUp",
        request: { userAttributes: { email }, validationData: { promise: "kept" }, clientMetadata: { from: "test" } },
        response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
      },
      {
        ...common,
        triggerSource: "CustomMessage_SignUp",
        request: {
          userAttributes: { sub, email, email_verified: "false", "cognito:user_status": "UNCONFIRMED" },
          codeParameter: "{####}",
          linkParameter: "{##Click Here##}",
          usernameParameter: null,
          clientMetadata: { from: "test" },
        },
        response: { smsMessage: null, emailMessage: null, emailSubject: null },
      },
      {
        ...common,
        triggerSource: "PostConfirmation_ConfirmSignUp",
        request: { userAttributes: { sub, email, email_verified: "true", "cognito:user_status": "CONFIRMED" } },
        response: {},
      },
    ]);
  });

  test("PreSignUp may confirm and verify at once, and nothing is sent", async () => {
    trigger.answer({ PreSignUp_SignUp: () => ({ autoConfirmUser: true, autoVerifyEmail: true }) });
    const UserAttributes = [{ Name: "email", Value: "auto@example.com" }];
    const signedUp = await pools.cognito.send(
      new sdk.SignUpCommand({ ClientId: clientId, Username: "auto", Password: password, UserAttributes }),
    );
    expect(signedUp.UserConfirmed).toBe(true);
    expect(signedUp.CodeDeliveryDetails).toBeUndefined();
    expect(trigger.sources()).toEqual(["PreSignUp_SignUp", "PostConfirmation_ConfirmSignUp"]);
    expect(await pools.lastMessage("auto@example.com")).toBeUndefined();
  });

  test("what PreSignUp throws is told, and there is no user", async () => {
    trigger.answer({ PreSignUp_SignUp: () => new Error("not from here.") });
    const refused = pools.cognito.send(
      new sdk.SignUpCommand({ ClientId: clientId, Username: "never", Password: password }),
    );
    await expect(refused).rejects.toMatchObject({
      name: "UserLambdaValidationException",
      message: "PreSignUp failed with error not from here.",
    });
    const found = pools.cognito.send(new sdk.AdminGetUserCommand({ UserPoolId: poolId, Username: "never" }));
    await expect(found).rejects.toMatchObject({ name: "UserNotFoundException" });
  });

  test("an invitation's text must name the user and the password", async () => {
    trigger.answer({
      CustomMessage_AdminCreateUser: () => ({ emailSubject: "Hello", emailMessage: "{username}: <b>{####}</b>" }),
    });
    const invite = (Username: string) =>
      pools.cognito.send(
        new sdk.AdminCreateUserCommand({
          UserPoolId: poolId,
          Username,
          TemporaryPassword: password,
          DesiredDeliveryMediums: ["EMAIL"],
          UserAttributes: [{ Name: "email", Value: `${Username}@example.com` }],
        }),
      );
    await invite("guest");
    expect(trigger.sources()).toEqual(["PreSignUp_AdminCreateUser", "CustomMessage_AdminCreateUser"]);
    expect(trigger.events[1]?.request["usernameParameter"]).toBe("{username}");
    expect(await pools.lastMessage("guest@example.com")).toMatchObject({
      subject: "Hello",
      body: `guest: <b>${password}</b>`,
    });
    trigger.answer({ CustomMessage_AdminCreateUser: () => ({ emailMessage: "Welcome" }) });
    await expect(invite("other")).rejects.toMatchObject({ name: "InvalidLambdaResponseException" });
  });

  test("CustomMessage is asked about each message there is", async () => {
    const name = await newUser();
    const { AuthenticationResult } = await signIn(name);
    const AccessToken = AuthenticationResult?.AccessToken;
    trigger.events.length = 0;
    await pools.cognito.send(new sdk.ForgotPasswordCommand({ ClientId: clientId, Username: name }));
    await pools.cognito.send(new sdk.GetUserAttributeVerificationCodeCommand({ AccessToken, AttributeName: "email" }));
    const UserAttributes = [{ Name: "email", Value: "new@example.com" }];
    await pools.cognito.send(new sdk.UpdateUserAttributesCommand({ AccessToken, UserAttributes }));
    expect(trigger.sources()).toEqual([
      "CustomMessage_ForgotPassword",
      "CustomMessage_VerifyUserAttribute",
      "CustomMessage_UpdateUserAttribute",
    ]);
  });
});

describe("Signing in", () => {
  test("PreAuthentication and PostAuthentication are told the documented events", async () => {
    const name = await newUser();
    await signIn(name, { device: "phone" });
    const userAttributes = {
      sub: expect.any(String),
      email: `${name}@example.com`,
      email_verified: "true",
      "cognito:user_status": "CONFIRMED",
    };
    expect(
      trigger.events.map(({ triggerSource, request, response }) => ({ triggerSource, request, response })),
    ).toEqual([
      {
        triggerSource: "PreAuthentication_Authentication",
        request: { userAttributes, validationData: { device: "phone" } },
        response: {},
      },
      {
        triggerSource: "PostAuthentication_Authentication",
        request: { userAttributes, newDeviceUsed: false },
        response: {},
      },
    ]);
  });

  test("PreAuthentication may refuse, and PostAuthentication too", async () => {
    const name = await newUser();
    trigger.answer({ PreAuthentication_Authentication: () => new Error("closed") });
    await expect(signIn(name)).rejects.toThrow("PreAuthentication failed with error closed.");
    trigger.answer({ PostAuthentication_Authentication: () => new Error("full") });
    await expect(signIn(name)).rejects.toThrow("PostAuthentication failed with error full.");
  });

  test("PreAuthentication is told that there is no user, and the client is not", async () => {
    await expect(signIn("nobody")).rejects.toThrow("Incorrect username or password.");
    expect(trigger.sources()).toEqual(["UserMigration_Authentication", "PreAuthentication_Authentication"]);
    expect(trigger.events[1]?.request).toEqual({ userAttributes: {}, validationData: null, userNotFound: true });
  });
});

describe("Users who are elsewhere yet", () => {
  test("UserMigration brings them as they sign in, once, and they are welcomed", async () => {
    trigger.answer({
      UserMigration_Authentication: ({ request }) =>
        request["password"] === password
          ? {
              userAttributes: { email: "mia@example.com", email_verified: "true" },
              finalUserStatus: "CONFIRMED",
              desiredDeliveryMediums: ["EMAIL"],
            }
          : {},
    });
    await expect(signIn("mia", undefined, clientId, "Wrong-Horse-1")).rejects.toThrow("Incorrect username");
    trigger.events.length = 0;
    expect((await signIn("mia", { from: "old" })).AuthenticationResult).toBeDefined();
    expect(trigger.events[0]).toMatchObject({
      triggerSource: "UserMigration_Authentication",
      userName: "mia",
      request: { password, validationData: { from: "old" } },
    });
    expect(trigger.events[0]?.response).toEqual({
      userAttributes: null,
      forceAliasCreation: null,
      finalUserStatus: null,
      messageAction: null,
      desiredDeliveryMediums: null,
      enableSMSMFA: null,
    });
    expect((await pools.lastMessage("mia@example.com"))?.body).toContain("mia");
    trigger.events.length = 0;
    await signIn("mia");
    expect(trigger.sources()).not.toContain("UserMigration_Authentication");
  });

  test("UserMigration brings them as they ask for a new password, without knowing the old one", async () => {
    trigger.answer({
      UserMigration_ForgotPassword: () => ({
        userAttributes: { email: "lea@example.com", email_verified: "true" },
        messageAction: "SUPPRESS",
      }),
    });
    const forgot = { ClientId: clientId, Username: "lea", ClientMetadata: { why: "lost" } };
    const { CodeDeliveryDetails } = await pools.cognito.send(new sdk.ForgotPasswordCommand(forgot));
    expect(CodeDeliveryDetails).toMatchObject({ Destination: "l***@e***" });
    expect(trigger.events[0]?.request).toEqual({
      password: null,
      validationData: null,
      userAttributes: null,
      clientMetadata: { why: "lost" },
    });
    const ConfirmationCode = await pools.lastCode("lea@example.com");
    await pools.cognito.send(
      new sdk.ConfirmForgotPasswordCommand({
        ClientId: clientId,
        Username: "lea",
        ConfirmationCode,
        Password: password,
      }),
    );
    expect(trigger.sources()).toContain("PostConfirmation_ConfirmForgotPassword");
    expect((await signIn("lea")).AuthenticationResult).toBeDefined();
  });

  test("a status that there is not is no answer", async () => {
    trigger.answer({ UserMigration_Authentication: () => ({ userAttributes: {}, finalUserStatus: "UNKNOWN" }) });
    await expect(signIn("zoe")).rejects.toMatchObject({ name: "InvalidLambdaResponseException" });
  });
});
