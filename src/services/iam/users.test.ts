import * as sdk from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AccessTest,
  account,
  lambdaTrust,
  policy,
  refusal,
  startAccessTest,
  statement,
} from "../../testing/access.ts";

let access: AccessTest;
let createUser: AccessTest["createUser"];
let iam: AccessTest["iam"];
let iamAs: AccessTest["iamAs"];
let stsAs: AccessTest["stsAs"];

beforeAll(async () => {
  access = await startAccessTest();
  ({ createUser, iam, iamAs, stsAs } = access);
  await iam.send(
    new sdk.CreateRoleCommand({
      RoleName: "reader",
      AssumeRolePolicyDocument: lambdaTrust,
      Tags: [{ Key: "team", Value: "a" }],
    }),
  );
});
afterAll(() => access.stop());

describe("users", () => {
  test("with no policy may do nothing, and are told why", async () => {
    const keys = await createUser("nobody");
    const sent = iamAs(keys).send(new sdk.GetRoleCommand({ RoleName: "reader" }));
    expect(await refusal(sent)).toEqual({
      name: "AccessDenied",
      status: 403,
      message: `User: arn:aws:iam::${account}:user/nobody is not authorized to perform: iam:GetRole on resource: arn:aws:iam::${account}:role/reader because no identity-based policy allows the iam:GetRole action`,
    });
    await expect(stsAs(keys).send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({
      Account: account,
      Arn: `arn:aws:iam::${account}:user/nobody`,
    });
  });

  test("are denied by an explicit deny, whatever allows", async () => {
    const keys = await createUser(
      "denied",
      policy(statement("iam:*"), { ...statement("iam:GetRole"), Effect: "Deny" }),
    );
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
