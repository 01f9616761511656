import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { deploy, inlineFunction } from "../../../testing/stacks.ts";

let platform: TestPlatform;
let cloudformation: CloudFormationClient;
let count = 0;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  cloudformation = new CloudFormationClient(platform.settings);
});
afterAll(() => platform.stop());

function functionWith(more: object) {
  return { Resources: inlineFunction(`refused-${count}`, "exports.handler = async () => 1", more) };
}

test.each<[object, string]>([
  [{ TracingConfig: { Mode: "Active" } }, "TracingConfig.Mode=Active"],
  [{ TracingConfig: { Mode: "Sometimes" } }, "Sometimes"],
  [{ SnapStart: { ApplyOn: "Always" } }, "Always"],
  [{ RecursiveLoop: "Maybe" }, "Maybe"],
  [{ PackageType: "Tar" }, "Tar"],
  [{ FunctionScalingConfig: { MinExecutionEnvironments: 1 } }, "does not contain a capacity provider configuration"],
  [{ PublishToLatestPublished: true }, "PublishTo isn't supported"],
  [{ TenancyConfig: { TenantIsolationMode: "PER_USER" } }, "PER_USER"],
  [{ RuntimeManagementConfig: { UpdateRuntimeOn: "FunctionUpdate" } }, "FunctionUpdate"],
  [{ CodeSigningConfigArn: "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0" }, "csc-"],
])("a function with %j fails by name, and nothing of it stays", async (more, text) => {
  count += 1;
  const { status, failures } = await deploy(cloudformation, `refused-${count}`, functionWith(more));
  expect(status).toBe("ROLLBACK_COMPLETE");
  expect(failures.join()).toContain(text);
  const { Functions } = await new LambdaClient(platform.settings).send(new ListFunctionsCommand({}));
  expect(Functions).toEqual([]);
});

test.each<[object, string]>([
  [{ KmsKeyArn: "arn:aws:kms:us-east-1:000000000000:key/k" }, "KmsKeyArn"],
  [{ DeadLetterConfig: { TargetArn: "arn:aws:sqs:us-east-1:000000000000:q" } }, "DeadLetterConfig"],
  [{ VpcConfig: { SubnetIds: ["subnet-1"] } }, "VpcConfig"],
  [{ RuntimeManagementConfig: { UpdateRuntimeOn: "Manual", RuntimeVersionArn: "arn:x" } }, "RuntimeVersionArn"],
])("a template with %j is refused by name before anything is made", async (more, text) => {
  count += 1;
  await expect(deploy(cloudformation, `refused-${count}`, functionWith(more))).rejects.toThrow(text);
});
