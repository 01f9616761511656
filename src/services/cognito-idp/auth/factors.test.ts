import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import { generate } from "otplib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSoftwarePasskey } from "../../../testing/passkeys.ts";
import { createFakeClock, startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { poolsOf } from "../../../testing/user-pools.ts";

const password = "Correct-Horse-1";
const rpId = "login.example.org";
const clock = createFakeClock(Date.now());
let platform: TestPlatform;
let pools: ReturnType<typeof poolsOf>;
beforeAll(async () => {
  platform = await startTestPlatform({ clock });
  pools = poolsOf(platform);
});
afterAll(() => platform.stop());

type Factors = Omit<sdk.SetUserPoolMfaConfigCommandInput, "UserPoolId">;
const SmsConfiguration = { SnsCallerArn: "arn:aws:iam::000000000000:role/sms" };
const sms: Factors = { SmsMfaConfiguration: { SmsConfiguration } };
const email: Factors = { EmailMfaConfiguration: { Subject: "Code", Message: "It is {####}" } };
const totp: Factors = { SoftwareTokenMfaConfiguration: { Enabled: true } };

async function createPool(settings: Partial<sdk.CreateUserPoolCommandInput>, factors?: Factors) {
  const poolId = await pools.createPool(settings);
  if (factors) {
    await pools.cognito.send(new sdk.SetUserPoolMfaConfigCommand({ UserPoolId: poolId, ...factors }));
  }
  const { id: clientId } = await pools.createClient(poolId, {
    ExplicitAuthFlows: [
      "ALLOW_USER_PASSWORD_AUTH",
      "ALLOW_USER_AUTH",
      "ALLOW_USER_SRP_AUTH",
      "ALLOW_REFRESH_TOKEN_AUTH",
    ],
  });
  return { poolId, clientId };
}

let made = 0;
async function createUser(UserPoolId: string, more: Readonly<Record<string, string>> = {}) {
  const Username = `user${++made}`;
  const attributes = {
    email: `${Username}@example.com`,
    email_verified: "true",
    phone_number: `+49100000${made}`,
    phone_number_verified: "true",
    ...more,
  };
  const UserAttributes = Object.entries(attributes).flatMap(([Name, Value]) => (Value === "" ? [] : [{ Name, Value }]));
  const user = { UserPoolId, Username };
  await pools.cognito.send(new sdk.AdminCreateUserCommand({ ...user, UserAttributes, MessageAction: "SUPPRESS" }));
  await pools.cognito.send(new sdk.AdminSetUserPasswordCommand({ ...user, Password: password, Permanent: true }));
  return { name: Username, ...attributes };
}

const start = (
  ClientId: string,
  USERNAME: string,
  AuthFlow: "USER_PASSWORD_AUTH" | "USER_AUTH" = "USER_PASSWORD_AUTH",
  more: Readonly<Record<string, string>> = AuthFlow === "USER_AUTH" ? {} : { PASSWORD: password },
) => pools.cognito.send(new sdk.InitiateAuthCommand({ ClientId, AuthFlow, AuthParameters: { USERNAME, ...more } }));

const respond = (
  ClientId: string,
  asked: { readonly ChallengeName?: sdk.ChallengeNameType | undefined; readonly Session?: string | undefined },
  USERNAME: string,
  responses: Readonly<Record<string, string>>,
) =>
  pools.cognito.send(
    new sdk.RespondToAuthChallengeCommand({
      ClientId,
      ChallengeName: asked.ChallengeName,
      Session: asked.Session,
      ChallengeResponses: { USERNAME, ...responses },
    }),
  );

const other = (code: string) => (code === "000000" ? "000001" : "000000");

describe("Codes as second factors", () => {
  test("SMS_MFA: asked of who has a number where MFA is required; wrong, used and late codes are refused", async () => {
    const { poolId, clientId } = await createPool({ SmsConfiguration }, { MfaConfiguration: "ON", ...sms });
    const { name, phone_number: number } = await createUser(poolId);
    const asked = await start(clientId, name);
    expect(asked).toMatchObject({
      ChallengeName: "SMS_MFA",
      ChallengeParameters: { CODE_DELIVERY_DELIVERY_MEDIUM: "SMS", USER_ID_FOR_SRP: name },
    });
    expect(asked.ChallengeParameters?.["CODE_DELIVERY_DESTINATION"]).toMatch(/^\+\*+\d{4}$/);
    const SMS_MFA_CODE = await pools.lastCode(number);
    const wrong = respond(clientId, asked, name, { SMS_MFA_CODE: other(SMS_MFA_CODE) });
    await expect(wrong).rejects.toMatchObject({ name: "CodeMismatchException" });
    expect((await respond(clientId, asked, name, { SMS_MFA_CODE })).AuthenticationResult).toBeDefined();
    await expect(respond(clientId, asked, name, { SMS_MFA_CODE })).rejects.toThrow("session can only be used once");
    const again = await start(clientId, name);
    await expect(respond(clientId, again, name, { SMS_MFA_CODE })).rejects.toMatchObject({
      name: "CodeMismatchException",
    });
    clock.advance(180_001);
    await expect(respond(clientId, again, name, { SMS_MFA_CODE: await pools.lastCode(number) })).rejects.toThrow(
      "session is expired",
    );
  });

  test("a code is guessed five times, and then its session is over", async () => {
    const { poolId, clientId } = await createPool({ SmsConfiguration }, { MfaConfiguration: "ON", ...sms });
    const { name, phone_number: number } = await createUser(poolId);
    const asked = await start(clientId, name);
    const SMS_MFA_CODE = await pools.lastCode(number);
    for (let guess = 0; guess < 5; guess += 1) {
      await expect(respond(clientId, asked, name, { SMS_MFA_CODE: other(SMS_MFA_CODE) })).rejects.toThrow();
    }
    await expect(respond(clientId, asked, name, { SMS_MFA_CODE })).rejects.toThrow("too many attempts");
  });

  test("EMAIL_OTP with the pool's own message; SELECT_MFA_TYPE where there are several", async () => {
    const factors: Factors = { MfaConfiguration: "OPTIONAL", ...sms, ...email };
    const { poolId, clientId } = await createPool({ SmsConfiguration }, factors);
    const { name, email: address } = await createUser(poolId);
    expect((await start(clientId, name)).AuthenticationResult).toBeDefined();
    const prefer = (more: Partial<sdk.AdminSetUserMFAPreferenceCommandInput>) =>
      pools.cognito.send(new sdk.AdminSetUserMFAPreferenceCommand({ UserPoolId: poolId, Username: name, ...more }));
    await prefer({ SMSMfaSettings: { Enabled: true }, EmailMfaSettings: { Enabled: true } });
    const choice = await start(clientId, name);
    expect(choice.ChallengeName).toBe("SELECT_MFA_TYPE");
    expect(JSON.parse(choice.ChallengeParameters?.["MFAS_CAN_CHOOSE"] ?? "")).toEqual(["SMS_MFA", "EMAIL_OTP"]);
    await expect(respond(clientId, choice, name, { ANSWER: "SOFTWARE_TOKEN_MFA" })).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    const asked = await respond(clientId, choice, name, { ANSWER: "EMAIL_OTP" });
    expect(asked).toMatchObject({
      ChallengeName: "EMAIL_OTP",
      ChallengeParameters: { CODE_DELIVERY_DELIVERY_MEDIUM: "EMAIL", CODE_DELIVERY_DESTINATION: "u***@e***" },
    });
    expect(await pools.lastMessage(address)).toMatchObject({
      subject: "Code",
      body: expect.stringMatching(/^It is \d{6}$/),
    });
    const EMAIL_OTP_CODE = await pools.lastCode(address);
    expect((await respond(clientId, asked, name, { EMAIL_OTP_CODE })).AuthenticationResult).toBeDefined();
    // A preferred one is asked for at once.
    await prefer({ EmailMfaSettings: { Enabled: true, PreferredMfa: true } });
    expect((await start(clientId, name)).ChallengeName).toBe("EMAIL_OTP");
    const user = await pools.cognito.send(new sdk.AdminGetUserCommand({ UserPoolId: poolId, Username: name }));
    expect(user).toMatchObject({ PreferredMfaSetting: "EMAIL_OTP", UserMFASettingList: ["SMS_MFA", "EMAIL_OTP"] });
  });

  test("MFA_SETUP: where MFA is required and there is no factor yet, an app is set up before there are tokens", async () => {
    const { poolId, clientId } = await createPool({}, { MfaConfiguration: "ON", ...totp });
    const { name } = await createUser(poolId);
    const asked = await start(clientId, name);
    expect(asked).toMatchObject({
      ChallengeName: "MFA_SETUP",
      ChallengeParameters: { MFAS_CAN_SETUP: '["SOFTWARE_TOKEN_MFA"]' },
    });
    await expect(respond(clientId, asked, name, {})).rejects.toMatchObject({ name: "InvalidParameterException" });
    const { SecretCode: secret = "", Session } = await pools.cognito.send(
      new sdk.AssociateSoftwareTokenCommand({ Session: asked.Session }),
    );
    const epoch = () => Math.floor(clock.now() / 1000);
    const UserCode = await generate({ secret, epoch: epoch() });
    const verified = await pools.cognito.send(new sdk.VerifySoftwareTokenCommand({ Session, UserCode }));
    const set = { ChallengeName: "MFA_SETUP" as const, Session: verified.Session };
    expect((await respond(clientId, set, name, {})).AuthenticationResult).toBeDefined();
    const next = await start(clientId, name);
    expect(next.ChallengeName).toBe("SOFTWARE_TOKEN_MFA");
    await expect(respond(clientId, next, name, { SOFTWARE_TOKEN_MFA_CODE: UserCode })).rejects.toMatchObject({
      name: "ExpiredCodeException",
    });
    clock.advance(31_000);
    const later = await generate({ secret, epoch: epoch() });
    const done = await respond(clientId, next, name, { SOFTWARE_TOKEN_MFA_CODE: later });
    expect(done.AuthenticationResult).toBeDefined();
  });
});

async function register(clientId: string, name: string, passkey: ReturnType<typeof createSoftwarePasskey>) {
  const signedIn = await start(clientId, name);
  const AccessToken = signedIn.AuthenticationResult?.AccessToken;
  const { CredentialCreationOptions: options } = await pools.cognito.send(
    new sdk.StartWebAuthnRegistrationCommand({ AccessToken }),
  );
  const asked: { readonly challenge: string } = JSON.parse(JSON.stringify(options));
  const { ...Credential } = passkey.register(asked);
  const complete = () =>
    pools.cognito.send(
      new sdk.CompleteWebAuthnRegistrationCommand({
        AccessToken,
        Credential: { ...Credential, clientExtensionResults: {}, response: { ...Credential.response } },
      }),
    );
  await complete();
  await expect(complete()).rejects.toMatchObject({ name: "WebAuthnChallengeNotFoundException" });
  const { Credentials } = await pools.cognito.send(new sdk.ListWebAuthnCredentialsCommand({ AccessToken }));
  expect(Credentials).toMatchObject([{ CredentialId: passkey.id, RelyingPartyId: rpId }]);
}

describe("Choosing a first factor (USER_AUTH)", () => {
  const policies = {
    SignInPolicy: {
      AllowedFirstAuthFactors: ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"] as sdk.AuthFactorType[],
    },
  };

  test("a user is offered what the pool allows and the user has", async () => {
    const { poolId, clientId } = await createPool({ Policies: policies });
    const { name } = await createUser(poolId);
    const offered = await start(clientId, name, "USER_AUTH");
    expect(offered.ChallengeName).toBe("SELECT_CHALLENGE");
    expect(offered.AvailableChallenges).toEqual(["PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP"]);
    const chosen = await respond(clientId, offered, name, { ANSWER: "PASSWORD", PASSWORD: password });
    expect(chosen.AuthenticationResult).toBeDefined();
    const mute = await createUser(poolId, { email_verified: "false", phone_number: "", phone_number_verified: "" });
    const fewer = await start(clientId, mute.name, "USER_AUTH");
    expect(fewer.AvailableChallenges).toEqual(["PASSWORD", "PASSWORD_SRP"]);
    await expect(respond(clientId, fewer, mute.name, { ANSWER: "EMAIL_OTP" })).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    await expect(
      respond(clientId, fewer, mute.name, { ANSWER: "PASSWORD", PASSWORD: "Wrong-Horse-1" }),
    ).rejects.toThrow("Incorrect username or password.");
  });

  test("PREFERRED_CHALLENGE: a password, a code by email of eight digits, one by text message", async () => {
    const { poolId, clientId } = await createPool({ Policies: policies });
    const user = await createUser(poolId);
    const prefer = (PREFERRED_CHALLENGE: string, more: Readonly<Record<string, string>> = {}) =>
      start(clientId, user.name, "USER_AUTH", { PREFERRED_CHALLENGE, ...more });
    expect((await prefer("PASSWORD", { PASSWORD: password })).AuthenticationResult).toBeDefined();
    expect((await prefer("PASSWORD_SRP", { SRP_A: "abc123" })).ChallengeName).toBe("PASSWORD_VERIFIER");
    for (const [factor, destination, digits] of [
      ["EMAIL_OTP", user.email, /^\d{8}$/],
      ["SMS_OTP", user.phone_number, /^\d{6}$/],
    ] as const) {
      const asked = await prefer(factor);
      expect(asked.ChallengeName).toBe(factor);
      const code = await pools.lastCode(destination);
      expect(code).toMatch(digits);
      const wrong = respond(clientId, asked, user.name, { [`${factor}_CODE`]: other(code) });
      await expect(wrong).rejects.toMatchObject({ name: "CodeMismatchException" });
      const done = await respond(clientId, asked, user.name, { [`${factor}_CODE`]: code });
      expect(done.AuthenticationResult).toBeDefined();
      await expect(respond(clientId, asked, user.name, { [`${factor}_CODE`]: code })).rejects.toThrow(
        "only be used once",
      );
    }
  });

  test("a passkey signs in; a challenge that was answered, another user's, another origin's are refused", async () => {
    const { poolId, clientId } = await createPool(
      { Policies: policies },
      { MfaConfiguration: "OFF", WebAuthnConfiguration: { RelyingPartyId: rpId } },
    );
    const { name } = await createUser(poolId);
    const passkey = createSoftwarePasskey(rpId, `https://${rpId}`);
    await register(clientId, name, passkey);
    const offered = await start(clientId, name, "USER_AUTH", { PREFERRED_CHALLENGE: "WEB_AUTHN" });
    expect(offered.ChallengeName).toBe("WEB_AUTHN");
    const options = JSON.parse(offered.ChallengeParameters?.["CREDENTIAL_REQUEST_OPTIONS"] ?? "");
    expect(options).toMatchObject({ rpId, allowCredentials: [{ id: passkey.id }], userVerification: "preferred" });
    const stranger = createSoftwarePasskey(rpId, `https://${rpId}`);
    const elsewhere = createSoftwarePasskey(rpId, "https://evil.example.org");
    for (const CREDENTIAL of [
      stranger.authenticate(options),
      elsewhere.authenticate(options),
      passkey.authenticate({ challenge: "AAAA" }),
      "{}",
      "no JSON",
    ]) {
      await expect(respond(clientId, offered, name, { CREDENTIAL })).rejects.toMatchObject({
        name: "NotAuthorizedException",
      });
    }
    // Wrong answers do not use a challenge up but for the fifth.
    const again = await start(clientId, name, "USER_AUTH", { PREFERRED_CHALLENGE: "WEB_AUTHN" });
    const fresh = JSON.parse(again.ChallengeParameters?.["CREDENTIAL_REQUEST_OPTIONS"] ?? "");
    const CREDENTIAL = passkey.authenticate(fresh, false);
    expect((await respond(clientId, again, name, { CREDENTIAL })).AuthenticationResult).toBeDefined();
    await expect(respond(clientId, again, name, { CREDENTIAL })).rejects.toThrow("only be used once");
  });

  test("a passkey is both factors where the pool says so, unless the user has switched that off", async () => {
    const webAuthn = { RelyingPartyId: rpId, FactorConfiguration: "MULTI_FACTOR_WITH_USER_VERIFICATION" as const };
    const { poolId, clientId } = await createPool(
      { Policies: policies },
      { MfaConfiguration: "OPTIONAL", ...email, WebAuthnConfiguration: webAuthn },
    );
    const { name } = await createUser(poolId);
    const passkey = createSoftwarePasskey(rpId, `https://${rpId}`);
    await register(clientId, name, passkey);
    const prefer = (more: Partial<sdk.AdminSetUserMFAPreferenceCommandInput>) =>
      pools.cognito.send(new sdk.AdminSetUserMFAPreferenceCommand({ UserPoolId: poolId, Username: name, ...more }));
    await expect(prefer({ WebAuthnMfaSettings: { Enabled: true } })).rejects.toThrow("another MFA method");
    await prefer({ EmailMfaSettings: { Enabled: true }, WebAuthnMfaSettings: { Enabled: true } });
    await expect(prefer({ EmailMfaSettings: { Enabled: false } })).rejects.toThrow("another MFA method");

    const asked = await start(clientId, name, "USER_AUTH", { PREFERRED_CHALLENGE: "WEB_AUTHN" });
    const options = JSON.parse(asked.ChallengeParameters?.["CREDENTIAL_REQUEST_OPTIONS"] ?? "");
    expect(options.userVerification).toBe("required");
    await expect(
      respond(clientId, asked, name, { CREDENTIAL: passkey.authenticate(options, false) }),
    ).rejects.toMatchObject({ name: "NotAuthorizedException" });
    const done = await respond(clientId, asked, name, { CREDENTIAL: passkey.authenticate(options) });
    expect(done.AuthenticationResult).toBeDefined();
    // A password is one factor still.
    expect((await start(clientId, name)).ChallengeName).toBe("EMAIL_OTP");

    await prefer({ WebAuthnMfaSettings: { Enabled: false } });
    const without = await start(clientId, name, "USER_AUTH");
    expect(without.AvailableChallenges).not.toContain("WEB_AUTHN");
  });

  test("passkey MFA is refused in pools where a passkey is one factor", async () => {
    const { poolId } = await createPool({ Policies: policies }, { MfaConfiguration: "OPTIONAL", ...email });
    const { name } = await createUser(poolId);
    const preference = {
      UserPoolId: poolId,
      Username: name,
      EmailMfaSettings: { Enabled: true },
      WebAuthnMfaSettings: { Enabled: true },
    };
    await expect(pools.cognito.send(new sdk.AdminSetUserMFAPreferenceCommand(preference))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
  });
});

/** What a browser keeps. */
const storage = () => {
  const kept = new Map<string, string>();
  return {
    setItem: (name: string, value: string) => void kept.set(name, value),
    getItem: (name: string) => kept.get(name) ?? null,
    removeItem: (name: string) => void kept.delete(name),
    clear: () => kept.clear(),
  };
};

const signIn = (poolId: string, clientId: string, Username: string, Storage: ReturnType<typeof storage>) => {
  const Pool = new CognitoUserPool({ UserPoolId: poolId, ClientId: clientId, endpoint: platform.endpoint, Storage });
  const user = new CognitoUser({ Username, Pool, Storage });
  return new Promise<{ readonly user: CognitoUser; readonly asked: boolean }>((resolve, reject) => {
    let asked = false;
    const callbacks = {
      onSuccess: () => resolve({ user, asked }),
      onFailure: reject,
      mfaRequired: () => {
        asked = true;
        void pools.lastCode(`+49100000${made}`).then((code) => user.sendMFACode(code, callbacks));
      },
    };
    user.authenticateUser(new AuthenticationDetails({ Username, Password: password }), callbacks);
  });
};

describe("Devices", () => {
  test("amazon-cognito-identity-js: a device that is remembered proves itself, and is asked for no code", async () => {
    const { poolId, clientId } = await createPool(
      {
        SmsConfiguration,
        DeviceConfiguration: { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: true },
      },
      { MfaConfiguration: "ON", ...sms },
    );
    const { name } = await createUser(poolId);
    const browser = storage();
    const first = await signIn(poolId, clientId, name, browser);
    expect(first.asked).toBe(true);
    const list = async () =>
      (await pools.cognito.send(new sdk.AdminListDevicesCommand({ UserPoolId: poolId, Username: name }))).Devices ?? [];
    const status = async () =>
      (await list()).map(
        ({ DeviceAttributes }) => DeviceAttributes?.find(({ Name }) => Name === "dev:device_remembered_status")?.Value,
      );
    expect(await status()).toEqual(["not_remembered"]);
    await new Promise<void>((resolve, reject) => {
      first.user.setDeviceStatusRemembered({ onSuccess: () => resolve(), onFailure: reject });
    });
    expect(await status()).toEqual(["remembered"]);
    clock.advance(1);
    expect((await signIn(poolId, clientId, name, browser)).asked).toBe(false);
    expect(await list()).toHaveLength(1);
    // Nobody else is trusted by that.
    expect((await start(clientId, name)).ChallengeName).toBe("SMS_MFA");
    const [device] = await list();
    await pools.cognito.send(
      new sdk.AdminForgetDeviceCommand({ UserPoolId: poolId, Username: name, DeviceKey: device?.DeviceKey }),
    );
    const DEVICE_KEY = device?.DeviceKey ?? "";
    const forgotten = await start(clientId, name, "USER_PASSWORD_AUTH", { PASSWORD: password, DEVICE_KEY });
    expect(forgotten.ChallengeName).toBe("SMS_MFA");
  }, 60_000);

  test("a device's key alone is no proof, and refreshing needs the device of the sign-in", async () => {
    const { poolId, clientId } = await createPool({
      DeviceConfiguration: { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: false },
    });
    const { name } = await createUser(poolId);
    const signedIn = (await start(clientId, name)).AuthenticationResult;
    const DeviceKey = signedIn?.NewDeviceMetadata?.DeviceKey ?? "";
    expect(signedIn?.NewDeviceMetadata?.DeviceGroupKey).toMatch(/^-\w{8}$/);
    const confirmed = await pools.cognito.send(
      new sdk.ConfirmDeviceCommand({
        AccessToken: signedIn?.AccessToken,
        DeviceKey,
        DeviceName: "test",
        DeviceSecretVerifierConfig: {
          PasswordVerifier: Buffer.alloc(384, 7).toString("base64"),
          Salt: Buffer.alloc(16, 7).toString("base64"),
        },
      }),
    );
    expect(confirmed.UserConfirmationNecessary).toBe(false);
    const asked = await start(clientId, name, "USER_PASSWORD_AUTH", { PASSWORD: password, DEVICE_KEY: DeviceKey });
    expect(asked.ChallengeName).toBe("DEVICE_SRP_AUTH");
    const next = await respond(clientId, asked, name, { DEVICE_KEY: DeviceKey, SRP_A: "abcdef" });
    expect(next.ChallengeName).toBe("DEVICE_PASSWORD_VERIFIER");
    const proof = respond(clientId, { ChallengeName: "DEVICE_PASSWORD_VERIFIER" }, name, {
      DEVICE_KEY: DeviceKey,
      PASSWORD_CLAIM_SECRET_BLOCK: next.ChallengeParameters?.["SECRET_BLOCK"] ?? "",
      PASSWORD_CLAIM_SIGNATURE: Buffer.alloc(32).toString("base64"),
      TIMESTAMP: "Sun Nov 22 14:00:00 UTC 2026",
    });
    await expect(proof).rejects.toThrow("Incorrect username or password.");
    const refresh = (more: Readonly<Record<string, string>>) =>
      pools.cognito.send(
        new sdk.InitiateAuthCommand({
          ClientId: clientId,
          AuthFlow: "REFRESH_TOKEN_AUTH",
          AuthParameters: { REFRESH_TOKEN: signedIn?.RefreshToken ?? "", ...more },
        }),
      );
    await expect(refresh({})).rejects.toThrow("Invalid Refresh Token");
    await expect(refresh({ DEVICE_KEY: "us-east-1_00000000-0000-4000-8000-000000000000" })).rejects.toThrow("Invalid");
    expect((await refresh({ DEVICE_KEY: DeviceKey })).AuthenticationResult).toBeDefined();
  });
});
