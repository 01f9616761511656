import {
  AddLayerVersionPermissionCommand,
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteFunctionEventInvokeConfigCommand,
  DeleteLayerVersionCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetFunctionEventInvokeConfigCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  GetLayerVersionPolicyCommand,
  GetPolicyCommand,
  InvokeCommand,
  LambdaClient,
  ListAliasesCommand,
  ListFunctionEventInvokeConfigsCommand,
  ListFunctionsCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  paginateListFunctions,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  RemoveLayerVersionPermissionCommand,
  RemovePermissionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  UpdateFunctionEventInvokeConfigCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
  type CreateFunctionCommandInput,
} from "@aws-sdk/client-lambda";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createFunctionRole, zipOf } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let role: string;
let name = "";
let count = 0;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  role = await createFunctionRole(platform.settings, "runs");
});
afterAll(() => platform.stop());
beforeEach(() => {
  name = `f${(count += 1)}`;
});

const zip = (text = "exports.handler = async () => 1") => zipOf({ "index.js": text });
const arn = (rest: string) => `arn:aws:lambda:us-east-1:000000000000:${rest}`;

function create(more: Partial<CreateFunctionCommandInput> = {}) {
  return lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: role,
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Code: { ZipFile: zip() },
      ...more,
    }),
  );
}

test("CreateFunction answers the configuration with AWS's defaults, and the waiters pass", async () => {
  const { $metadata, LastModified, RevisionId, CodeSha256, CodeSize, ...made } = await create();
  expect($metadata.httpStatusCode).toBe(201);
  expect(LastModified).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  expect(RevisionId).toMatch(/^[0-9a-f-]{36}$/);
  expect(CodeSha256).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(CodeSize).toBe(zip().byteLength);
  expect(made).toEqual({
    FunctionName: name,
    FunctionArn: arn(`function:${name}`),
    Runtime: "nodejs24.x",
    Role: role,
    Handler: "index.handler",
    Description: "",
    Timeout: 3,
    MemorySize: 128,
    Version: "$LATEST",
    TracingConfig: { Mode: "PassThrough" },
    State: "Active",
    LastUpdateStatus: "Successful",
    PackageType: "Zip",
    Architectures: ["x86_64"],
    EphemeralStorage: { Size: 512 },
    SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
    LoggingConfig: { LogFormat: "Text", LogGroup: `/aws/lambda/${name}` },
  });
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 5 }, { FunctionName: name });
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 5 }, { FunctionName: name });
});

test("CreateFunction answers ResourceConflictException for a name that is taken", async () => {
  await create();
  await expect(create()).rejects.toMatchObject({
    name: "ResourceConflictException",
    message: `Function already exist: ${name}`,
    Type: "User",
    $metadata: { httpStatusCode: 409 },
  });
});

const refusals: readonly (readonly [string, Partial<CreateFunctionCommandInput>, string])[] = [
  ["bytes that are no zip", { Code: { ZipFile: Buffer.from("no zip") } }, "Could not unzip uploaded file."],
  ["no source of code", { Code: {} }, "Please provide a source for function code."],
  ["no handler", { Handler: undefined }, "Runtime and Handler are mandatory parameters"],
  ["a timeout above 900", { Timeout: 901 }, "Member must have value less than or equal to 900"],
  ["memory above 10240", { MemorySize: 10_241 }, "Member must have value less than or equal to 10240"],
  [
    "a reserved variable",
    { Environment: { Variables: { AWS_REGION: "x" } } },
    "Reserved keys used in this request: AWS_REGION",
  ],
  ["more than 4 KB of variables", { Environment: { Variables: { A1: "x".repeat(4096) } } }, "exceeded the 4KB limit"],
  ["a layer that is not there", { Layers: [arn("layer:none:1")] }, "does not exist"],
  ["a long name", { FunctionName: "x".repeat(65) }, "Member must have length less than or equal to 64"],
  [
    "a role that is not there",
    { Role: "arn:aws:iam::000000000000:role/none" },
    "The role defined for the function cannot be assumed by Lambda.",
  ],
];

test.each(refusals)("CreateFunction refuses %s, and makes nothing", async (_, input, message) => {
  await expect(create(input)).rejects.toThrow(message);
  await expect(lambda.send(new GetFunctionCommand({ FunctionName: name }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: `Function not found: ${arn(`function:${name}`)}`,
  });
});

const unbuilt: readonly (readonly [string, Partial<CreateFunctionCommandInput>])[] = [
  ["VpcConfig", { VpcConfig: { SubnetIds: ["subnet-1"], SecurityGroupIds: ["sg-1"] } }],
  ["DeadLetterConfig", { DeadLetterConfig: { TargetArn: "arn:aws:sqs:us-east-1:000000000000:q" } }],
  ["TracingConfig.Mode=Active", { TracingConfig: { Mode: "Active" } }],
  ["KMSKeyArn", { KMSKeyArn: "arn:aws:kms:us-east-1:000000000000:key/k" }],
];

test.each(unbuilt)("CreateFunction answers 501 naming %s", async (member, input) => {
  await expect(create(input)).rejects.toMatchObject({
    name: "NotImplemented",
    message: expect.stringContaining(member),
    $metadata: { httpStatusCode: 501 },
  });
});

test("a role that does not trust Lambda is refused", async () => {
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
  });
  const iam = new IAMClient(platform.settings);
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "for-ec2", AssumeRolePolicyDocument }));
  await expect(create({ Role: Role?.Arn })).rejects.toMatchObject({
    name: "InvalidParameterValueException",
    message: "The role defined for the function cannot be assumed by Lambda.",
  });
});

test.each([
  ["a name", () => name],
  ["a partial ARN", () => `000000000000:function:${name}`],
  ["an ARN", () => arn(`function:${name}`)],
  ["an ARN with a qualifier", () => arn(`function:${name}:$LATEST`)],
])("GetFunctionConfiguration takes %s", async (_, form) => {
  await create();
  const found = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: form() }));
  expect(found.FunctionName).toBe(name);
});

test("a qualifier in the name and another beside it are refused", async () => {
  await create();
  const input = { FunctionName: `${name}:$LATEST`, Qualifier: "1" };
  await expect(lambda.send(new GetFunctionConfigurationCommand(input))).rejects.toThrow(
    "The derived qualifier from the function name does not match the specified qualifier.",
  );
});

test("GetFunction's Code.Location is downloaded without a signature, until its token is changed", async () => {
  await create({ Tags: { a: "1" } });
  const { Code, Tags } = await lambda.send(new GetFunctionCommand({ FunctionName: name }));
  expect(Tags).toEqual({ a: "1" });
  const location = Code?.Location ?? "";
  const answer = await fetch(location);
  expect(answer.status).toBe(200);
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(zip());
  const token = location.split("/").at(-1) ?? "";
  const forged = `${token.slice(0, 10)}${token[10] === "A" ? "B" : "A"}${token.slice(11)}`;
  expect((await fetch(location.replace(token, forged))).status).toBe(404);
});

test("UpdateFunctionCode runs the new code; a RevisionId that is not the latest is refused", async () => {
  const made = await create();
  const input = { FunctionName: name, ZipFile: zip("exports.handler = async () => 2") };
  await expect(
    lambda.send(new UpdateFunctionCodeCommand({ ...input, RevisionId: "00000000-0000-0000-0000-000000000000" })),
  ).rejects.toMatchObject({ name: "PreconditionFailedException", $metadata: { httpStatusCode: 412 } });
  const dry = await lambda.send(new UpdateFunctionCodeCommand({ ...input, DryRun: true }));
  expect(dry.CodeSha256).not.toBe(made.CodeSha256);
  const run = async () => (await lambda.send(new InvokeCommand({ FunctionName: name }))).Payload?.transformToString();
  expect(await run()).toBe("1");
  const after = await lambda.send(new UpdateFunctionCodeCommand({ ...input, RevisionId: made.RevisionId }));
  expect(after.RevisionId).not.toBe(made.RevisionId);
  expect(await run()).toBe("2");
});

test("UpdateFunctionConfiguration changes what it names and keeps the rest", async () => {
  await create({ Timeout: 5, Environment: { Variables: { A1: "1" } } });
  const input = { FunctionName: name, MemorySize: 256, LoggingConfig: { LogFormat: "JSON" } } as const;
  const after = await lambda.send(new UpdateFunctionConfigurationCommand(input));
  expect(after).toMatchObject({
    Timeout: 5,
    MemorySize: 256,
    Environment: { Variables: { A1: "1" } },
    LoggingConfig: { LogFormat: "JSON", ApplicationLogLevel: "INFO", SystemLogLevel: "INFO" },
  });
  const cleared = await lambda.send(
    new UpdateFunctionConfigurationCommand({ FunctionName: name, Environment: { Variables: {} } }),
  );
  expect(cleared).not.toHaveProperty("Environment");
});

test("PublishVersion gives numbers, and the same one again while nothing has changed", async () => {
  const made = await create();
  const one = await lambda.send(new PublishVersionCommand({ FunctionName: name, Description: "first" }));
  expect(one).toMatchObject({ Version: "1", FunctionArn: arn(`function:${name}:1`), Description: "first" });
  expect((await lambda.send(new PublishVersionCommand({ FunctionName: name }))).Version).toBe("1");
  const wrong = new PublishVersionCommand({ FunctionName: name, CodeSha256: "wrong" });
  await expect(lambda.send(wrong)).rejects.toThrow(
    `CodeSHA256 (wrong) is different from current CodeSHA256 in $LATEST (${made.CodeSha256}).`,
  );
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Timeout: 9 }));
  expect((await lambda.send(new PublishVersionCommand({ FunctionName: name }))).Version).toBe("2");
  const { Versions } = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName: name }));
  expect(Versions?.map(({ Version, Timeout }) => [Version, Timeout])).toEqual([
    ["$LATEST", 9],
    ["1", 3],
    ["2", 9],
  ]);
  const all = await lambda.send(new ListFunctionsCommand({ FunctionVersion: "ALL", MaxItems: 50 }));
  const arns = all.Functions?.filter((each) => each.FunctionName === name).map(({ FunctionArn }) => FunctionArn);
  expect(arns).toEqual(["$LATEST", "1", "2"].map((version) => arn(`function:${name}:${version}`)));
});

test("a version that an alias names cannot be deleted; without the alias it can", async () => {
  await create({ Publish: true });
  await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: "1" }));
  const deletion = () => lambda.send(new DeleteFunctionCommand({ FunctionName: name, Qualifier: "1" }));
  await expect(deletion()).rejects.toMatchObject({ name: "ResourceConflictException" });
  await expect(
    lambda.send(new DeleteFunctionCommand({ FunctionName: name, Qualifier: "$LATEST" })),
  ).rejects.toMatchObject({ name: "InvalidParameterValueException" });
  await lambda.send(new DeleteAliasCommand({ FunctionName: name, Name: "live" }));
  await deletion();
  await expect(
    lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name, Qualifier: "1" })),
  ).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

test("aliases are created, updated, listed and refused as AWS does", async () => {
  await create({ Publish: true });
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Timeout: 4 }));
  await lambda.send(new PublishVersionCommand({ FunctionName: name }));
  const input = { FunctionName: name, Name: "live", FunctionVersion: "1" };
  const alias = await lambda.send(new CreateAliasCommand(input));
  expect(alias).toMatchObject({ AliasArn: arn(`function:${name}:live`), FunctionVersion: "1", Description: "" });
  await expect(lambda.send(new CreateAliasCommand(input))).rejects.toMatchObject({
    name: "ResourceConflictException",
    message: `Alias already exists: ${arn(`function:${name}:live`)}`,
  });
  await expect(lambda.send(new CreateAliasCommand({ ...input, Name: "x", FunctionVersion: "9" }))).rejects.toThrow(
    `Function not found: ${arn(`function:${name}:9`)}`,
  );
  const RoutingConfig = { AdditionalVersionWeights: { "2": 0.25 } };
  await expect(
    lambda.send(new CreateAliasCommand({ ...input, Name: "x", FunctionVersion: "$LATEST", RoutingConfig })),
  ).rejects.toThrow("$LATEST is not supported for an alias pointing to more than 1 version");
  const updated = await lambda.send(new UpdateAliasCommand({ FunctionName: name, Name: "live", RoutingConfig }));
  expect(updated.RoutingConfig).toEqual(RoutingConfig);
  expect(updated.RevisionId).not.toBe(alias.RevisionId);
  const { Aliases } = await lambda.send(new ListAliasesCommand({ FunctionName: name, FunctionVersion: "2" }));
  expect(Aliases?.map(({ Name }) => Name)).toEqual(["live"]);
  await expect(lambda.send(new GetAliasCommand({ FunctionName: name, Name: "none" }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: `Cannot find alias arn: ${arn(`function:${name}:none`)}`,
  });
});

test.each(["nobody", "arn:aws:iam::1:user/x", "arn:aws:iam::111122223333:user/*", "lambda.example.com"])(
  "AddPermission answers InvalidParameterValueException for the principal %s",
  async (Principal) => {
    await create();
    const input = { FunctionName: name, StatementId: "s1", Action: "lambda:InvokeFunction", Principal };
    await expect(lambda.send(new AddPermissionCommand(input))).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: "The provided principal was invalid. Please check the principal and try again.",
    });
    await expect(lambda.send(new GetPolicyCommand({ FunctionName: name }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  },
);

test("AddPermission takes the service of Alexa's skills for a principal", async () => {
  await create();
  const input = { FunctionName: name, StatementId: "s1", Action: "lambda:InvokeFunction" };
  await lambda.send(new AddPermissionCommand({ ...input, Principal: "alexa-appkit.amazon.com" }));
});

test("AddPermission builds the statement that AWS builds", async () => {
  await create();
  const { Statement } = await lambda.send(
    new AddPermissionCommand({
      FunctionName: name,
      StatementId: "s1",
      Action: "lambda:InvokeFunction",
      Principal: "apigateway.amazonaws.com",
      SourceArn: "arn:aws:execute-api:us-east-1:000000000000:api/*",
      SourceAccount: "000000000000",
    }),
  );
  const expected = {
    Sid: "s1",
    Effect: "Allow",
    Principal: { Service: "apigateway.amazonaws.com" },
    Action: "lambda:InvokeFunction",
    Resource: arn(`function:${name}`),
    Condition: {
      StringEquals: { "AWS:SourceAccount": "000000000000" },
      ArnLike: { "AWS:SourceArn": "arn:aws:execute-api:us-east-1:000000000000:api/*" },
    },
  };
  expect(JSON.parse(Statement ?? "")).toEqual(expected);
  const { Policy, RevisionId } = await lambda.send(new GetPolicyCommand({ FunctionName: name }));
  expect(JSON.parse(Policy ?? "")).toEqual({ Version: "2012-10-17", Id: "default", Statement: [expected] });
  const account = { FunctionName: name, StatementId: "s1", Action: "lambda:*", Principal: "111122223333" };
  await expect(lambda.send(new AddPermissionCommand(account))).rejects.toMatchObject({
    name: "ResourceConflictException",
    message: expect.stringContaining("The statement id (s1) provided already exists."),
  });
  await expect(
    lambda.send(new RemovePermissionCommand({ FunctionName: name, StatementId: "s1", RevisionId: "old" })),
  ).rejects.toMatchObject({ name: "PreconditionFailedException" });
  await lambda.send(new RemovePermissionCommand({ FunctionName: name, StatementId: "s1", RevisionId }));
  await expect(lambda.send(new GetPolicyCommand({ FunctionName: name }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "The resource you requested does not exist.",
  });
});

test("tags are set, listed and removed", async () => {
  await create({ Tags: { a: "1" } });
  const Resource = arn(`function:${name}`);
  await lambda.send(new TagResourceCommand({ Resource, Tags: { b: "2" } }));
  await lambda.send(new UntagResourceCommand({ Resource, TagKeys: ["a"] }));
  expect((await lambda.send(new ListTagsCommand({ Resource }))).Tags).toEqual({ b: "2" });
  await expect(lambda.send(new ListTagsCommand({ Resource: `${Resource}x` }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
});

test("layers are published, listed, shared, used and deleted; their numbers are not given twice", async () => {
  const LayerName = `layer-${name}`;
  const Content = { ZipFile: zipOf({ "nodejs/node_modules/greet/index.js": "module.exports = 'hello'" }) };
  const one = await lambda.send(
    new PublishLayerVersionCommand({ LayerName, Content, CompatibleRuntimes: ["nodejs24.x"], LicenseInfo: "MIT" }),
  );
  expect(one).toMatchObject({ Version: 1, LayerVersionArn: arn(`layer:${LayerName}:1`), LicenseInfo: "MIT" });
  expect((await fetch(one.Content?.Location ?? "")).status).toBe(200);
  const two = await lambda.send(new PublishLayerVersionCommand({ LayerName, Content }));
  await create({
    Layers: [one.LayerVersionArn ?? ""],
    Code: { ZipFile: zip("exports.handler = async () => require('greet')") },
  });
  const answer = await lambda.send(new InvokeCommand({ FunctionName: name }));
  expect(answer.Payload?.transformToString()).toBe('"hello"');

  const { LayerVersions } = await lambda.send(new ListLayerVersionsCommand({ LayerName }));
  expect(LayerVersions?.map(({ Version }) => Version)).toEqual([2, 1]);
  const listed = await lambda.send(new ListLayersCommand({ CompatibleRuntime: "nodejs24.x" }));
  expect(listed.Layers?.find((layer) => layer.LayerName === LayerName)?.LatestMatchingVersion?.Version).toBe(1);

  const permission = { LayerName, VersionNumber: 1, StatementId: "all" };
  await lambda.send(
    new AddLayerVersionPermissionCommand({ ...permission, Action: "lambda:GetLayerVersion", Principal: "*" }),
  );
  const { Policy } = await lambda.send(new GetLayerVersionPolicyCommand({ LayerName, VersionNumber: 1 }));
  expect(JSON.parse(Policy ?? "").Statement).toEqual([
    { Sid: "all", Effect: "Allow", Principal: "*", Action: "lambda:GetLayerVersion", Resource: one.LayerVersionArn },
  ]);
  await lambda.send(new RemoveLayerVersionPermissionCommand(permission));

  await lambda.send(new DeleteLayerVersionCommand({ LayerName, VersionNumber: 2 }));
  await expect(lambda.send(new GetLayerVersionCommand({ LayerName, VersionNumber: 2 }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
  await expect(lambda.send(new GetLayerVersionByArnCommand({ Arn: two.LayerVersionArn }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
  expect((await lambda.send(new PublishLayerVersionCommand({ LayerName, Content }))).Version).toBe(3);

  await lambda.send(new DeleteLayerVersionCommand({ LayerName, VersionNumber: 1 }));
  const still = await lambda.send(new InvokeCommand({ FunctionName: name }));
  expect(still.Payload?.transformToString()).toBe('"hello"');
});

test("reserved concurrency must leave 100 for other functions, and is taken back", async () => {
  await create();
  const put = (ReservedConcurrentExecutions: number) =>
    lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions }));
  await expect(put(901)).rejects.toThrow("below its minimum value of [100]");
  await put(900);
  const settings = await lambda.send(new GetAccountSettingsCommand({}));
  expect(settings.AccountLimit?.UnreservedConcurrentExecutions).toBe(100);
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: name }));
  const { ReservedConcurrentExecutions } = await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName: name }));
  expect(ReservedConcurrentExecutions).toBeUndefined();
});

test("event invoke configs are put, updated, listed and deleted; destinations are refused by name", async () => {
  await create();
  const config = { FunctionName: name, MaximumRetryAttempts: 1 };
  const Destination = "arn:aws:sqs:us-east-1:000000000000:q";
  await expect(
    lambda.send(
      new PutFunctionEventInvokeConfigCommand({ ...config, DestinationConfig: { OnFailure: { Destination } } }),
    ),
  ).rejects.toMatchObject({ name: "NotImplemented", message: expect.stringContaining("OnFailure") });
  await expect(lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: name }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: `The function ${arn(`function:${name}:$LATEST`)} doesn't have an EventInvokeConfig`,
  });
  await lambda.send(new PutFunctionEventInvokeConfigCommand(config));
  const age = { FunctionName: name, MaximumEventAgeInSeconds: 60 };
  const updated = await lambda.send(new UpdateFunctionEventInvokeConfigCommand(age));
  expect(updated).toMatchObject({
    FunctionArn: arn(`function:${name}:$LATEST`),
    MaximumRetryAttempts: 1,
    MaximumEventAgeInSeconds: 60,
    DestinationConfig: { OnSuccess: {}, OnFailure: {} },
  });
  const listed = await lambda.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName: name }));
  expect(listed.FunctionEventInvokeConfigs).toHaveLength(1);
  await lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName: name }));
});

test("ListFunctions pages to the end, and DeleteFunction leaves nothing", async () => {
  const names = ["p1", "p2", "p3"];
  for (const FunctionName of names) await create({ FunctionName, Publish: true });
  const before = await lambda.send(new GetAccountSettingsCommand({}));
  const found: (string | undefined)[] = [];
  for await (const page of paginateListFunctions({ client: lambda, pageSize: 2 }, {})) {
    expect(page.Functions?.length).toBeLessThanOrEqual(2);
    found.push(...(page.Functions ?? []).map(({ FunctionName }) => FunctionName));
  }
  const versions: (string | undefined)[] = [];
  for await (const page of paginateListFunctions({ client: lambda, pageSize: 1 }, { FunctionVersion: "ALL" })) {
    expect(page.Functions?.length).toBeLessThanOrEqual(1);
    for (const each of page.Functions ?? []) {
      if (names.includes(each.FunctionName ?? "")) versions.push(`${each.FunctionName}:${each.Version}`);
    }
  }
  expect(versions).toEqual(names.flatMap((each) => [`${each}:$LATEST`, `${each}:1`]));
  expect(found.filter((each) => names.includes(each ?? ""))).toEqual(names);
  for (const FunctionName of names) await lambda.send(new DeleteFunctionCommand({ FunctionName }));
  const after = await lambda.send(new GetAccountSettingsCommand({}));
  expect(after.AccountUsage?.FunctionCount).toBe((before.AccountUsage?.FunctionCount ?? 0) - 3);
  expect(after.AccountUsage?.TotalCodeSize).toBe((before.AccountUsage?.TotalCodeSize ?? 0) - 6 * zip().byteLength);
  await expect(lambda.send(new DeleteFunctionCommand({ FunctionName: "p1" }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
});
