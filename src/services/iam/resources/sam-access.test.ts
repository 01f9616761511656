import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { IAMClient, ListAttachedRolePoliciesCommand, SimulatePrincipalPolicyCommand } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { deploy } from "../../../testing/stacks.ts";

let platform: TestPlatform;

beforeAll(async () => {
  platform = await startTestPlatform();
}, 60_000);
afterAll(() => platform.stop());

const template = {
  Transform: "AWS::Serverless-2016-10-31",
  Resources: {
    Table: { Type: "AWS::Serverless::SimpleTable" },
    Bucket: { Type: "AWS::S3::Bucket" },
    Api: {
      Type: "AWS::Serverless::HttpApi",
      Properties: { DefinitionBody: { openapi: "3.0.1", info: { title: "api", version: "1" }, paths: {} } },
    },
    Worker: {
      Type: "AWS::Serverless::Function",
      Properties: {
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        InlineCode: "exports.handler = async () => 'ok'",
        Policies: [
          { S3ReadPolicy: { BucketName: { Ref: "Bucket" } } },
          "AWSLambdaBasicDurableExecutionRolePolicy",
          { Statement: [{ Effect: "Allow", Action: "ses:SendEmail", Resource: "*" }] },
        ],
      },
      Connectors: { ToTable: { Properties: { Destination: { Id: "Table" }, Permissions: ["Write"] } } },
    },
    Calls: {
      Type: "AWS::Serverless::Connector",
      Properties: { Source: { Id: "Api" }, Destination: { Id: "Worker" }, Permissions: ["Write"] },
    },
  },
  Outputs: {
    Role: { Value: { "Fn::GetAtt": ["WorkerRole", "Arn"] } },
    RoleName: { Value: { Ref: "WorkerRole" } },
    Table: { Value: { "Fn::GetAtt": ["Table", "Arn"] } },
    Bucket: { Value: { "Fn::GetAtt": ["Bucket", "Arn"] } },
    Permission: { Value: { Ref: "CallsWriteLambdaPermission" } },
  },
};

test("SAM's policies and connectors give a function what they say, and a stack takes it back", async () => {
  const stacks = new CloudFormationClient(platform.settings);
  const iam = new IAMClient(platform.settings);
  const { status, failures, outputs } = await deploy(stacks, "sam-access", template);
  expect({ status, failures }).toEqual({ status: "CREATE_COMPLETE", failures: [] });
  const decided = async (action: string, resource: string) => {
    const { EvaluationResults } = await iam.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: outputs["Role"],
        ActionNames: [action],
        ResourceArns: [resource],
      }),
    );
    return EvaluationResults?.[0]?.EvalDecision;
  };
  expect(await decided("dynamodb:PutItem", outputs["Table"] ?? "")).toBe("allowed");
  expect(await decided("dynamodb:PutItem", `${outputs["Table"]}/index/i`)).toBe("allowed");
  expect(await decided("dynamodb:GetItem", outputs["Table"] ?? "")).toBe("implicitDeny");
  expect(await decided("s3:GetObject", `${outputs["Bucket"]}/k`)).toBe("allowed");
  expect(await decided("s3:PutObject", `${outputs["Bucket"]}/k`)).toBe("implicitDeny");
  expect(await decided("s3:GetObject", "arn:aws:s3:::another/k")).toBe("implicitDeny");
  expect(await decided("ses:SendEmail", "*")).toBe("allowed");
  expect(await decided("lambda:CheckpointDurableExecution", "*")).toBe("allowed");
  const { AttachedPolicies } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: outputs["RoleName"] }));
  expect(AttachedPolicies?.some(({ PolicyName }) => PolicyName?.startsWith("sam-access-WorkerToTablePolicy"))).toBe(
    true,
  );
  expect(outputs["Permission"]).toBeDefined();
  expect((await deploy(stacks, "sam-access", undefined)).status).toBe("DELETE_COMPLETE");
});
