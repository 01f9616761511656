import { Amplify, sharedInMemoryStorage } from "@aws-amplify/core";
import {
  confirmSignIn,
  confirmSignUp,
  fetchAuthSession,
  fetchUserAttributes,
  confirmResetPassword,
  resetPassword,
  setUpTOTP,
  signIn,
  signOut,
  signUp,
  updateMFAPreference,
  verifyTOTPSetup,
} from "@aws-amplify/auth";
import { cognitoUserPoolsTokenProvider, cognitoCredentialsProvider } from "@aws-amplify/auth/cognito";
import {
  CognitoIdentityClient,
  CreateIdentityPoolCommand,
  GetCredentialsForIdentityCommand,
  GetIdCommand,
  SetIdentityPoolRolesCommand,
} from "@aws-sdk/client-cognito-identity";
import {
  AdminAddUserToGroupCommand,
  AdminDisableUserCommand,
  AdminEnableUserCommand,
  CognitoIdentityProviderClient,
  CreateGroupCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  SetUserPoolMfaConfigCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { generate } from "otplib";
import { CognitoJwtVerifier, JwtVerifier } from "aws-jwt-verify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readMessages } from "../../src/services/cognito-idp/outbox/outbox.ts";
import { policy, roleArn, statement } from "../../src/testing/access.ts";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";

const account = "000000000000";
const password = "Correct-horse-1";
const provider = "cognito-identity.amazonaws.com";

let platform: TestPlatform;
let poolId: string;
let clientId: string;
let identityPoolId: string;
let admin: CognitoIdentityProviderClient;

beforeAll(async () => {
  platform = await startTestPlatform();
  const { settings, endpoint } = platform;
  admin = new CognitoIdentityProviderClient(settings);
  const pool = await admin.send(new CreateUserPoolCommand({ PoolName: "p", AutoVerifiedAttributes: ["email"] }));
  poolId = pool.UserPool?.Id ?? "";
  const client = await admin.send(new CreateUserPoolClientCommand({ UserPoolId: poolId, ClientName: "app" }));
  clientId = client.UserPoolClient?.ClientId ?? "";

  const identity = new CognitoIdentityClient(settings);
  const ProviderName = `cognito-idp.us-east-1.amazonaws.com/${poolId}`;
  const made = await identity.send(
    new CreateIdentityPoolCommand({
      IdentityPoolName: "p",
      AllowUnauthenticatedIdentities: true,
      CognitoIdentityProviders: [{ ProviderName, ClientId: clientId, ServerSideTokenCheck: true }],
    }),
  );
  identityPoolId = made.IdentityPoolId ?? "";
  const iam = new IAMClient(settings);
  for (const [name, amr] of [
    ["member", "authenticated"],
    ["editor", "authenticated"],
    ["guest", "unauthenticated"],
  ] as const) {
    const AssumeRolePolicyDocument = policy({
      Effect: "Allow",
      Principal: { Federated: provider },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: {
        StringEquals: { [`${provider}:aud`]: identityPoolId },
        "ForAnyValue:StringLike": { [`${provider}:amr`]: amr },
      },
    });
    await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument }));
  }
  const PolicyDocument = policy(statement("s3:PutObject", `arn:aws:s3:::files/\${${provider}:sub}/*`));
  await iam.send(new PutRolePolicyCommand({ RoleName: "member", PolicyName: "own", PolicyDocument }));
  await identity.send(
    new SetIdentityPoolRolesCommand({
      IdentityPoolId: identityPoolId,
      Roles: { authenticated: roleArn("member"), unauthenticated: roleArn("guest") },
      RoleMappings: {
        [`${ProviderName}:${clientId}`]: { Type: "Token", AmbiguousRoleResolution: "AuthenticatedRole" },
      },
    }),
  );
  await admin.send(new CreateGroupCommand({ UserPoolId: poolId, GroupName: "editors", RoleArn: roleArn("editor") }));
  await new S3Client({ ...settings, forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: "files" }));
  cognitoUserPoolsTokenProvider.setKeyValueStorage(sharedInMemoryStorage);
  const Auth = {
    Cognito: {
      userPoolId: poolId,
      userPoolClientId: clientId,
      userPoolEndpoint: endpoint,
      identityPoolId,
      identityPoolEndpoint: endpoint,
      allowGuestAccess: true,
    },
  };
  cognitoUserPoolsTokenProvider.setAuthConfig(Auth);
  const providers = { tokenProvider: cognitoUserPoolsTokenProvider, credentialsProvider: cognitoCredentialsProvider };
  Amplify.configure({ Auth }, { Auth: providers });
}, 30_000);
afterAll(() => platform.stop());

async function codeSentTo(destination: string): Promise<string> {
  const messages = await platform.platform.store.read((reader) => readMessages(reader, account, 100));
  return /\b\d{6}\b/.exec(messages.find((each) => each.destination === destination)?.body ?? "")?.[0] ?? "";
}

async function who(): Promise<string> {
  const { credentials } = await fetchAuthSession({ forceRefresh: true });
  if (!credentials) throw new Error("There are no credentials");
  const sts = new STSClient({ ...platform.settings, credentials });
  return (await sts.send(new GetCallerIdentityCommand({}))).Arn ?? "";
}

test("Amplify signs up, confirms, signs in by SRP, gets credentials of the identity pool, resets, and signs out everywhere", async () => {
  expect(await who()).toContain("assumed-role/guest/");
  await signUp({ username: "ann", password, options: { userAttributes: { email: "ann@example.com" } } });
  await confirmSignUp({ username: "ann", confirmationCode: await codeSentTo("ann@example.com") });
  await expect(signIn({ username: "ann", password: "Wrong-password-1" })).rejects.toThrow(
    "Incorrect username or password.",
  );
  expect((await signIn({ username: "ann", password })).isSignedIn).toBe(true);
  expect((await fetchUserAttributes()).email).toBe("ann@example.com");
  expect(await who()).toContain("assumed-role/member/CognitoIdentityCredentials");

  // What the role allows is this identity's own.
  const { credentials, identityId = "", tokens } = await fetchAuthSession();
  if (!credentials) throw new Error("There are no credentials");
  const s3 = new S3Client({ ...platform.settings, credentials, forcePathStyle: true });
  await s3.send(new PutObjectCommand({ Bucket: "files", Key: `${identityId}/a`, Body: "x" }));
  await expect(s3.send(new PutObjectCommand({ Bucket: "files", Key: "other/a", Body: "x" }))).rejects.toThrow(
    "s3:PutObject",
  );

  // A group's role, by the token.
  await admin.send(new AdminAddUserToGroupCommand({ UserPoolId: poolId, Username: "ann", GroupName: "editors" }));
  expect(await who()).toContain("assumed-role/editor/");

  const old = tokens?.idToken?.toString() ?? "";
  const identity = new CognitoIdentityClient(platform.settings);
  const loginAs = (token: string) =>
    identity.send(
      new GetIdCommand({
        IdentityPoolId: identityPoolId,
        Logins: { [`cognito-idp.us-east-1.amazonaws.com/${poolId}`]: token },
      }),
    );
  expect((await loginAs(old)).IdentityId).toBe(identityId);
  const access = tokens?.accessToken.toString() ?? "";
  await expect(loginAs(access)).rejects.toThrow("Invalid login token. Missing a required claim: aud");
  await admin.send(new AdminDisableUserCommand({ UserPoolId: poolId, Username: "ann" }));
  await expect(loginAs(old)).rejects.toThrow("Invalid login token.");
  await admin.send(new AdminEnableUserCommand({ UserPoolId: poolId, Username: "ann" }));

  await resetPassword({ username: "ann" });
  await confirmResetPassword({
    username: "ann",
    newPassword: "Another-horse-2",
    confirmationCode: await codeSentTo("ann@example.com"),
  });
  await signOut({ global: true });
  expect(await who()).toContain("assumed-role/guest/");
  const Logins = { [`cognito-idp.us-east-1.amazonaws.com/${poolId}`]: old };
  await expect(identity.send(new GetCredentialsForIdentityCommand({ IdentityId: identityId, Logins }))).rejects.toThrow(
    "Invalid login token.",
  );
  expect((await signIn({ username: "ann", password: "Another-horse-2" })).isSignedIn).toBe(true);
}, 60_000);

test("aws-jwt-verify verifies the tokens, and refuses what was changed", async () => {
  const { tokens } = await fetchAuthSession();
  const idToken = tokens?.idToken?.toString() ?? "";
  const accessToken = tokens?.accessToken.toString() ?? "";
  const issuer = `${platform.endpoint}/${poolId}`;
  const jwks = await (await fetch(`${issuer}/.well-known/jwks.json`)).json();
  const verifier = JwtVerifier.create({ issuer, audience: clientId });
  verifier.cacheJwks(jwks);
  expect(await verifier.verify(idToken)).toMatchObject({ email: "ann@example.com", token_use: "id" });
  const [head = "", body = "", signature = ""] = idToken.split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString("utf8"));
  const changed = Buffer.from(JSON.stringify({ ...claims, email: "root@example.com" })).toString("base64url");
  await expect(verifier.verify(`${head}.${changed}.${signature}`)).rejects.toThrow("Invalid signature");
  const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
  await expect(verifier.verify(`${none}.${body}.`)).rejects.toThrow();
  const other = JwtVerifier.create({ issuer, audience: "another" });
  other.cacheJwks(jwks);
  await expect(other.verify(idToken)).rejects.toThrow("Audience not allowed");
  // Of the pool by its name on AWS: the tokens name the address of this server.
  const cognito = CognitoJwtVerifier.create({ userPoolId: poolId, clientId, tokenUse: "access" });
  cognito.cacheJwks(jwks);
  await expect(cognito.verify(accessToken)).rejects.toThrow("issuer not configured");
});

test("Amplify sets an authenticator app up, signs in with it, and refreshes", async () => {
  const SoftwareTokenMfaConfiguration = { Enabled: true };
  await admin.send(
    new SetUserPoolMfaConfigCommand({
      UserPoolId: poolId,
      MfaConfiguration: "OPTIONAL",
      SoftwareTokenMfaConfiguration,
    }),
  );
  const { sharedSecret: secret } = await setUpTOTP();
  // Each code is good once: the one that sets the app up is that of the step before.
  const codeAt = (step: number) => generate({ secret, epoch: Math.floor(Date.now() / 1000) + step * 30 });
  await verifyTOTPSetup({ code: await codeAt(-1) });
  await updateMFAPreference({ totp: "PREFERRED" });
  await signOut();
  const asked = await signIn({ username: "ann", password: "Another-horse-2" });
  expect(asked.nextStep.signInStep).toBe("CONFIRM_SIGN_IN_WITH_TOTP_CODE");
  const good = await codeAt(0);
  await expect(confirmSignIn({ challengeResponse: good === "000000" ? "000001" : "000000" })).rejects.toThrow();
  expect((await confirmSignIn({ challengeResponse: await codeAt(0) })).isSignedIn).toBe(true);
  const before = (await fetchAuthSession()).tokens?.accessToken.toString();
  const after = (await fetchAuthSession({ forceRefresh: true })).tokens?.accessToken.toString();
  expect(after).not.toBe(before);
}, 60_000);
