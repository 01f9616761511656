import * as sdk from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

const account = "000000000000";

let platform: TestPlatform;
let iam: sdk.IAMClient;

beforeAll(async () => {
  platform = await startTestPlatform();
  iam = new sdk.IAMClient(platform.settings);
});
afterAll(() => platform.stop());

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const iamAs = (credentials: Keys) => new sdk.IAMClient({ ...platform.settings, credentials });
const stsAs = (credentials: Keys) => new STSClient({ ...platform.settings, credentials });

const who = (as: Keys) => stsAs(as).send(new GetCallerIdentityCommand({}));
const roleArn = (name: string) => `arn:aws:iam::${account}:role/${name}`;

function statement(Action: string | readonly string[], Resource: string | readonly string[] = "*", Effect = "Allow") {
  return { Effect, Action, Resource };
}

function policy(...Statement: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

function trust(Principal: unknown, more: object = {}): string {
  return policy({ Effect: "Allow", Principal, Action: "sts:AssumeRole", ...more });
}

async function createUser(UserName: string, document?: string): Promise<Keys> {
  await iam.send(new sdk.CreateUserCommand({ UserName }));
  if (document !== undefined) {
    await iam.send(new sdk.PutUserPolicyCommand({ UserName, PolicyName: "p", PolicyDocument: document }));
  }
  const { AccessKey } = await iam.send(new sdk.CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
}

async function assume(as: Keys, RoleArn: string, more: object = {}): Promise<Keys> {
  const { Credentials } = await stsAs(as).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "session", ...more }));
  return {
    accessKeyId: Credentials?.AccessKeyId ?? "",
    secretAccessKey: Credentials?.SecretAccessKey ?? "",
    sessionToken: Credentials?.SessionToken ?? "",
  };
}

async function refusal(sent: Promise<unknown>): Promise<{ name: string; message: string; status: number | undefined }> {
  try {
    await sent;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { httpStatusCode } = (error as Error & { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
    return { name: error.name, message: error.message, status: httpStatusCode };
  }
  throw new Error("It was not refused");
}

const lambdaTrust = trust({ Service: "lambda.amazonaws.com" });

describe("roles", () => {
  test("CreateRole answers what GetRole then tells, with the trust policy percent-encoded", async () => {
    const created = await iam.send(
      new sdk.CreateRoleCommand({
        RoleName: "reader",
        Path: "/app/",
        AssumeRolePolicyDocument: lambdaTrust,
        Description: "reads",
        Tags: [{ Key: "team", Value: "a" }],
      }),
    );
    expect(created.Role).toMatchObject({
      RoleName: "reader",
      Arn: `arn:aws:iam::${account}:role/app/reader`,
      AssumeRolePolicyDocument: encodeURIComponent(lambdaTrust),
    });
    expect(created.Role?.RoleId).toMatch(/^AROA[A-Z2-7]{17}$/);
    const { Role } = await iam.send(new sdk.GetRoleCommand({ RoleName: "reader" }));
    expect(Role).toMatchObject({ Description: "reads", MaxSessionDuration: 3600, Tags: [{ Key: "team", Value: "a" }] });
  });

  test("CreateRole answers EntityAlreadyExists for a name that differs in case only", async () => {
    const again = iam.send(new sdk.CreateRoleCommand({ RoleName: "READER", AssumeRolePolicyDocument: lambdaTrust }));
    expect(await refusal(again)).toEqual({
      name: "EntityAlreadyExistsException",
      message: "Role with name READER already exists.",
      status: 409,
    });
  });

  test.each([
    ["{", "This policy contains invalid Json"],
    [policy({ ...statement("sts:AssumeRole"), Principal: "*" }), "Has prohibited field Resource"],
    [trust({ Service: "lambda" }), 'Invalid principal in policy: "SERVICE":"lambda"'],
    [
      trust({ AWS: `arn:aws:iam::${account}:role/nobody` }),
      `Invalid principal in policy: "AWS":"arn:aws:iam::${account}:role/nobody"`,
    ],
    [
      policy({ Effect: "Allow", Principal: "*", Action: "s3:GetObject" }),
      "AssumeRole policy may only specify STS AssumeRole actions.",
    ],
  ])("CreateRole answers MalformedPolicyDocument for the trust policy %s", async (document, message) => {
    const sent = iam.send(new sdk.CreateRoleCommand({ RoleName: "bad", AssumeRolePolicyDocument: document }));
    expect(await refusal(sent)).toEqual({ name: "MalformedPolicyDocumentException", message, status: 400 });
    expect(await refusal(iam.send(new sdk.GetRoleCommand({ RoleName: "bad" })))).toMatchObject({
      message: "The role with name bad cannot be found.",
      status: 404,
    });
  });

  test.each([
    ["not json", "Syntax errors in policy."],
    [policy({ ...statement("*"), Effect: "Maybe" }), "Syntax errors in policy."],
    [policy({ Effect: "Allow", Resource: "*" }), "Policy statement must contain actions."],
    [policy({ Effect: "Allow", Action: "*" }), "Policy statement must contain resources."],
    [policy({ ...statement("*"), Principal: "*" }), "Policy document should not specify a principal."],
    [policy(statement("everything")), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."],
    [policy(statement("s3:*", "bucket")), 'Resource bucket must be in ARN format or "*".'],
    [
      policy({ ...statement("*"), Sid: "a" }, { ...statement("*"), Sid: "a" }),
      "Statement IDs (SID) in a single policy must be unique.",
    ],
  ])("PutRolePolicy answers MalformedPolicyDocument for %s", async (PolicyDocument, message) => {
    const sent = iam.send(new sdk.PutRolePolicyCommand({ RoleName: "reader", PolicyName: "p", PolicyDocument }));
    expect(await refusal(sent)).toEqual({ name: "MalformedPolicyDocumentException", message, status: 400 });
  });

  test("DeleteRole answers DeleteConflict until its policies are gone", async () => {
    const RoleName = "busy";
    const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    await iam.send(new sdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: lambdaTrust }));
    await iam.send(new sdk.AttachRolePolicyCommand({ RoleName, PolicyArn }));
    await iam.send(
      new sdk.PutRolePolicyCommand({ RoleName, PolicyName: "in", PolicyDocument: policy(statement("s3:*")) }),
    );
    const remove = () => iam.send(new sdk.DeleteRoleCommand({ RoleName }));
    expect(await refusal(remove())).toEqual({
      name: "DeleteConflictException",
      message: "Cannot delete entity, must detach all policies first.",
      status: 409,
    });
    await iam.send(new sdk.DetachRolePolicyCommand({ RoleName, PolicyArn }));
    expect(await refusal(remove())).toMatchObject({ message: "Cannot delete entity, must delete policies first." });
    await iam.send(new sdk.DeleteRolePolicyCommand({ RoleName, PolicyName: "in" }));
    await remove();
    expect(await refusal(iam.send(new sdk.GetRoleCommand({ RoleName })))).toMatchObject({
      name: "NoSuchEntityException",
    });
  });

  test("AttachRolePolicy answers NoSuchEntity for a policy that does not exist", async () => {
    const PolicyArn = `arn:aws:iam::${account}:policy/none`;
    const sent = iam.send(new sdk.AttachRolePolicyCommand({ RoleName: "reader", PolicyArn }));
    expect(await refusal(sent)).toMatchObject({ message: `Policy ${PolicyArn} does not exist or is not attachable.` });
  });

  test("ListRoles pages to the end by its markers", async () => {
    const names = Array.from({ length: 7 }, (_, index) => `paged-${index}`);
    for (const RoleName of names) {
      await iam.send(new sdk.CreateRoleCommand({ RoleName, Path: "/paged/", AssumeRolePolicyDocument: lambdaTrust }));
    }
    const found: (string | undefined)[] = [];
    for await (const page of sdk.paginateListRoles({ client: iam, pageSize: 3 }, { PathPrefix: "/paged/" })) {
      found.push(...(page.Roles ?? []).map(({ RoleName }) => RoleName));
    }
    expect(found).toEqual(names);
  });
});

describe("managed policies", () => {
  test("have up to 5 versions, of which the default can be set and not deleted", async () => {
    const document = policy(statement("s3:GetObject"));
    const { Policy } = await iam.send(new sdk.CreatePolicyCommand({ PolicyName: "mine", PolicyDocument: document }));
    const PolicyArn = Policy?.Arn ?? "";
    for (let version = 2; version <= 5; version++) {
      await iam.send(new sdk.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: document }));
    }
    const sixth = iam.send(new sdk.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: document }));
    expect(await refusal(sixth)).toMatchObject({ name: "LimitExceededException", status: 409 });
    await iam.send(new sdk.SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: "v3" }));
    const removeDefault = iam.send(new sdk.DeletePolicyVersionCommand({ PolicyArn, VersionId: "v3" }));
    expect(await refusal(removeDefault)).toMatchObject({ message: "Cannot delete the default version of a policy." });
    const { Versions } = await iam.send(new sdk.ListPolicyVersionsCommand({ PolicyArn }));
    expect(Versions?.map(({ VersionId, IsDefaultVersion }) => [VersionId, IsDefaultVersion])).toEqual([
      ["v5", false],
      ["v4", false],
      ["v3", true],
      ["v2", false],
      ["v1", false],
    ]);
    const got = await iam.send(new sdk.GetPolicyVersionCommand({ PolicyArn, VersionId: "v3" }));
    expect(decodeURIComponent(got.PolicyVersion?.Document ?? "")).toBe(document);
  });

  test("of AWS can be read, and not changed", async () => {
    const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
    const { Policy } = await iam.send(new sdk.GetPolicyCommand({ PolicyArn }));
    expect(Policy).toMatchObject({ PolicyName: "AdministratorAccess", IsAttachable: true });
    expect(await refusal(iam.send(new sdk.DeletePolicyCommand({ PolicyArn })))).toMatchObject({ status: 403 });
  });

  test("DeletePolicy answers DeleteConflict while somebody has it, whom ListEntitiesForPolicy names", async () => {
    const created = await iam.send(
      new sdk.CreatePolicyCommand({ PolicyName: "held", PolicyDocument: policy(statement("s3:*")) }),
    );
    const PolicyArn = created.Policy?.Arn ?? "";
    await iam.send(new sdk.CreateUserCommand({ UserName: "holder", PermissionsBoundary: PolicyArn }));
    await iam.send(new sdk.AttachRolePolicyCommand({ RoleName: "reader", PolicyArn }));
    const { PolicyRoles, PolicyUsers } = await iam.send(new sdk.ListEntitiesForPolicyCommand({ PolicyArn }));
    expect([PolicyRoles?.[0]?.RoleName, PolicyUsers?.[0]?.UserName]).toEqual(["reader", "holder"]);
    const { Policy } = await iam.send(new sdk.GetPolicyCommand({ PolicyArn }));
    expect(Policy).toMatchObject({ AttachmentCount: 1, PermissionsBoundaryUsageCount: 1 });
    expect(await refusal(iam.send(new sdk.DeletePolicyCommand({ PolicyArn })))).toMatchObject({
      name: "DeleteConflictException",
      message: "Cannot delete a policy attached to entities.",
    });
  });
});

describe("users", () => {
  test("with no policy may do nothing, and are told why", async () => {
    const keys = await createUser("nobody");
    const sent = iamAs(keys).send(new sdk.GetRoleCommand({ RoleName: "reader" }));
    expect(await refusal(sent)).toEqual({
      name: "AccessDenied",
      status: 403,
      message: `User: arn:aws:iam::${account}:user/nobody is not authorized to perform: iam:GetRole on resource: arn:aws:iam::${account}:role/app/reader because no identity-based policy allows the iam:GetRole action`,
    });
    await expect(stsAs(keys).send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({
      Account: account,
      Arn: `arn:aws:iam::${account}:user/nobody`,
    });
  });

  test("are denied by an explicit deny, whatever allows", async () => {
    const keys = await createUser("denied", policy(statement("iam:*"), statement("iam:GetRole", "*", "Deny")));
    await iamAs(keys).send(new sdk.ListRolesCommand({}));
    const sent = iamAs(keys).send(new sdk.GetRoleCommand({ RoleName: "reader" }));
    expect((await refusal(sent)).message).toContain("with an explicit deny in an identity-based policy");
  });

  test("may do what their groups may, until they are taken out", async () => {
    const keys = await createUser("member");
    await iam.send(new sdk.CreateGroupCommand({ GroupName: "readers" }));
    const PolicyDocument = policy(statement("iam:GetRole"));
    await iam.send(new sdk.PutGroupPolicyCommand({ GroupName: "readers", PolicyName: "p", PolicyDocument }));
    await iam.send(new sdk.AddUserToGroupCommand({ GroupName: "readers", UserName: "member" }));
    const get = () => iamAs(keys).send(new sdk.GetRoleCommand({ RoleName: "reader" }));
    await get();
    await iam.send(new sdk.RemoveUserFromGroupCommand({ GroupName: "readers", UserName: "member" }));
    expect(await refusal(get())).toMatchObject({ name: "AccessDenied" });
  });

  test("may do no more than their permissions boundary", async () => {
    const keys = await createUser("bounded", policy(statement("iam:*")));
    const created = await iam.send(
      new sdk.CreatePolicyCommand({ PolicyName: "boundary", PolicyDocument: policy(statement("iam:GetUser")) }),
    );
    await iam.send(
      new sdk.PutUserPermissionsBoundaryCommand({
        UserName: "bounded",
        PermissionsBoundary: created.Policy?.Arn ?? "",
      }),
    );
    await iamAs(keys).send(new sdk.GetUserCommand({}));
    const sent = iamAs(keys).send(new sdk.ListUsersCommand({}));
    expect((await refusal(sent)).message).toContain("because no permissions boundary allows the iam:ListUsers action");
  });

  test("cannot sign with a key that is inactive or deleted, or with a wrong secret", async () => {
    const keys = await createUser("rotating");
    expect(await refusal(who({ ...keys, secretAccessKey: "wrong" }))).toMatchObject({
      name: "SignatureDoesNotMatch",
      status: 403,
    });
    const AccessKeyId = keys.accessKeyId;
    await iam.send(new sdk.UpdateAccessKeyCommand({ UserName: "rotating", AccessKeyId, Status: "Inactive" }));
    const invalid = {
      name: "InvalidClientTokenId",
      message: "The security token included in the request is invalid.",
      status: 403,
    };
    expect(await refusal(who(keys))).toEqual(invalid);
    await iam.send(new sdk.UpdateAccessKeyCommand({ UserName: "rotating", AccessKeyId, Status: "Active" }));
    await who(keys);
    await iam.send(new sdk.DeleteAccessKeyCommand({ UserName: "rotating", AccessKeyId }));
    expect(await refusal(who(keys))).toEqual(invalid);
  });

  test("CreateAccessKey answers LimitExceeded for a third key", async () => {
    const UserName = "collector";
    await createUser(UserName);
    await iam.send(new sdk.CreateAccessKeyCommand({ UserName }));
    expect(await refusal(iam.send(new sdk.CreateAccessKeyCommand({ UserName })))).toEqual({
      name: "LimitExceededException",
      message: "Cannot exceed quota for AccessKeysPerUser: 2",
      status: 409,
    });
  });

  test("UpdateUser renames with keys, groups and policies, and the keys still sign", async () => {
    const keys = await createUser("before", policy(statement("iam:GetUser")));
    await iam.send(new sdk.UpdateUserCommand({ UserName: "before", NewUserName: "after", NewPath: "/x/" }));
    const { User } = await iamAs(keys).send(new sdk.GetUserCommand({}));
    expect(User?.Arn).toBe(`arn:aws:iam::${account}:user/x/after`);
    expect(await refusal(iam.send(new sdk.GetUserCommand({ UserName: "before" })))).toMatchObject({ status: 404 });
  });

  test("DeleteUser answers DeleteConflict while it has keys", async () => {
    await createUser("keyed");
    expect(await refusal(iam.send(new sdk.DeleteUserCommand({ UserName: "keyed" })))).toMatchObject({
      message: "Cannot delete entity, must delete access keys first.",
    });
  });

  test("policy variables and tags decide", async () => {
    const own = `arn:aws:iam::*:user/\${aws:username}`;
    const keys = await createUser(
      "variable",
      policy(statement("iam:GetUser", own), {
        ...statement("iam:GetRole"),
        Condition: { StringEquals: { "aws:ResourceTag/team": "${aws:PrincipalTag/team}" } },
      }),
    );
    await iamAs(keys).send(new sdk.GetUserCommand({}));
    expect(await refusal(iamAs(keys).send(new sdk.GetUserCommand({ UserName: "keyed" })))).toMatchObject({
      status: 403,
    });
    const getRole = () => iamAs(keys).send(new sdk.GetRoleCommand({ RoleName: "reader" }));
    expect(await refusal(getRole())).toMatchObject({ status: 403 });
    await iam.send(new sdk.TagUserCommand({ UserName: "variable", Tags: [{ Key: "team", Value: "a" }] }));
    await getRole();
  });
});

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
    [{ SourceIdentity: "me" }, "The parameter SourceIdentity of AssumeRole is not implemented by Cumulet"],
  ])("refuses %j", async (more, message) => {
    expect(await refusal(assume(keys, roleArn("open"), more))).toMatchObject({ message });
  });

  test("is not for the root", async () => {
    expect(await refusal(assume(platform.settings.credentials, roleArn("open")))).toMatchObject({
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

describe("simulations", () => {
  test("decide as calls are decided, and say what they were not told", async () => {
    const keys = await createUser(
      "simulated",
      policy(statement("s3:GetObject", "arn:aws:s3:::b/*"), {
        ...statement("s3:DeleteObject", "*", "Deny"),
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      }),
    );
    expect(keys.accessKeyId).not.toBe("");
    const { EvaluationResults } = await iam.send(
      new sdk.SimulatePrincipalPolicyCommand({
        PolicySourceArn: `arn:aws:iam::${account}:user/simulated`,
        ActionNames: ["s3:GetObject", "s3:PutObject"],
        ResourceArns: ["arn:aws:s3:::b/k"],
      }),
    );
    expect(EvaluationResults).toMatchObject([
      { EvalActionName: "s3:GetObject", EvalDecision: "allowed", MissingContextValues: ["aws:securetransport"] },
      { EvalActionName: "s3:PutObject", EvalDecision: "implicitDeny", MatchedStatements: [] },
    ]);
  });

  test("tell what a permissions boundary alone would do", async () => {
    const { EvaluationResults } = await iam.send(
      new sdk.SimulateCustomPolicyCommand({
        PolicyInputList: [policy(statement("s3:*"))],
        PermissionsBoundaryPolicyInputList: [policy(statement("s3:Get*"))],
        ActionNames: ["s3:PutObject"],
      }),
    );
    expect(EvaluationResults).toMatchObject([
      {
        EvalDecision: "implicitDeny",
        PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false },
      },
    ]);
  });

  test("answer NoSuchEntity for a user who does not exist", async () => {
    const PolicySourceArn = `arn:aws:iam::${account}:user/none`;
    const sent = iam.send(new sdk.SimulatePrincipalPolicyCommand({ PolicySourceArn, ActionNames: ["s3:GetObject"] }));
    expect(await refusal(sent)).toMatchObject({ name: "NoSuchEntityException", status: 404 });
  });
});

test("an operation that is not built answers 501 with its name", async () => {
  const sent = iam.send(new sdk.CreateSAMLProviderCommand({ Name: "x", SAMLMetadataDocument: "x".repeat(1000) }));
  expect(await refusal(sent)).toMatchObject({ status: 501 });
});
