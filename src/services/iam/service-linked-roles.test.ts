import * as sdk from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account, refusal, startAccessTest, lambdaTrust, type AccessTest } from "../../testing/access.ts";
import { linkedRoles } from "./service-linked-roles.ts";

let access: AccessTest;
let iam: AccessTest["iam"];

beforeAll(async () => {
  access = await startAccessTest();
  ({ iam } = access);
});
afterAll(() => access.stop());

describe("service-linked roles", () => {
  test.each(Object.entries(linkedRoles))("of %s have a policy that can be read", async (AWSServiceName, { name }) => {
    const { Role } = await iam.send(new sdk.CreateServiceLinkedRoleCommand({ AWSServiceName }));
    expect(Role).toMatchObject({ RoleName: name, Path: `/aws-service-role/${AWSServiceName}/` });
    const attached = await iam.send(new sdk.ListAttachedRolePoliciesCommand({ RoleName: name }));
    const PolicyArn = attached.AttachedPolicies?.[0]?.PolicyArn;
    const { Policy } = await iam.send(new sdk.GetPolicyCommand({ PolicyArn }));
    expect(Policy).toMatchObject({ Path: "/aws-service-role/", AttachmentCount: 1 });
    const VersionId = Policy?.DefaultVersionId;
    const { PolicyVersion } = await iam.send(new sdk.GetPolicyVersionCommand({ PolicyArn, VersionId }));
    expect(JSON.parse(decodeURIComponent(PolicyVersion?.Document ?? ""))).toHaveProperty("Statement");
  });

  test("may do what their policy says", async () => {
    const { EvaluationResults } = await iam.send(
      new sdk.SimulatePrincipalPolicyCommand({
        PolicySourceArn: `arn:aws:iam::${account}:role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication`,
        ActionNames: ["dynamodb:GetItem", "s3:GetObject"],
      }),
    );
    expect(EvaluationResults?.map(({ EvalDecision }) => EvalDecision)).toEqual(["allowed", "implicitDeny"]);
  });

  test("alone have their policies", async () => {
    const RoleName = "ordinary";
    await iam.send(new sdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: lambdaTrust }));
    const PolicyArn = "arn:aws:iam::aws:policy/aws-service-role/CloudTrailServiceRolePolicy";
    const attach = iam.send(new sdk.AttachRolePolicyCommand({ RoleName, PolicyArn }));
    expect((await refusal(attach)).name).toBe("NoSuchEntityException");
    const bound = new sdk.PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: PolicyArn });
    expect((await refusal(iam.send(bound))).name).toBe("NoSuchEntityException");
  });

  test("are deleted by a task, whose status is told; no other way", async () => {
    const RoleName = "AWSServiceRoleForCloudTrail";
    expect((await refusal(iam.send(new sdk.DeleteRoleCommand({ RoleName })))).name).toBe("UnmodifiableEntityException");
    const { DeletionTaskId } = await iam.send(new sdk.DeleteServiceLinkedRoleCommand({ RoleName }));
    expect(DeletionTaskId).toMatch(
      /^task\/aws-service-role\/cloudtrail\.amazonaws\.com\/AWSServiceRoleForCloudTrail\/[0-9a-f-]{36}$/,
    );
    const status = await iam.send(new sdk.GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }));
    expect(status).toMatchObject({ Status: "SUCCEEDED" });
    expect((await refusal(iam.send(new sdk.GetRoleCommand({ RoleName })))).name).toBe("NoSuchEntityException");
    const unknown = new sdk.GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId: `${DeletionTaskId}x` });
    expect((await refusal(iam.send(unknown))).name).toBe("NoSuchEntityException");
    expect((await refusal(iam.send(new sdk.DeleteServiceLinkedRoleCommand({ RoleName: "ordinary" })))).name).toBe(
      "NoSuchEntityException",
    );
  });
});
