import {
  CreateCodeSigningConfigCommand,
  CreateFunctionCommand,
  DeleteCodeSigningConfigCommand,
  DeleteFunctionCodeSigningConfigCommand,
  DeleteFunctionCommand,
  GetCodeSigningConfigCommand,
  GetFunctionCodeSigningConfigCommand,
  LambdaClient,
  ListFunctionsByCodeSigningConfigCommand,
  ListTagsCommand,
  paginateListCodeSigningConfigs,
  PutFunctionCodeSigningConfigCommand,
  TagResourceCommand,
  UpdateCodeSigningConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createFunctionRole, zipOf } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { deploy, inlineFunction } from "../../testing/stacks.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let role: string;
let name = "";
let count = 0;

const profile = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/mine/abcdefghij";
const ZipFile = zipOf({ "index.mjs": "export const handler = () => 1;" });
const refused = {
  name: "CodeVerificationFailedException",
  message: expect.stringContaining("Check the provided signature for"),
  $metadata: { httpStatusCode: 400 },
};

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  role = await createFunctionRole(platform.settings, "signs");
});
afterAll(() => platform.stop());
beforeEach(() => {
  name = `signed-${(count += 1)}`;
});

async function createConfig(policy?: "Warn" | "Enforce") {
  const { CodeSigningConfig } = await lambda.send(
    new CreateCodeSigningConfigCommand({
      AllowedPublishers: { SigningProfileVersionArns: [profile] },
      ...(policy && { CodeSigningPolicies: { UntrustedArtifactOnDeployment: policy } }),
      Tags: { team: "a" },
    }),
  );
  return CodeSigningConfig?.CodeSigningConfigArn ?? "";
}

function create(CodeSigningConfigArn?: string) {
  const code = { Runtime: "nodejs24.x" as const, Handler: "index.handler", Code: { ZipFile }, Role: role };
  return lambda.send(
    new CreateFunctionCommand({ FunctionName: name, ...code, ...(CodeSigningConfigArn && { CodeSigningConfigArn }) }),
  );
}

test("CreateCodeSigningConfig answers all members, and Warn where no policy was given", async () => {
  const arn = await createConfig();
  const { CodeSigningConfig } = await lambda.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn: arn }));
  expect(CodeSigningConfig).toEqual({
    CodeSigningConfigArn: arn,
    CodeSigningConfigId: expect.stringMatching(/^csc-[a-z0-9]{17}$/),
    AllowedPublishers: { SigningProfileVersionArns: [profile] },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: "Warn" },
    LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/),
  });
  await lambda.send(new TagResourceCommand({ Resource: arn, Tags: { more: "b" } }));
  expect((await lambda.send(new ListTagsCommand({ Resource: arn }))).Tags).toEqual({ team: "a", more: "b" });
});

test("GetCodeSigningConfig answers ResourceNotFoundException for what is not there, or of another account", async () => {
  for (const account of ["000000000000", "111111111111"]) {
    const arn = `arn:aws:lambda:us-east-1:${account}:code-signing-config:csc-0123456789abcdef0`;
    const getting = lambda.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn: arn }));
    await expect(getting).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: `The Lambda code signing configuration ${arn} can not be found.`,
    });
  }
});

test("CreateFunction and PutFunctionCodeSigningConfig answer CodeSigningConfigNotFoundException", async () => {
  const arn = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0";
  await expect(create(arn)).rejects.toMatchObject({ name: "CodeSigningConfigNotFoundException" });
  await create();
  const put = new PutFunctionCodeSigningConfigCommand({ FunctionName: name, CodeSigningConfigArn: arn });
  await expect(lambda.send(put)).rejects.toMatchObject({
    name: "CodeSigningConfigNotFoundException",
    message: `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${arn}.`,
  });
});

test("Enforce refuses a package that is not signed, in every way to deploy it, and leaves nothing behind", async () => {
  const arn = await createConfig("Enforce");
  await expect(create(arn)).rejects.toMatchObject({ ...refused, message: expect.stringContaining(`for ${name}.`) });
  await create();
  await lambda.send(new PutFunctionCodeSigningConfigCommand({ FunctionName: name, CodeSigningConfigArn: arn }));
  await expect(lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile }))).rejects.toMatchObject(
    refused,
  );
  const dry = new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile, DryRun: true });
  await expect(lambda.send(dry)).rejects.toMatchObject(refused);
  // Nothing is deployed here.
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Timeout: 5 }));
});

test("Warn lets a package pass that is not signed, and counts it in SignatureValidationErrors", async () => {
  const arn = await createConfig("Warn");
  await create(arn);
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile }));
  const { Datapoints } = await new CloudWatchClient(platform.settings).send(
    new GetMetricStatisticsCommand({
      Namespace: "AWS/Lambda",
      MetricName: "SignatureValidationErrors",
      Dimensions: [{ Name: "FunctionName", Value: name }],
      StartTime: new Date(Date.now() - 600_000),
      EndTime: new Date(Date.now() + 60_000),
      Period: 3600,
      Statistics: ["Sum"],
    }),
  );
  expect(Datapoints?.reduce((sum, each) => sum + (each.Sum ?? 0), 0)).toBe(2);
});

test("A configuration that functions use can not be deleted, until the last one is gone", async () => {
  const arn = await createConfig();
  const config = { CodeSigningConfigArn: arn };
  await create(arn);
  const get = () => lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName: name }));
  expect(await get()).toMatchObject({ ...config, FunctionName: name });
  const { FunctionArns } = await lambda.send(new ListFunctionsByCodeSigningConfigCommand(config));
  expect(FunctionArns).toEqual([`arn:aws:lambda:us-east-1:000000000000:function:${name}`]);
  const remove = () => lambda.send(new DeleteCodeSigningConfigCommand(config));
  await expect(remove()).rejects.toMatchObject({ name: "ResourceConflictException" });
  await lambda.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName: name }));
  expect(await get()).not.toHaveProperty("CodeSigningConfigArn");
  await lambda.send(new PutFunctionCodeSigningConfigCommand({ FunctionName: name, ...config }));
  await expect(remove()).rejects.toMatchObject({ name: "ResourceConflictException" });
  await lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
  await remove();
  await expect(remove()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

test("UpdateCodeSigningConfig changes what is given, and lists go by pages", async () => {
  const arn = await createConfig();
  const { CodeSigningConfig } = await lambda.send(
    new UpdateCodeSigningConfigCommand({
      CodeSigningConfigArn: arn,
      CodeSigningPolicies: { UntrustedArtifactOnDeployment: "Enforce" },
    }),
  );
  expect(CodeSigningConfig).toMatchObject({
    AllowedPublishers: { SigningProfileVersionArns: [profile] },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: "Enforce" },
  });
  const seen = new Set<string | undefined>();
  for await (const page of paginateListCodeSigningConfigs({ client: lambda, pageSize: 1 }, {})) {
    expect(page.CodeSigningConfigs?.length).toBeLessThanOrEqual(1);
    for (const each of page.CodeSigningConfigs ?? []) seen.add(each.CodeSigningConfigArn);
  }
  expect(seen).toContain(arn);
});

const template = (policy: "Warn" | "Enforce", answer: number) => ({
  Resources: {
    ...inlineFunction("signed-stack", `exports.handler = async () => ${answer}`, {
      CodeSigningConfigArn: { Ref: "Signing" },
    }),
    Signing: {
      Type: "AWS::Lambda::CodeSigningConfig",
      Properties: {
        AllowedPublishers: { SigningProfileVersionArns: [profile] },
        CodeSigningPolicies: { UntrustedArtifactOnDeployment: policy },
      },
    },
  },
  Outputs: { Arn: { Value: { "Fn::GetAtt": ["Signing", "CodeSigningConfigArn"] } } },
});
test("A stack makes a configuration and its function; changed to Enforce, new code is refused and rolled back", async () => {
  const cloudformation = new CloudFormationClient(platform.settings);
  const created = await deploy(cloudformation, "signing", template("Warn", 1));
  expect(created).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
  const used = await lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName: "signed-stack" }));
  expect(used.CodeSigningConfigArn).toBe(created.outputs["Arn"]);

  const updated = await deploy(cloudformation, "signing", template("Enforce", 2));
  expect(updated.status).toBe("UPDATE_ROLLBACK_COMPLETE");
  expect(updated.failures.join()).toContain("Check the provided signature for signed-stack.");
  const { CodeSigningConfig } = await lambda.send(
    new GetCodeSigningConfigCommand({ CodeSigningConfigArn: used.CodeSigningConfigArn }),
  );
  expect(CodeSigningConfig?.CodeSigningPolicies?.UntrustedArtifactOnDeployment).toBe("Warn");
  expect((await deploy(cloudformation, "signing", undefined)).status).toBe("DELETE_COMPLETE");
  await expect(
    lambda.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn: used.CodeSigningConfigArn })),
  ).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});
