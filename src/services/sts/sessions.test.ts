import * as iamSdk from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-sts";
import { generate } from "otplib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AccessTest,
  account,
  type Keys,
  policy,
  refusal,
  roleArn,
  startAccessTest,
  statement,
  trust,
} from "../../testing/access.ts";

let access: AccessTest;
let keys: Keys;

const toKeys = (credentials: sdk.Credentials | undefined): Keys => ({
  accessKeyId: credentials?.AccessKeyId ?? "",
  secretAccessKey: credentials?.SecretAccessKey ?? "",
  sessionToken: credentials?.SessionToken ?? "",
});

beforeAll(async () => {
  access = await startAccessTest();
  keys = await access.createUser("ann", policy(statement(["sts:*", "iam:List*"])));
});
afterAll(() => access.stop());

async function createRole(RoleName: string, AssumeRolePolicyDocument: string, document?: string) {
  await access.iam.send(new iamSdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  if (document === undefined) return;
  await access.iam.send(new iamSdk.PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument: document }));
}

const federate = async (as: Keys, more: object = {}) =>
  toKeys((await access.stsAs(as).send(new sdk.GetFederationTokenCommand({ Name: "bob", ...more }))).Credentials);

const both = (who: string) =>
  policy({
    Effect: "Allow",
    Principal: { AWS: who },
    Action: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
  });

const first = (more: object = {}) =>
  access.assume(keys, roleArn("first"), {
    Tags: [
      { Key: "team", Value: "a" },
      { Key: "passing", Value: "b" },
    ],
    TransitiveTagKeys: ["team"],
    SourceIdentity: "ann",
    ...more,
  });

describe("GetFederationToken", () => {
  test("gives what both the user's and the session's policies allow", async () => {
    const session = await federate(keys, { Policy: policy(statement(["iam:ListRoles", "iam:GetUser"])) });
    await expect(access.stsAs(session).send(new sdk.GetCallerIdentityCommand({}))).resolves.toMatchObject({
      Arn: `arn:aws:sts::${account}:federated-user/bob`,
      UserId: `${account}:bob`,
    });
  });

  test("of which IAM and STS take none", async () => {
    const session = await federate(keys, { Policy: policy(statement("*")) });
    expect(await refusal(access.iamAs(session).send(new iamSdk.ListRolesCommand({})))).toMatchObject({
      name: "InvalidClientTokenId",
      status: 403,
    });
    for (const command of [new sdk.GetSessionTokenCommand({}), new sdk.GetFederationTokenCommand({ Name: "eve" })]) {
      expect(await refusal(access.stsAs(session).send(command as sdk.GetSessionTokenCommand))).toMatchObject({
        name: "AccessDenied",
        status: 403,
      });
    }
    expect(await refusal(access.assume(session, roleArn("any")))).toMatchObject({ name: "AccessDenied" });
  });

  test("needs permission, and a user or the root", async () => {
    const other = await access.createUser("unfederated");
    expect(await refusal(federate(other))).toMatchObject({ name: "AccessDenied" });
    const root = await federate(access.platform.settings.credentials, { Policy: policy(statement("*")) });
    await access.stsAs(root).send(new sdk.GetCallerIdentityCommand({}));
  });

  test.each([
    [{ Name: "x" }, "ValidationError"],
    [{ DurationSeconds: 899 }, "ValidationError"],
    [{ Policy: "{}" }, "MalformedPolicyDocumentException"],
    [{ PolicyArns: [{ arn: "arn:aws:iam::999999999999:policy/p" }] }, "ValidationError"],
    [
      {
        Tags: [
          { Key: "a", Value: "1" },
          { Key: "A", Value: "2" },
        ],
      },
      "ValidationError",
    ],
  ])("refuses %j", async (more, code) => {
    expect(await refusal(federate(keys, more))).toMatchObject({ name: code });
  });
});

describe("sessions of GetSessionToken", () => {
  test("without MFA are none for IAM, and of STS may assume roles and ask who they are", async () => {
    const { Credentials } = await access.stsAs(keys).send(new sdk.GetSessionTokenCommand({}));
    const session = toKeys(Credentials);
    expect(await refusal(access.iamAs(session).send(new iamSdk.ListRolesCommand({})))).toMatchObject({
      name: "InvalidClientTokenId",
    });
    expect(await refusal(access.stsAs(session).send(new sdk.GetFederationTokenCommand({ Name: "bob" })))).toMatchObject(
      { message: "Cannot call GetFederationToken with session credentials" },
    );
    await createRole("byuser", trust({ AWS: `arn:aws:iam::${account}:user/ann` }));
    await access.assume(session, roleArn("byuser"));
  });
});

describe("MFA", () => {
  let seed = "";
  const serial = `arn:aws:iam::${account}:mfa/ann`;
  const codeAt = (offsetSeconds: number) =>
    generate({ secret: seed, epoch: Math.floor(Date.now() / 1000) + offsetSeconds });

  beforeAll(async () => {
    const made = await access.iam.send(new iamSdk.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: "ann" }));
    seed = Buffer.from(made.VirtualMFADevice?.Base32StringSeed ?? []).toString();
    await access.iam.send(
      new iamSdk.EnableMFADeviceCommand({
        UserName: "ann",
        SerialNumber: serial,
        AuthenticationCode1: await codeAt(-60),
        AuthenticationCode2: await codeAt(-30),
      }),
    );
    const Condition = { Bool: { "aws:MultiFactorAuthPresent": "true" } };
    await createRole("guarded", trust({ AWS: `arn:aws:iam::${account}:user/ann` }, { Condition }));
  });

  test("a role that wants a code is not given without one, nor for a wrong one or another's device", async () => {
    expect(await refusal(access.assume(keys, roleArn("guarded")))).toMatchObject({ name: "AccessDenied" });
    for (const more of [
      { SerialNumber: serial, TokenCode: "000000" },
      { SerialNumber: `${serial}2`, TokenCode: await codeAt(0) },
    ]) {
      expect((await refusal(access.assume(keys, roleArn("guarded"), more))).message).toContain(
        "MultiFactorAuthentication failed with invalid MFA one time pass code",
      );
    }
    expect((await refusal(access.assume(keys, roleArn("guarded"), { SerialNumber: serial }))).message).toContain(
      "must provide both MFA serial number and one time pass code",
    );
  });

  test("a code counts once; a session that was begun with one goes on having shown it", async () => {
    const TokenCode = await codeAt(0);
    const asked = new sdk.GetSessionTokenCommand({ SerialNumber: serial, TokenCode });
    const session = toKeys((await access.stsAs(keys).send(asked)).Credentials);
    expect(await refusal(access.stsAs(keys).send(asked))).toMatchObject({ name: "AccessDenied" });
    await access.assume(session, roleArn("guarded"));
    await access.iamAs(session).send(new iamSdk.ListRolesCommand({}));
  });

  test("AssumeRole takes a code of its own", async () => {
    await access.assume(keys, roleArn("guarded"), { SerialNumber: serial, TokenCode: await codeAt(30) });
  });
});

describe("role chaining", () => {
  beforeAll(async () => {
    await createRole("first", both(`arn:aws:iam::${account}:user/ann`), policy(statement(["sts:*"])));
    await createRole(
      "second",
      both(`arn:aws:iam::${account}:role/first`),
      policy({
        ...statement("iam:ListRoles"),
        Condition: { StringEquals: { "aws:PrincipalTag/team": "a", "aws:SourceIdentity": "ann" } },
      }),
    );
    await createRole("plain", trust({ AWS: `arn:aws:iam::${account}:role/first` }));
  });
  test("carries transitive tags and the source identity over", async () => {
    const session = await access.assume(await first(), roleArn("second"));
    await access.iamAs(session).send(new iamSdk.ListRolesCommand({}));
    const untagged = await access.assume(await first({ TransitiveTagKeys: [] }), roleArn("second"));
    expect(await refusal(access.iamAs(untagged).send(new iamSdk.ListRolesCommand({})))).toMatchObject({
      name: "AccessDenied",
    });
  });

  test.each([
    [{ Tags: [{ Key: "team", Value: "b" }] }, "conflicts with a transitive tag key"],
    [{ SourceIdentity: "eve" }, "is not authorized to perform: sts:SetSourceIdentity"],
    [{ DurationSeconds: 3601 }, "1 hour session limit for roles assumed by role chaining"],
  ])("refuses %j", async (more, message) => {
    expect((await refusal(access.assume(await first(), roleArn("second"), more))).message).toContain(message);
  });

  test("needs the next role's trust for tags and a source identity too", async () => {
    expect((await refusal(access.assume(await first(), roleArn("plain")))).message).toContain("sts:TagSession");
    const quiet = await first({ Tags: [], TransitiveTagKeys: [] });
    expect((await refusal(access.assume(quiet, roleArn("plain")))).message).toContain("sts:SetSourceIdentity");
  });
});

test("GetAccessKeyInfo tells the account of a key, and nothing of one that is unknown", async () => {
  const ask = (AccessKeyId: string) => access.stsAs(keys).send(new sdk.GetAccessKeyInfoCommand({ AccessKeyId }));
  await expect(ask(keys.accessKeyId)).resolves.toMatchObject({ Account: account });
  await expect(ask(access.platform.settings.credentials.accessKeyId)).resolves.toMatchObject({ Account: account });
  expect(await refusal(ask("AKIAAAAAAAAAAAAAAAAA"))).toMatchObject({ name: "ValidationError" });
});

test("DecodeAuthorizationMessage knows no message of ours, and needs permission", async () => {
  const command = new sdk.DecodeAuthorizationMessageCommand({ EncodedMessage: "abc" });
  expect(await refusal(access.stsAs(keys).send(command))).toMatchObject({
    name: "InvalidAuthorizationMessageException",
  });
  const other = await access.createUser("decoder");
  expect(await refusal(access.stsAs(other).send(command))).toMatchObject({ name: "AccessDenied" });
});
