import * as sdk from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AccessTest, lambdaTrust, policy, refusal, startAccessTest, statement } from "../../testing/access.ts";

let access: AccessTest;
let iam: AccessTest["iam"];

beforeAll(async () => {
  access = await startAccessTest();
  ({ iam } = access);
  await iam.send(
    new sdk.CreateRoleCommand({
      RoleName: "reader",
      AssumeRolePolicyDocument: lambdaTrust,
      Tags: [{ Key: "team", Value: "a" }],
    }),
  );
});
afterAll(() => access.stop());

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
