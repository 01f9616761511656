import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { GetFunctionScalingConfigCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deploy } from "../../../testing/stacks.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

let platform: TestPlatform;
let cloudformation: CloudFormationClient;
let lambda: LambdaClient;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  cloudformation = new CloudFormationClient(platform.settings);
  lambda = new LambdaClient(platform.settings);
});
afterAll(() => platform.stop());

const role = {
  Type: "AWS::IAM::Role",
  Properties: {
    AssumeRolePolicyDocument: {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    },
  },
};
const provider = (more: object = {}) => ({
  Type: "AWS::Lambda::CapacityProvider",
  Properties: {
    VpcConfig: { SubnetIds: ["subnet-1"], SecurityGroupIds: ["sg-1"] },
    PermissionsConfig: { CapacityProviderOperatorRoleArn: { "Fn::GetAtt": ["Role", "Arn"] } },
    CapacityProviderScalingConfig: { MaxVCpuCount: 4 },
    ...more,
  },
});
const template = (answer: string, name: string, more: object = {}) => ({
  Resources: {
    Role: role,
    Provider: provider(more),
    Function: {
      Type: "AWS::Lambda::Function",
      Properties: {
        FunctionName: name,
        Role: { "Fn::GetAtt": ["Role", "Arn"] },
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        MemorySize: 2048,
        Code: { ZipFile: `exports.handler = async () => "${answer}";` },
        Environment: { Variables: { AWS_LAMBDA_NODEJS_WORKER_COUNT: "1" } },
        CapacityProviderConfig: {
          LambdaManagedInstancesCapacityProviderConfig: {
            CapacityProviderArn: { "Fn::GetAtt": ["Provider", "Arn"] },
            PerExecutionEnvironmentMaxConcurrency: 4,
          },
        },
        FunctionScalingConfig: { MinExecutionEnvironments: 1, MaxExecutionEnvironments: 2 },
      },
    },
  },
});

test("a stack has a capacity provider and a function on it, published and scaled, and again when it changes", async () => {
  const answer = async () => {
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: "stacked" }));
    return JSON.parse(Payload?.transformToString() ?? "null") as unknown;
  };
  expect(await deploy(cloudformation, "capacity", template("one", "stacked"))).toMatchObject({
    status: "CREATE_COMPLETE",
  });
  expect(await answer()).toBe("one");
  const { AppliedFunctionScalingConfig } = await lambda.send(
    new GetFunctionScalingConfigCommand({ FunctionName: "stacked", Qualifier: "$LATEST.PUBLISHED" }),
  );
  expect(AppliedFunctionScalingConfig).toEqual({ MinExecutionEnvironments: 1, MaxExecutionEnvironments: 2 });
  expect(await deploy(cloudformation, "capacity", template("two", "stacked"))).toMatchObject({
    status: "UPDATE_COMPLETE",
  });
  expect(await answer()).toBe("two");
});

test.each<[object, string]>([
  [{ KmsKeyArn: "arn:aws:kms:us-east-1:000000000000:key/k" }, "KmsKeyArn"],
  [{ InstanceRequirements: { AllowedInstanceTypes: ["c8g.xlarge"] } }, "AllowedInstanceTypes"],
  [{ TelemetryConfig: { LoggingConfig: { LogGroup: "/own" } } }, "TelemetryConfig"],
  [{ PropagateTags: { Mode: "Explicit", ExplicitTags: [{ Key: "a", Value: "b" }] } }, "ExplicitTags"],
])("a capacity provider with %j is refused by name before anything is made", async (more, text) => {
  await expect(deploy(cloudformation, "refused", template("none", "refused", more))).rejects.toThrow(text);
});
