import { X509Certificate } from "node:crypto";
import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFakeClock, startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { poolsOf } from "../../../testing/user-pools.ts";

const password = "Correct-Horse-1";
const clock = createFakeClock(Date.now());
let platform: TestPlatform;
let pools: ReturnType<typeof poolsOf>;
beforeAll(async () => {
  platform = await startTestPlatform({ clock });
  pools = poolsOf(platform);
});
afterAll(() => platform.stop());

let made = 0;
async function signUp(ClientId: string) {
  const Username = `new${++made}`;
  const email = `${Username}@example.com`;
  const answer = await pools.cognito.send(
    new sdk.SignUpCommand({
      ClientId,
      Username,
      Password: password,
      UserAttributes: [{ Name: "email", Value: email }],
    }),
  );
  return { Username, email, Session: answer.Session };
}

describe("From signing up straight to being signed in", () => {
  let clientId: string;
  beforeAll(async () => {
    const poolId = await pools.createPool({ AutoVerifiedAttributes: ["email"] });
    clientId = (await pools.createClient(poolId, { ExplicitAuthFlows: ["ALLOW_USER_AUTH"] })).id;
  });

  const confirm = async (user: Awaited<ReturnType<typeof signUp>>, Session = user.Session) => {
    const ConfirmationCode = await pools.lastCode(user.email);
    return pools.cognito.send(
      new sdk.ConfirmSignUpCommand({ ClientId: clientId, Username: user.Username, ConfirmationCode, Session }),
    );
  };
  const enter = (USERNAME: string, Session: string | undefined, AuthFlow: sdk.AuthFlowType = "USER_AUTH") =>
    pools.cognito.send(
      new sdk.InitiateAuthCommand({ ClientId: clientId, AuthFlow, AuthParameters: { USERNAME }, Session }),
    );

  test("the session of SignUp leads by ConfirmSignUp to tokens, once", async () => {
    const user = await signUp(clientId);
    await expect(enter(user.Username, user.Session)).rejects.toThrow("Invalid session for the user.");
    const confirmed = await confirm(user);
    const { AuthenticationResult: tokens } = await enter(user.Username, confirmed.Session);
    expect(tokens?.AccessToken).toBeDefined();
    await expect(enter(user.Username, confirmed.Session)).rejects.toThrow("session can only be used once");
  });

  test("another's session confirms nobody, and one that was made up neither", async () => {
    const user = await signUp(clientId);
    const other = await signUp(clientId);
    await expect(confirm(user, other.Session)).rejects.toThrow("Invalid session for the user.");
    await expect(confirm(user, "A".repeat(100))).rejects.toThrow("Invalid session for the user.");
    const confirmed = await confirm(user);
    await confirm(other);
    await expect(enter(other.Username, confirmed.Session)).rejects.toThrow("Invalid session for the user.");
    await expect(enter(user.Username, confirmed.Session, "USER_PASSWORD_AUTH")).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
  });

  test("who takes long is confirmed all the same, and signs in otherwise", async () => {
    const late = await signUp(clientId);
    const { Session } = await confirm(late);
    const user = await signUp(clientId);
    // Less than five minutes in all tests together: the client signs with the real time.
    clock.advance(180_001);
    expect((await confirm(user)).Session).toBeUndefined();
    await expect(enter(late.Username, Session)).rejects.toThrow("session is expired");
  });
});

test("a pool's signing certificate is its own key's, for ten years, and stays the same", async () => {
  const UserPoolId = await pools.createPool();
  const get = () => pools.cognito.send(new sdk.GetSigningCertificateCommand({ UserPoolId }));
  const { Certificate } = await get();
  const certificate = new X509Certificate(Buffer.from(Certificate ?? "", "base64"));
  expect(certificate.subject).toBe(`CN=${UserPoolId}`);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  const years = (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / (365 * 86_400_000);
  expect(years).toBe(10);
  expect((await get()).Certificate).toBe(Certificate);
});

describe("Email addresses that are verified by a link", () => {
  const template = {
    DefaultEmailOption: "CONFIRM_WITH_LINK" as const,
    EmailSubjectByLink: "Welcome",
    EmailMessageByLink: "Press {##here##}, please.",
  };

  async function createPool() {
    const poolId = await pools.createPool({
      AutoVerifiedAttributes: ["email"],
      VerificationMessageTemplate: template,
    });
    const { id } = await pools.createClient(poolId, { ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"] });
    return { poolId, id };
  }

  test("the link of the message confirms the user, once", async () => {
    const { poolId, id } = await createPool();
    await expect(signUp(id)).rejects.toThrow("has no domain");
    await pools.cognito.send(new sdk.CreateUserPoolDomainCommand({ UserPoolId: poolId, Domain: "links" }));
    const user = await signUp(id);
    const message = await pools.lastMessage(user.email);
    expect(message?.subject).toBe("Welcome");
    const [, link = "", label] = /^Press <a href="([^"]*)">(.*)<\/a>, please\.$/.exec(message?.body ?? "") ?? [];
    expect(label).toBe("here");
    const url = new URL(link.replaceAll("&#38;", "&"));
    expect(url.origin).toBe(platform.endpoint);

    const wrong = new URL(url);
    wrong.searchParams.set("confirmation_code", "000");
    expect((await fetch(wrong)).status).toBe(400);
    const foreign = new URL(url);
    foreign.searchParams.set("client_id", (await createPool()).id);
    expect((await fetch(foreign)).status).toBe(400);

    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("Your registration has been confirmed.");
    const found = await pools.cognito.send(
      new sdk.AdminGetUserCommand({ UserPoolId: poolId, Username: user.Username }),
    );
    expect(found.UserStatus).toBe("CONFIRMED");
    expect(found.UserAttributes).toContainEqual({ Name: "email_verified", Value: "true" });
    expect((await fetch(url)).status).toBe(400);
  });

  test("the code that is told by other means confirms too, and what is sent again is a link again", async () => {
    const { poolId, id } = await createPool();
    await pools.cognito.send(new sdk.CreateUserPoolDomainCommand({ UserPoolId: poolId, Domain: "again" }));
    const user = await signUp(id);
    clock.advance(1);
    await pools.cognito.send(new sdk.ResendConfirmationCodeCommand({ ClientId: id, Username: user.Username }));
    const body = (await pools.lastMessage(user.email))?.body ?? "";
    const ConfirmationCode = /confirmation_code=(\d{6})/.exec(body)?.[1] ?? "";
    await pools.cognito.send(new sdk.ConfirmSignUpCommand({ ClientId: id, Username: user.Username, ConfirmationCode }));
  });
});
