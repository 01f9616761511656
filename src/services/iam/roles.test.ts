import * as sdk from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AccessTest,
  account,
  lambdaTrust,
  policy,
  refusal,
  startAccessTest,
  statement,
  trust,
} from "../../testing/access.ts";

let access: AccessTest;
let iam: AccessTest["iam"];

beforeAll(async () => {
  access = await startAccessTest();
  ({ iam } = access);
});
afterAll(() => access.stop());

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

test("an operation that is not built answers 501 with its name", async () => {
  const sent = iam.send(new sdk.UploadSSHPublicKeyCommand({ UserName: "ann", SSHPublicKeyBody: "x" }));
  expect(await refusal(sent)).toMatchObject({ status: 501 });
});
