import * as sdk from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, GetSessionTokenCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AccessTest,
  account,
  type Keys,
  lambdaTrust,
  policy,
  refusal,
  roleArn,
  startAccessTest,
  statement,
  trust,
} from "../../testing/access.ts";

let access: AccessTest;
let assume: AccessTest["assume"];
let createUser: AccessTest["createUser"];
let iam: AccessTest["iam"];
let iamAs: AccessTest["iamAs"];
let stsAs: AccessTest["stsAs"];

beforeAll(async () => {
  access = await startAccessTest();
  ({ assume, createUser, iam, iamAs, stsAs } = access);
  await iam.send(
    new sdk.CreateRoleCommand({
      RoleName: "reader",
      AssumeRolePolicyDocument: lambdaTrust,
      Tags: [{ Key: "team", Value: "a" }],
    }),
  );
});
afterAll(() => access.stop());

describe("AssumeRole", () => {
  let keys: Keys;

  beforeAll(async () => {
    keys = await createUser("assumer", policy(statement("sts:*")));
    const trusted = trust({ AWS: `arn:aws:iam::${account}:root` });
    const withId = trust(
      { AWS: `arn:aws:iam::${account}:user/assumer` },
      { Condition: { StringEquals: { "sts:ExternalId": "secret" } } },
    );
    await iam.send(new sdk.CreateRoleCommand({ RoleName: "open", AssumeRolePolicyDocument: trusted }));
    await iam.send(new sdk.CreateRoleCommand({ RoleName: "guarded", AssumeRolePolicyDocument: withId }));
    await iam.send(new sdk.CreateRoleCommand({ RoleName: "service", AssumeRolePolicyDocument: lambdaTrust }));
    await iam.send(
      new sdk.PutRolePolicyCommand({
        RoleName: "open",
        PolicyName: "p",
        PolicyDocument: policy(statement(["iam:Get*", "iam:List*"])),
      }),
    );
  });

  test("gives credentials that may do what the role may, and nothing else", async () => {
    const session = await assume(keys, roleArn("open"));
    expect(session.accessKeyId).toMatch(/^ASIA/);
    await expect(stsAs(session).send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({
      Arn: `arn:aws:sts::${account}:assumed-role/open/session`,
    });
    await iamAs(session).send(new sdk.ListRolesCommand({}));
    const sent = iamAs(session).send(new sdk.DeleteRoleCommand({ RoleName: "reader" }));
    expect((await refusal(sent)).message).toContain(`User: arn:aws:sts::${account}:assumed-role/open/session`);
  });

  test("answers AccessDenied for a role that does not trust the caller, and for one that does not exist, alike", async () => {
    for (const name of ["service", "none"]) {
      expect(await refusal(assume(keys, roleArn(name)))).toEqual({
        name: "AccessDenied",
        message: `User: arn:aws:iam::${account}:user/assumer is not authorized to perform: sts:AssumeRole on resource: ${roleArn(name)}`,
        status: 403,
      });
    }
  });

  test("answers AccessDenied for a user whom only the account is trusted with", async () => {
    const other = await createUser("unassuming");
    expect(await refusal(assume(other, roleArn("open")))).toMatchObject({ name: "AccessDenied" });
  });

  test("wants the external id that the trust policy names", async () => {
    expect(await refusal(assume(keys, roleArn("guarded")))).toMatchObject({ status: 403 });
    expect(await refusal(assume(keys, roleArn("guarded"), { ExternalId: "wrong" }))).toMatchObject({ status: 403 });
    await assume(keys, roleArn("guarded"), { ExternalId: "secret" });
  });

  test("a session policy narrows, and does not widen", async () => {
    const Policy = policy(statement(["iam:GetRole", "iam:DeleteRole"]));
    const session = await assume(keys, roleArn("open"), { Policy });
    await iamAs(session).send(new sdk.GetRoleCommand({ RoleName: "reader" }));
    const list = iamAs(session).send(new sdk.ListRolesCommand({}));
    expect((await refusal(list)).message).toContain("because no session policy allows the iam:ListRoles action");
    const remove = iamAs(session).send(new sdk.DeleteRoleCommand({ RoleName: "reader" }));
    expect((await refusal(remove)).message).toContain("because no identity-based policy allows");
  });

  test("a managed policy narrows a session by what it says now", async () => {
    const PolicyArns = [{ arn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" }];
    const session = await assume(keys, roleArn("open"), { PolicyArns });
    expect(await refusal(iamAs(session).send(new sdk.ListRolesCommand({})))).toMatchObject({ status: 403 });
  });

  test.each([
    [{ DurationSeconds: 7200 }, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."],
    [{ Policy: "{" }, "Syntax errors in policy."],
    [
      { ProvidedContexts: [{ ContextAssertion: "abcd" }] },
      "The parameter ProvidedContexts of AssumeRole is not implemented by Cumulet",
    ],
    [{ TransitiveTagKeys: ["a"] }, "The specified transitive tag key must be included in the requested tags."],
  ])("refuses %j", async (more, message) => {
    expect(await refusal(assume(keys, roleArn("open"), more))).toMatchObject({ message });
  });

  test("is not for the root", async () => {
    expect(await refusal(assume(access.platform.settings.credentials, roleArn("open")))).toMatchObject({
      name: "AccessDenied",
      message: "Roles may not be assumed by root accounts.",
    });
  });

  test("a session ends with its role", async () => {
    await iam.send(
      new sdk.CreateRoleCommand({
        RoleName: "short",
        AssumeRolePolicyDocument: trust({ AWS: `arn:aws:iam::${account}:user/assumer` }),
      }),
    );
    const PolicyDocument = policy(statement("iam:*"));
    await iam.send(new sdk.PutRolePolicyCommand({ RoleName: "short", PolicyName: "p", PolicyDocument }));
    const session = await assume(keys, roleArn("short"));
    await iamAs(session).send(new sdk.ListRolesCommand({}));
    await iam.send(new sdk.DeleteRolePolicyCommand({ RoleName: "short", PolicyName: "p" }));
    await iam.send(new sdk.DeleteRoleCommand({ RoleName: "short" }));
    // A new role of the same name is another role.
    await iam.send(new sdk.CreateRoleCommand({ RoleName: "short", AssumeRolePolicyDocument: lambdaTrust }));
    await iam.send(new sdk.PutRolePolicyCommand({ RoleName: "short", PolicyName: "p", PolicyDocument }));
    expect(await refusal(iamAs(session).send(new sdk.ListRolesCommand({})))).toMatchObject({ status: 403 });
  });

  test("a token with one character changed is no token", async () => {
    const session = await assume(keys, roleArn("open"));
    const token = session.sessionToken ?? "";
    for (const at of [0, 20, token.length - 5]) {
      const changed = token.slice(0, at) + (token.charAt(at) === "A" ? "B" : "A") + token.slice(at + 1);
      const sent = stsAs({ ...session, sessionToken: changed }).send(new GetCallerIdentityCommand({}));
      expect(await refusal(sent)).toMatchObject({ name: "InvalidClientTokenId", status: 403 });
    }
  });

  test("GetSessionToken gives a user its own permissions, and sessions none", async () => {
    const { Credentials } = await stsAs(keys).send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
    const session = {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    };
    await expect(stsAs(session).send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({
      Arn: `arn:aws:iam::${account}:user/assumer`,
    });
    const again = stsAs(session).send(new GetSessionTokenCommand({}));
    expect(await refusal(again)).toMatchObject({ message: "Cannot call GetSessionToken with session credentials" });
  });
});
