import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from "@aws-sdk/client-cloudformation";
import {
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  DeleteFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  LambdaClient,
  ListFunctionUrlConfigsCommand,
  PublishVersionCommand,
  UpdateFunctionUrlConfigCommand,
  type CreateFunctionUrlConfigCommandInput,
} from "@aws-sdk/client-lambda";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let role: string;
let name = "";
let count = 0;
const account = "000000000000";

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  role = await createFunctionRole(platform.settings, "runs");
});
afterAll(() => platform.stop());
beforeEach(() => {
  name = `f${(count += 1)}`;
});

const create = () =>
  createNodeFunction(platform.settings, {
    FunctionName: name,
    Role: role,
    source: "export const handler = async () => 1",
  });

const createUrl = () => lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: name, AuthType: "NONE" }));

test("CreateFunctionUrlConfig answers the address, and Get, Update and List tell the same", async () => {
  await create();
  const created = await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: name, AuthType: "NONE" }));
  const FunctionArn = `arn:aws:lambda:us-east-1:${account}:function:${name}`;
  expect(created).toMatchObject({ FunctionArn, AuthType: "NONE", InvokeMode: "BUFFERED" });
  expect(created.FunctionUrl).toMatch(
    new RegExp(`^http://[a-z0-9]{32}\\.lambda-url\\.us-east-1\\.localhost:${platform.port}/$`),
  );
  expect(created.CreationTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(created).not.toHaveProperty("Cors");
  expect(created).not.toHaveProperty("LastModifiedTime");

  const Cors = { AllowOrigins: ["https://a.example"], MaxAge: 5 };
  const updated = await lambda.send(
    new UpdateFunctionUrlConfigCommand({ FunctionName: name, Cors, InvokeMode: "RESPONSE_STREAM" }),
  );
  expect(updated).toMatchObject({ Cors, AuthType: "NONE", InvokeMode: "RESPONSE_STREAM" });
  const { $metadata: _, ...got } = await lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: name }));
  expect(updated).toMatchObject(got);
  const { FunctionUrlConfigs } = await lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName: name }));
  expect(FunctionUrlConfigs).toEqual([got]);

  const cleared = await lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName: name, Cors: {} }));
  expect(cleared).not.toHaveProperty("Cors");
});

test("A function's URLs are listed page by page, its own first", async () => {
  await create();
  const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName: name }));
  await createUrl();
  for (const Name of ["a", "b"]) {
    await lambda.send(new CreateAliasCommand({ FunctionName: name, Name, FunctionVersion: Version }));
    await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: name, Qualifier: Name, AuthType: "AWS_IAM" }));
  }
  const seen: (string | undefined)[] = [];
  let Marker: string | undefined;
  do {
    const page = await lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName: name, MaxItems: 1, Marker }));
    expect(page.FunctionUrlConfigs).toHaveLength(1);
    seen.push(page.FunctionUrlConfigs?.[0]?.FunctionArn?.split(":").at(-1));
    Marker = page.NextMarker;
  } while (Marker !== undefined);
  expect(seen).toEqual([name, "a", "b"]);
});

test("A second URL of one function is a ResourceConflictException; one that is not there a ResourceNotFoundException", async () => {
  await create();
  await expect(lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: name }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "The resource you requested does not exist.",
  });
  await createUrl();
  await expect(createUrl()).rejects.toMatchObject({ name: "ResourceConflictException" });
  await lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: name }));
  await expect(lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: name }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
});

test.for([
  ["a version", { Qualifier: "1" }],
  ["$LATEST", { FunctionName: "NAME:$LATEST" }],
  ["an alias that is not there", { Qualifier: "nowhere" }],
  ["a function that is not there", { FunctionName: "nowhere" }],
  ["an AuthType that AWS does not know", { AuthType: "JWT" }],
  ["an InvokeMode that AWS does not know", { InvokeMode: "SOMETIMES" }],
  ["a method that AWS does not know", { Cors: { AllowMethods: ["FETCH"] } }],
  ["OPTIONS, which the URL answers itself", { Cors: { AllowMethods: ["OPTIONS"] } }],
  ["seven methods", { Cors: { AllowMethods: ["GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"] } }],
  ["a MaxAge of more than a day", { Cors: { MaxAge: 86_401 } }],
  ["an origin without a scheme", { Cors: { AllowOrigins: ["example.com"] } }],
  ["a hundred and one origins", { Cors: { AllowOrigins: Array.from({ length: 101 }, (_, i) => `https://${i}.a`) } }],
])("CreateFunctionUrlConfig refuses %s", async ([, more]) => {
  await create();
  await lambda.send(new PublishVersionCommand({ FunctionName: name }));
  const input = { FunctionName: name, AuthType: "NONE", ...(more as object) };
  input.FunctionName = input.FunctionName.replace("NAME", name);
  const refused = lambda.send(new CreateFunctionUrlConfigCommand(input as CreateFunctionUrlConfigCommandInput));
  await expect(refused).rejects.toMatchObject({ $fault: "client" });
  await expect(refused).rejects.toSatisfy((error: Error) =>
    ["InvalidParameterValueException", "ValidationException", "ResourceNotFoundException"].includes(error.name),
  );
});

/** Waits until the stack rests; its status and outputs. */
async function settle(cloudformation: CloudFormationClient, StackName: string) {
  for (;;) {
    const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
    const stack = Stacks?.[0];
    const outputs = Object.fromEntries((stack?.Outputs ?? []).map((each) => [each.OutputKey, each.OutputValue]));
    if (!stack?.StackStatus?.endsWith("_IN_PROGRESS")) return { status: stack?.StackStatus, outputs };
    await delay(20);
  }
}

test("A template's AWS::Lambda::Url of an alias is changed in place, and goes with its stack", async () => {
  const cloudformation = new CloudFormationClient(platform.settings);
  await create();
  await lambda.send(new PublishVersionCommand({ FunctionName: name }));
  await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: "1" }));
  const FunctionArn = `arn:aws:lambda:us-east-1:${account}:function:${name}`;
  const template = (more: object) =>
    JSON.stringify({
      Resources: {
        Url: {
          Type: "AWS::Lambda::Url",
          Properties: { TargetFunctionArn: FunctionArn, Qualifier: "live", ...more },
        },
      },
      Outputs: {
        Ref: { Value: { Ref: "Url" } },
        FunctionArn: { Value: { "Fn::GetAtt": ["Url", "FunctionArn"] } },
        FunctionUrl: { Value: { "Fn::GetAtt": ["Url", "FunctionUrl"] } },
      },
    });
  const Cors = { AllowOrigins: ["https://a.example"], AllowCredentials: true, MaxAge: 9 };
  await cloudformation.send(
    new CreateStackCommand({ StackName: name, TemplateBody: template({ AuthType: "NONE", Cors }) }),
  );
  const created = await settle(cloudformation, name);
  expect(created.status).toBe("CREATE_COMPLETE");
  expect(created.outputs).toMatchObject({ Ref: `${FunctionArn}:live`, FunctionArn: `${FunctionArn}:live` });
  const get = () => lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: name, Qualifier: "live" }));
  expect(await get()).toMatchObject({ Cors, FunctionUrl: created.outputs["FunctionUrl"], InvokeMode: "BUFFERED" });

  const TemplateBody = template({ AuthType: "AWS_IAM", InvokeMode: "RESPONSE_STREAM" });
  await cloudformation.send(new UpdateStackCommand({ StackName: name, TemplateBody }));
  expect((await settle(cloudformation, name)).outputs).toEqual(created.outputs);
  expect(await get()).toMatchObject({ AuthType: "AWS_IAM", InvokeMode: "RESPONSE_STREAM" });
  expect(await get()).not.toHaveProperty("Cors");

  await cloudformation.send(new DeleteStackCommand({ StackName: name }));
  await expect(async () => {
    for (;;) await settle(cloudformation, name);
  }).rejects.toThrow(/does not exist/);
  await expect(get()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});
