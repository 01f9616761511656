import * as sdk from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AccessTest, account, policy, refusal, startAccessTest, statement } from "../../testing/access.ts";

let access: AccessTest;
let createUser: AccessTest["createUser"];
let iam: AccessTest["iam"];

beforeAll(async () => {
  access = await startAccessTest();
  ({ createUser, iam } = access);
});
afterAll(() => access.stop());

describe("simulations", () => {
  test("decide as calls are decided, and say what they were not told", async () => {
    const keys = await createUser(
      "simulated",
      policy(statement("s3:GetObject", "arn:aws:s3:::b/*"), {
        ...statement("s3:DeleteObject"),
        Effect: "Deny",
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

  test("answer InvalidInput for more pairs of action and resource than are decided in one go", async () => {
    const sent = iam.send(
      new sdk.SimulateCustomPolicyCommand({
        PolicyInputList: [policy(statement("s3:*"))],
        ActionNames: Array.from({ length: 101 }, (_, index) => `s3:Action${index}`),
        ResourceArns: Array.from({ length: 100 }, (_, index) => `arn:aws:s3:::bucket-${index}`),
      }),
    );
    expect(await refusal(sent)).toMatchObject({ name: "InvalidInputException", status: 400 });
  });
});
