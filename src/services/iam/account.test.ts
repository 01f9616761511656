import { inflateSync } from "node:zlib";
import * as sdk from "@aws-sdk/client-iam";
import { generate } from "otplib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type AccessTest,
  account,
  type Keys,
  lambdaTrust,
  policy,
  refusal,
  startAccessTest,
  statement,
} from "../../testing/access.ts";

let access: AccessTest;
let iam: AccessTest["iam"];
let ann: Keys;

beforeAll(async () => {
  access = await startAccessTest({ durable: true });
  ({ iam } = access);
  ann = await access.createUser("ann", policy(statement(["iam:ChangePassword", "iam:ListGroups"])));
});
afterAll(() => access.stop());

const change = (OldPassword: string, NewPassword: string) =>
  access.iamAs(ann).send(new sdk.ChangePasswordCommand({ OldPassword, NewPassword }));

const now = () => Math.floor(Date.now() / 1000);

describe("passwords", () => {
  const OldPassword = "Old-Password-1";

  test("are checked by AWS's default rules, kept as a hash, and changed by who knows the old one", async () => {
    for (const Password of ["short1A", "alllowercase", "lower-and-symbols"]) {
      const sent = iam.send(new sdk.CreateLoginProfileCommand({ UserName: "ann", Password }));
      expect(await refusal(sent)).toMatchObject({ name: "PasswordPolicyViolationException", status: 400 });
    }
    await iam.send(new sdk.CreateLoginProfileCommand({ UserName: "ann", Password: OldPassword }));
    const again = iam.send(new sdk.CreateLoginProfileCommand({ UserName: "ann", Password: OldPassword }));
    expect(await refusal(again)).toMatchObject({ name: "EntityAlreadyExistsException" });
    expect(await refusal(change("Wrong-Password-1", "New-Password-1"))).toMatchObject({ name: "AccessDenied" });
    await change(OldPassword, "New-Password-1");
    expect(await refusal(change(OldPassword, "Other-Password-1"))).toMatchObject({ name: "AccessDenied" });
  });

  test("follow the account's policy, which forbids earlier ones", async () => {
    expect(await refusal(iam.send(new sdk.GetAccountPasswordPolicyCommand({})))).toMatchObject({
      name: "NoSuchEntityException",
      message: `The Password Policy with domain name ${account} cannot be found.`,
    });
    await iam.send(
      new sdk.UpdateAccountPasswordPolicyCommand({
        MinimumPasswordLength: 12,
        RequireSymbols: true,
        PasswordReusePrevention: 2,
        MaxPasswordAge: 90,
      }),
    );
    const { PasswordPolicy } = await iam.send(new sdk.GetAccountPasswordPolicyCommand({}));
    expect(PasswordPolicy).toEqual({
      MinimumPasswordLength: 12,
      RequireSymbols: true,
      RequireNumbers: false,
      RequireUppercaseCharacters: false,
      RequireLowercaseCharacters: false,
      AllowUsersToChangePassword: false,
      ExpirePasswords: true,
      MaxPasswordAge: 90,
      PasswordReusePrevention: 2,
    });
    const set = (Password: string) => iam.send(new sdk.UpdateLoginProfileCommand({ UserName: "ann", Password }));
    for (const password of ["Short-1", "NoSymbolsButLong1", "New-Password-1", OldPassword]) {
      expect(await refusal(set(password))).toMatchObject({ name: "PasswordPolicyViolationException" });
    }
    await set("Third-Password-1");
    await iam.send(new sdk.DeleteAccountPasswordPolicyCommand({}));
  });

  test("are not for the root, nor asked for a user without one", async () => {
    const change = new sdk.ChangePasswordCommand({ OldPassword: "a", NewPassword: "b" });
    expect(await refusal(iam.send(change))).toMatchObject({ name: "InvalidUserTypeException" });
    await iam.send(new sdk.CreateUserCommand({ UserName: "bare" }));
    for (const command of [
      new sdk.GetLoginProfileCommand({ UserName: "bare" }),
      new sdk.DeleteLoginProfileCommand({ UserName: "bare" }),
    ]) {
      expect(await refusal(iam.send(command as sdk.GetLoginProfileCommand))).toMatchObject({
        message: "Login Profile for User bare cannot be found.",
      });
    }
    expect(await refusal(iam.send(new sdk.DeleteUserCommand({ UserName: "ann" })))).toMatchObject({
      name: "DeleteConflictException",
    });
  });
});

describe("virtual MFA devices", () => {
  const SerialNumber = `arn:aws:iam::${account}:mfa/phone`;

  test("are enabled by two codes that follow each other, and by no others", async () => {
    const made = await iam.send(
      new sdk.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: "phone", Tags: [{ Key: "a", Value: "b" }] }),
    );
    expect(made.VirtualMFADevice?.SerialNumber).toBe(SerialNumber);
    const png = Buffer.from(made.VirtualMFADevice?.QRCodePNG ?? []);
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(inflateSync(png.subarray(png.indexOf("IDAT") + 4)).length).toBeGreaterThan(1_000);
    const secret = Buffer.from(made.VirtualMFADevice?.Base32StringSeed ?? []).toString();
    const enable = (AuthenticationCode1: string, AuthenticationCode2: string) =>
      iam.send(
        new sdk.EnableMFADeviceCommand({ UserName: "ann", SerialNumber, AuthenticationCode1, AuthenticationCode2 }),
      );
    const codes = await Promise.all([-30, 0].map((off) => generate({ secret, epoch: now() + off })));
    const [first = "", second = ""] = codes;
    for (const [one, two] of [
      ["000000", "000000"],
      [second, first],
      [first, first],
    ] as const) {
      expect(await refusal(enable(one, two))).toMatchObject({
        name: "InvalidAuthenticationCodeException",
        status: 403,
      });
    }
    await enable(first, second);
    expect(await refusal(enable(first, second))).toMatchObject({ name: "EntityAlreadyExistsException" });
    expect((await iam.send(new sdk.ListMFADevicesCommand({ UserName: "ann" }))).MFADevices).toMatchObject([
      { UserName: "ann", SerialNumber },
    ]);
    const listed = await iam.send(new sdk.ListVirtualMFADevicesCommand({ AssignmentStatus: "Assigned" }));
    expect(listed.VirtualMFADevices).toMatchObject([{ SerialNumber, User: { UserName: "ann" } }]);
    expect(listed.VirtualMFADevices?.[0]?.Base32StringSeed).toBeUndefined();
    expect(await refusal(iam.send(new sdk.DeleteVirtualMFADeviceCommand({ SerialNumber })))).toMatchObject({
      name: "DeleteConflictException",
    });
    expect((await iam.send(new sdk.ListMFADeviceTagsCommand({ SerialNumber }))).Tags).toEqual([
      { Key: "a", Value: "b" },
    ]);
  });

  test("stay with a user who is renamed, and over a restart", async () => {
    await iam.send(new sdk.UpdateUserCommand({ UserName: "ann", NewUserName: "anna" }));
    await access.platform.restart();
    await expect(iam.send(new sdk.GetMFADeviceCommand({ SerialNumber, UserName: "anna" }))).resolves.toMatchObject({
      UserName: "anna",
    });
    await iam.send(new sdk.UpdateUserCommand({ UserName: "anna", NewUserName: "ann" }));
    await iam.send(new sdk.DeactivateMFADeviceCommand({ UserName: "ann", SerialNumber }));
    await iam.send(new sdk.DeleteVirtualMFADeviceCommand({ SerialNumber }));
    expect(await refusal(iam.send(new sdk.GetMFADeviceCommand({ SerialNumber })))).toMatchObject({
      name: "NoSuchEntityException",
    });
  });
});

describe("the account", () => {
  test("has one alias, which no other account can have, and a summary", async () => {
    await iam.send(new sdk.CreateAccountAliasCommand({ AccountAlias: "one-name" }));
    expect(await refusal(iam.send(new sdk.CreateAccountAliasCommand({ AccountAlias: "one-name" })))).toMatchObject({
      name: "EntityAlreadyExistsException",
    });
    await iam.send(new sdk.CreateAccountAliasCommand({ AccountAlias: "another" }));
    expect((await iam.send(new sdk.ListAccountAliasesCommand({}))).AccountAliases).toEqual(["another"]);
    expect(await refusal(iam.send(new sdk.DeleteAccountAliasCommand({ AccountAlias: "one-name" })))).toMatchObject({
      name: "NoSuchEntityException",
    });
    expect((await iam.send(new sdk.GetAccountSummaryCommand({}))).SummaryMap).toMatchObject({
      Users: 2,
      UsersQuota: 5000,
      MFADevices: 0,
    });
  });

  test("reports its credentials in AWS's columns", async () => {
    expect(await refusal(iam.send(new sdk.GetCredentialReportCommand({})))).toMatchObject({
      name: "CredentialReportNotPresentException",
      status: 410,
    });
    expect((await iam.send(new sdk.GenerateCredentialReportCommand({}))).State).toBe("STARTED");
    expect((await iam.send(new sdk.GenerateCredentialReportCommand({}))).State).toBe("COMPLETE");
    const { Content } = await iam.send(new sdk.GetCredentialReportCommand({}));
    const [header = "", root = "", ...users] = Buffer.from(Content ?? [])
      .toString()
      .split("\n");
    expect(header).toContain("user,arn,user_creation_time,password_enabled,password_last_used");
    expect(header.split(",")).toHaveLength(22);
    for (const line of [root, ...users]) expect(line.split(",")).toHaveLength(22);
    expect(root).toMatch(/^<root_account>,/);
    expect(users.find((line) => line.startsWith("ann,"))).toMatch(
      new RegExp(`^ann,arn:aws:iam::${account}:user/ann,[^,]+,true,`),
    );
  });

  test("tells all about who may do what, by kinds and pages", async () => {
    await iam.send(new sdk.CreateRoleCommand({ RoleName: "detailed", AssumeRolePolicyDocument: lambdaTrust }));
    await iam.send(
      new sdk.AttachRolePolicyCommand({
        RoleName: "detailed",
        PolicyArn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
      }),
    );
    const all = await iam.send(new sdk.GetAccountAuthorizationDetailsCommand({}));
    expect(all.UserDetailList).toMatchObject([
      { UserName: "ann", UserPolicyList: [{ PolicyName: "p" }] },
      { UserName: "bare" },
    ]);
    expect(all.RoleDetailList).toMatchObject([{ RoleName: "detailed", InstanceProfileList: [], RoleLastUsed: {} }]);
    expect(all.Policies?.map(({ PolicyName }) => PolicyName)).toEqual(["AmazonS3ReadOnlyAccess"]);
    const roles = await iam.send(new sdk.GetAccountAuthorizationDetailsCommand({ Filter: ["Role"], MaxItems: 1 }));
    expect(roles.UserDetailList).toEqual([]);
    const names: string[] = [];
    for await (const page of sdk.paginateGetAccountAuthorizationDetails({ client: iam, pageSize: 1 }, {})) {
      names.push(...(page.UserDetailList ?? []).map(({ UserName }) => UserName ?? ""));
    }
    expect(names).toEqual(["ann", "bare"]);
  });

  test("tells when its users have last called a service that they may call", async () => {
    await access.iamAs(ann).send(new sdk.ListGroupsCommand({}));
    const Arn = `arn:aws:iam::${account}:user/ann`;
    await vi.waitFor(async () => {
      const { JobId } = await iam.send(new sdk.GenerateServiceLastAccessedDetailsCommand({ Arn }));
      const details = await iam.send(new sdk.GetServiceLastAccessedDetailsCommand({ JobId }));
      expect(details).toMatchObject({
        JobStatus: "COMPLETED",
        ServicesLastAccessed: [
          { ServiceNamespace: "iam", TotalAuthenticatedEntities: 1, LastAuthenticatedEntity: Arn },
        ],
      });
    });
    expect(
      await refusal(iam.send(new sdk.GetServiceLastAccessedDetailsCommand({ JobId: "0".repeat(36) }))),
    ).toMatchObject({ name: "NoSuchEntityException" });
    const granting = await iam.send(
      new sdk.ListPoliciesGrantingServiceAccessCommand({ Arn, ServiceNamespaces: ["iam", "s3"] }),
    );
    expect(granting.PoliciesGrantingServiceAccess).toMatchObject([
      { Policies: [{ PolicyName: "p", PolicyType: "INLINE" }] },
      { Policies: [] },
    ]);
  });
});

describe("service-linked roles", () => {
  const AWSServiceName = "ops.apigateway.amazonaws.com";
  test("are made once, changed by nobody, and deleted by a task", async () => {
    const { Role } = await iam.send(new sdk.CreateServiceLinkedRoleCommand({ AWSServiceName }));
    expect(Role?.Arn).toBe(
      `arn:aws:iam::${account}:role/aws-service-role/${AWSServiceName}/AWSServiceRoleForAPIGateway`,
    );
    expect(await refusal(iam.send(new sdk.CreateServiceLinkedRoleCommand({ AWSServiceName })))).toMatchObject({
      name: "InvalidInputException",
    });
    const RoleName = "AWSServiceRoleForAPIGateway";
    for (const command of [
      new sdk.DeleteRoleCommand({ RoleName }),
      new sdk.PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument: policy(statement("*")) }),
      new sdk.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: lambdaTrust }),
    ]) {
      expect(await refusal(iam.send(command as sdk.DeleteRoleCommand))).toMatchObject({
        name: "UnmodifiableEntityException",
      });
    }
    const { DeletionTaskId } = await iam.send(new sdk.DeleteServiceLinkedRoleCommand({ RoleName }));
    expect((await iam.send(new sdk.GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }))).Status).toBe(
      "SUCCEEDED",
    );
    expect(await refusal(iam.send(new sdk.DeleteServiceLinkedRoleCommand({ RoleName: "detailed" })))).toMatchObject({
      name: "NoSuchEntityException",
    });
    expect(
      await refusal(iam.send(new sdk.CreateServiceLinkedRoleCommand({ AWSServiceName: "none.amazonaws.com" }))),
    ).toMatchObject({ name: "InvalidInputException" });
  });
});

describe("providers, profiles and groups", () => {
  test("an OIDC provider is made, changed and deleted", async () => {
    const Url = "https://token.actions.githubusercontent.com";
    const made = await iam.send(
      new sdk.CreateOpenIDConnectProviderCommand({
        Url,
        ClientIDList: ["sts.amazonaws.com"],
        ThumbprintList: ["a".repeat(40)],
      }),
    );
    const { OpenIDConnectProviderArn } = made;
    expect(OpenIDConnectProviderArn).toBe(`arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com`);
    expect(await refusal(iam.send(new sdk.CreateOpenIDConnectProviderCommand({ Url })))).toMatchObject({
      name: "EntityAlreadyExistsException",
    });
    await iam.send(
      new sdk.UpdateOpenIDConnectProviderThumbprintCommand({
        OpenIDConnectProviderArn,
        ThumbprintList: ["b".repeat(40)],
      }),
    );
    await expect(
      iam.send(new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn })),
    ).resolves.toMatchObject({
      Url: "token.actions.githubusercontent.com",
      ClientIDList: ["sts.amazonaws.com"],
      ThumbprintList: ["b".repeat(40)],
    });
    await iam.send(new sdk.DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }));
    expect(
      await refusal(iam.send(new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }))),
    ).toMatchObject({ name: "NoSuchEntityException" });
  });

  test.each([
    "http://example.com",
    "ftp://example.com",
    "example.com",
    "https://example.com/?a=b",
    "https://u:p@example.com",
  ])("refuses %s as an issuer", async (Url) => {
    expect(await refusal(iam.send(new sdk.CreateOpenIDConnectProviderCommand({ Url })))).toMatchObject({
      name: "ValidationError",
    });
  });

  test("a group is renamed with its members and policies", async () => {
    await iam.send(new sdk.CreateGroupCommand({ GroupName: "before" }));
    await iam.send(new sdk.AddUserToGroupCommand({ GroupName: "before", UserName: "bare" }));
    await iam.send(
      new sdk.AttachGroupPolicyCommand({
        GroupName: "before",
        PolicyArn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
      }),
    );
    await iam.send(new sdk.UpdateGroupCommand({ GroupName: "before", NewGroupName: "after", NewPath: "/x/" }));
    const { Group, Users } = await iam.send(new sdk.GetGroupCommand({ GroupName: "after" }));
    expect(Group?.Arn).toBe(`arn:aws:iam::${account}:group/x/after`);
    expect(Users).toMatchObject([{ UserName: "bare" }]);
    expect((await iam.send(new sdk.ListGroupsForUserCommand({ UserName: "bare" }))).Groups).toMatchObject([
      { GroupName: "after" },
    ]);
    expect(await refusal(iam.send(new sdk.GetGroupCommand({ GroupName: "before" })))).toMatchObject({
      name: "NoSuchEntityException",
    });
  });

  test("policies tell which keys they look at", async () => {
    const document = policy({
      ...statement("s3:*", "arn:aws:s3:::${aws:username}"),
      Condition: { StringEquals: { "aws:SourceVpc": "x" } },
    });
    const { ContextKeyNames } = await iam.send(
      new sdk.GetContextKeysForCustomPolicyCommand({ PolicyInputList: [document] }),
    );
    expect(ContextKeyNames?.toSorted()).toEqual(["aws:SourceVpc", "aws:username"]);
  });

  test.each([
    [new sdk.UploadServerCertificateCommand({ ServerCertificateName: "a", CertificateBody: "b", PrivateKey: "c" })],
    [new sdk.UploadSSHPublicKeyCommand({ UserName: "ann", SSHPublicKeyBody: "x" })],
    [new sdk.CreateServiceSpecificCredentialCommand({ UserName: "ann", ServiceName: "codecommit.amazonaws.com" })],
  ])("what is not built says so: %#", async (command) => {
    expect(await refusal(iam.send(command as sdk.UploadSSHPublicKeyCommand))).toMatchObject({
      name: "NotImplemented",
      status: 501,
    });
  });
});
