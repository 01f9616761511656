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

/** Of the statement that decided. */
async function positionsOf(document: string, action: string) {
  const { EvaluationResults } = await iam.send(
    new sdk.SimulateCustomPolicyCommand({ PolicyInputList: [document], ActionNames: [action] }),
  );
  const { StartPosition, EndPosition, SourcePolicyId } = EvaluationResults?.[0]?.MatchedStatements?.[0] ?? {};
  expect(SourcePolicyId).toBe("PolicyInputList.1");
  return [StartPosition?.Line, StartPosition?.Column, EndPosition?.Line, EndPosition?.Column];
}

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
      {
        EvalActionName: "s3:GetObject",
        EvalDecision: "allowed",
        MatchedStatements: [{ SourcePolicyId: "user_simulated_p", SourcePolicyType: "IAM Policy" }],
        MissingContextValues: [],
        ResourceSpecificResults: [
          {
            EvalResourceName: "arn:aws:s3:::b/k",
            EvalResourceDecision: "allowed",
            MissingContextValues: ["aws:SecureTransport"],
          },
        ],
      },
      { EvalActionName: "s3:PutObject", EvalDecision: "implicitDeny", MatchedStatements: [] },
    ]);
  });

  test("say where in the text the statements stand that decided", async () => {
    const allow = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`;
    const compact = `{"Version":"2012-10-17","Statement":[${allow},{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`;
    const spacious = JSON.stringify(JSON.parse(compact), undefined, 2);
    // As AWS's own example has it; the second begins where the first ends.
    expect(await positionsOf(compact, "s3:GetObject")).toEqual([1, 38, 1, 38 + allow.length]);
    expect(await positionsOf(compact, "sqs:SendMessage")).toEqual([1, 38 + allow.length, 1, compact.length - 1]);
    expect(await positionsOf(spacious, "s3:GetObject")).toEqual([3, 17, 8, 6]);
  });

  test("of several resources tell of each, and sum up", async () => {
    const { EvaluationResults } = await iam.send(
      new sdk.SimulateCustomPolicyCommand({
        PolicyInputList: [policy(statement("s3:GetObject", "arn:aws:s3:::mine/*"))],
        ActionNames: ["s3:GetObject"],
        ResourceArns: ["arn:aws:s3:::mine/a", "arn:aws:s3:::other/a"],
      }),
    );
    expect(EvaluationResults).toMatchObject([
      {
        EvalResourceName: "arn:aws:s3:::${BucketName}/${ObjectName}",
        EvalDecision: "implicitDeny",
        MatchedStatements: [{ SourcePolicyId: "PolicyInputList.1" }],
        EvalDecisionDetails: {},
        ResourceSpecificResults: [
          { EvalResourceName: "arn:aws:s3:::mine/a", EvalResourceDecision: "allowed" },
          { EvalResourceName: "arn:aws:s3:::other/a", EvalResourceDecision: "implicitDeny", MatchedStatements: [] },
        ],
      },
    ]);
  });

  test("across accounts tell what each would say", async () => {
    const { EvaluationResults } = await iam.send(
      new sdk.SimulateCustomPolicyCommand({
        PolicyInputList: [policy(statement("s3:GetObject"))],
        ActionNames: ["s3:GetObject"],
        ResourceArns: ["arn:aws:s3:::theirs/a"],
        ResourceOwner: "arn:aws:iam::999999999999:root",
        ResourcePolicy: policy({ ...statement("s3:PutObject"), Principal: { AWS: account } }),
        CallerArn: `arn:aws:iam::${account}:user/simulated`,
      }),
    );
    expect(EvaluationResults).toMatchObject([
      {
        EvalDecision: "implicitDeny",
        EvalDecisionDetails: { "IAM Policy": "allowed", "Resource Policy": "implicitDeny" },
      },
    ]);
  });

  test("of a group are of its policies; results come in pages", async () => {
    await iam.send(new sdk.CreateGroupCommand({ GroupName: "readers" }));
    const PolicyArn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    await iam.send(new sdk.AttachGroupPolicyCommand({ GroupName: "readers", PolicyArn }));
    const pages = sdk.paginateSimulatePrincipalPolicy(
      { client: iam, pageSize: 1 },
      {
        PolicySourceArn: `arn:aws:iam::${account}:group/readers`,
        ActionNames: ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
      },
    );
    const results: sdk.EvaluationResult[] = [];
    for await (const { EvaluationResults = [] } of pages) {
      expect(EvaluationResults.length).toBe(1);
      results.push(...EvaluationResults);
    }
    expect(results.map(({ EvalDecision }) => EvalDecision)).toEqual(["allowed", "implicitDeny", "allowed"]);
    expect(results[0]?.MatchedStatements?.[0]?.SourcePolicyId).toBe("AmazonS3ReadOnlyAccess");
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
