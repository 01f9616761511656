import {
  CreateCapacityProviderCommand,
  CreateFunctionCommand,
  DeleteCapacityProviderCommand,
  DeleteFunctionCommand,
  GetCapacityProviderCommand,
  GetFunctionConfigurationCommand,
  GetFunctionScalingConfigCommand,
  InvokeCommand,
  LambdaClient,
  ListCapacityProvidersCommand,
  ListFunctionVersionsByCapacityProviderCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionScalingConfigCommand,
  PutProvisionedConcurrencyConfigCommand,
  TagResourceCommand,
  UpdateCapacityProviderCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type CreateCapacityProviderCommandInput,
  type CreateFunctionCommandInput,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createFunctionRole, zipOf } from "../../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let role: string;
let count = 0;

const source = (answer: string) => `export const handler = async (event) => {
  if (event.wait) await new Promise((resolve) => setTimeout(resolve, event.wait));
  return ${JSON.stringify(answer)};
};`;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", durable: true });
  lambda = new LambdaClient(platform.settings);
  role = await createFunctionRole(platform.settings, "runs");
});
afterAll(() => platform.stop());

const network = { SubnetIds: ["subnet-1"], SecurityGroupIds: ["sg-1"] };

function createProvider(CapacityProviderName: string, more: Partial<CreateCapacityProviderCommandInput> = {}) {
  return lambda.send(
    new CreateCapacityProviderCommand({
      CapacityProviderName,
      VpcConfig: network,
      PermissionsConfig: { CapacityProviderOperatorRoleArn: role },
      ...more,
    }),
  );
}

async function provider(more: Partial<CreateCapacityProviderCommandInput> = {}): Promise<string> {
  const { CapacityProvider } = await createProvider(`p${(count += 1)}`, more);
  return CapacityProvider?.CapacityProviderArn ?? "";
}

const nameOf = (arn: string) => arn.split(":").at(-1) ?? "";

function on(CapacityProviderArn: string, PerExecutionEnvironmentMaxConcurrency?: number, ratio?: number) {
  return {
    LambdaManagedInstancesCapacityProviderConfig: {
      CapacityProviderArn,
      PerExecutionEnvironmentMaxConcurrency,
      ExecutionEnvironmentMemoryGiBPerVCpu: ratio,
    },
  };
}

const createFunction = (arn: string | undefined, more: Partial<CreateFunctionCommandInput> = {}) =>
  lambda.send(
    new CreateFunctionCommand({
      FunctionName: `f${(count += 1)}`,
      Role: role,
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Code: { ZipFile: zipOf({ "index.mjs": source("one") }) },
      Environment: { Variables: { AWS_LAMBDA_NODEJS_WORKER_COUNT: "1" } },
      ...(arn !== undefined && { CapacityProviderConfig: on(arn, 2) }),
      ...more,
    }),
  );

/** A function that is published, with one environment. */
async function published(arn: string, more: Partial<CreateFunctionCommandInput> = {}): Promise<string> {
  const { FunctionName = "" } = await createFunction(arn, { PublishTo: "LATEST_PUBLISHED", ...more });
  await scale(FunctionName, 1, 1);
  return FunctionName;
}

const scale = (FunctionName: string, min: number, max: number, Qualifier = "$LATEST.PUBLISHED") =>
  lambda.send(
    new PutFunctionScalingConfigCommand({
      FunctionName,
      Qualifier,
      FunctionScalingConfig: { MinExecutionEnvironments: min, MaxExecutionEnvironments: max },
    }),
  );

async function invoke(FunctionName: string, Qualifier?: string, event: object = {}) {
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName, Qualifier, Payload: Buffer.from(JSON.stringify(event)) }),
  );
  return {
    version: answer.ExecutedVersion,
    answer: JSON.parse(answer.Payload?.transformToString() ?? "null") as unknown,
  };
}

const state = async (FunctionName: string, Qualifier = "$LATEST.PUBLISHED") =>
  (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }))).State;
const becomes = (FunctionName: string, wanted: string) =>
  vi.waitFor(async () => expect(await state(FunctionName)).toBe(wanted), { timeout: 15_000, interval: 30 });

describe("capacity providers", () => {
  test("are created with AWS's defaults, read, updated, listed and deleted", async () => {
    const { $metadata, CapacityProvider } = await createProvider("whole", { Tags: { team: "a" } });
    expect($metadata.httpStatusCode).toBe(202);
    const arn = CapacityProvider?.CapacityProviderArn ?? "";
    expect(CapacityProvider).toEqual({
      CapacityProviderArn: expect.stringMatching(/^arn:aws:lambda:us-east-1:\d{12}:capacity-provider:whole$/),
      State: "Active",
      VpcConfig: network,
      PermissionsConfig: { CapacityProviderOperatorRoleArn: role },
      CapacityProviderScalingConfig: { MaxVCpuCount: 400, ScalingMode: "Auto" },
      LastModified: expect.stringMatching(/^\d{4}-.*\+0000$/),
    });
    await lambda.send(new TagResourceCommand({ Resource: arn, Tags: { stage: "b" } }));
    expect((await lambda.send(new ListTagsCommand({ Resource: arn }))).Tags).toEqual({ team: "a", stage: "b" });
    const policy = { PredefinedMetricType: "LambdaCapacityProviderAverageCPUUtilization" as const, TargetValue: 60 };
    const updated = await lambda.send(
      new UpdateCapacityProviderCommand({
        CapacityProviderName: arn,
        CapacityProviderScalingConfig: { MaxVCpuCount: 12, ScalingMode: "Manual", ScalingPolicies: [policy] },
      }),
    );
    expect(updated.CapacityProvider?.CapacityProviderScalingConfig).toEqual({
      MaxVCpuCount: 12,
      ScalingMode: "Manual",
      ScalingPolicies: [policy],
    });
    const listed = await lambda.send(new ListCapacityProvidersCommand({}));
    expect(listed.CapacityProviders?.map((each) => each.CapacityProviderArn)).toContain(arn);
    const deleted = await lambda.send(new DeleteCapacityProviderCommand({ CapacityProviderName: "whole" }));
    expect(deleted.CapacityProvider?.State).toBe("Deleting");
    await expect(lambda.send(new GetCapacityProviderCommand({ CapacityProviderName: "whole" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  test("of one name cannot be created twice", async () => {
    const arn = await provider();
    await expect(createProvider(nameOf(arn))).rejects.toMatchObject({ name: "ResourceConflictException" });
  });

  test("are listed page by page", async () => {
    await Promise.all([provider(), provider()]);
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await lambda.send(new ListCapacityProvidersCommand({ MaxItems: 1, Marker }));
      seen.push(...(page.CapacityProviders ?? []).map((each) => each.CapacityProviderArn ?? ""));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThanOrEqual(2);
  });

  test.each<[string, Partial<CreateCapacityProviderCommandInput>, string, string]>([
    [
      "a policy with Auto",
      {
        CapacityProviderScalingConfig: {
          ScalingMode: "Auto",
          ScalingPolicies: [{ PredefinedMetricType: "LambdaCapacityProviderAverageCPUUtilization", TargetValue: 5 }],
        },
      },
      "InvalidParameterValueException",
      "A scaling policy can't be specified when the scalingMode is set to Auto",
    ],
    [
      "Manual without a policy",
      { CapacityProviderScalingConfig: { ScalingMode: "Manual" } },
      "InvalidParameterValueException",
      "A scaling policy must be specified",
    ],
    [
      "one processor",
      { CapacityProviderScalingConfig: { MaxVCpuCount: 1 } },
      "ValidationException",
      "greater than or equal to 2",
    ],
    [
      "instance types",
      { InstanceRequirements: { AllowedInstanceTypes: ["c8g.xlarge"] } },
      "NotImplementedException",
      "InstanceRequirements.AllowedInstanceTypes",
    ],
    [
      "excluded instance types",
      { InstanceRequirements: { ExcludedInstanceTypes: ["t*"] } },
      "NotImplementedException",
      "InstanceRequirements.ExcludedInstanceTypes",
    ],
    ["a key", { KmsKeyArn: "arn:aws:kms:us-east-1:000000000000:key/k" }, "NotImplementedException", "KmsKeyArn"],
    [
      "tags of instances",
      { PropagateTags: { Mode: "Explicit", ExplicitTags: { a: "b" } } },
      "NotImplementedException",
      "PropagateTags.Mode",
    ],
    [
      "a log group",
      { TelemetryConfig: { LoggingConfig: { LogGroup: "/own" } } },
      "NotImplementedException",
      "TelemetryConfig.LoggingConfig",
    ],
  ])("are refused with %s", async (_what, more, name, message) => {
    await expect(createProvider(`refused${(count += 1)}`, more)).rejects.toMatchObject({
      name: expect.stringMatching(new RegExp(`^${name === "NotImplementedException" ? "NotImplemented" : name}`)),
      message: expect.stringContaining(message),
    });
  });

  test("that functions use cannot be deleted, and can when they are gone", async () => {
    const arn = await provider();
    const { FunctionName } = await createFunction(arn);
    const remove = () => lambda.send(new DeleteCapacityProviderCommand({ CapacityProviderName: nameOf(arn) }));
    await expect(remove()).rejects.toMatchObject({ name: "ResourceConflictException" });
    await lambda.send(new DeleteFunctionCommand({ FunctionName }));
    await remove();
  });
});

describe("a function on a capacity provider", () => {
  test("has the memory, the log format and the concurrency that AWS gives it, and runs when it is published", async () => {
    const arn = await provider();
    const made = await createFunction(arn, { CapacityProviderConfig: on(arn) });
    expect(made).toMatchObject({
      State: "ActiveNonInvocable",
      MemorySize: 2048,
      LoggingConfig: { LogFormat: "JSON", ApplicationLogLevel: "INFO", SystemLogLevel: "INFO" },
      CapacityProviderConfig: on(arn, 64, 2),
    });
    const python = await createFunction(arn, {
      Runtime: "python3.13",
      MemorySize: 8192,
      CapacityProviderConfig: on(arn, undefined, 4),
    });
    expect(python.CapacityProviderConfig).toEqual(on(arn, 32, 4));
  });

  test("answers by $LATEST.PUBLISHED without a qualifier, and by what it was published with", async () => {
    const FunctionName = await published(await provider());
    expect(await invoke(FunctionName)).toEqual({ version: "$LATEST.PUBLISHED", answer: "one" });
    await becomes(FunctionName, "Active");
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: zipOf({ "index.mjs": source("two") }) }));
    expect((await invoke(FunctionName)).answer).toBe("one");
    const again = await lambda.send(new PublishVersionCommand({ FunctionName, PublishTo: "LATEST_PUBLISHED" }));
    expect(again).toMatchObject({
      Version: "$LATEST.PUBLISHED",
      FunctionArn: expect.stringMatching(/:function:f\d+:\$LATEST\.PUBLISHED$/),
      State: "Pending",
      StateReasonCode: "Creating",
    });
    expect(await invoke(FunctionName, "$LATEST.PUBLISHED")).toEqual({ version: "$LATEST.PUBLISHED", answer: "two" });
    const { Versions } = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName }));
    expect(Versions?.map(({ Version }) => Version)).toEqual(["$LATEST", "$LATEST.PUBLISHED"]);
  });

  test("runs numbered versions, too, and the provider lists all of them", async () => {
    const arn = await provider();
    const { FunctionName = "" } = await createFunction(arn, { Publish: true });
    await scale(FunctionName, 1, 1, "1");
    expect(await invoke(FunctionName, "1")).toEqual({ version: "1", answer: "one" });
    await vi.waitFor(async () => {
      const listed = await lambda.send(
        new ListFunctionVersionsByCapacityProviderCommand({ CapacityProviderName: nameOf(arn) }),
      );
      expect(listed.FunctionVersions?.map((each) => [each.FunctionArn?.split(":").at(-1), each.State])).toEqual([
        ["$LATEST", "ActiveNonInvocable"],
        ["1", "Active"],
      ]);
    });
  });

  test("cannot be invoked by $LATEST, nor before it was published", async () => {
    const { FunctionName = "" } = await createFunction(await provider());
    await expect(invoke(FunctionName, "$LATEST")).rejects.toMatchObject({
      name: "ResourceConflictException",
      message:
        "The operation cannot be performed at this time. The function is currently in the following state: ActiveNonInvocable",
    });
    await expect(invoke(FunctionName)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  test("is throttled beyond the places in its environments", async () => {
    const FunctionName = await published(await provider());
    await becomes(FunctionName, "Active");
    const waiting = [invoke(FunctionName, undefined, { wait: 400 }), invoke(FunctionName, undefined, { wait: 400 })];
    await vi.waitFor(async () => {
      await expect(invoke(FunctionName)).rejects.toMatchObject({ name: "TooManyRequestsException" });
    });
    expect((await Promise.all(waiting)).map(({ answer }) => answer)).toEqual(["one", "one"]);
  });

  test("is deactivated with no environments, and comes back with some", async () => {
    const FunctionName = await published(await provider());
    await becomes(FunctionName, "Active");
    expect((await scale(FunctionName, 0, 0)).FunctionState).toBe("Deactivating");
    await becomes(FunctionName, "Deactivated");
    await expect(invoke(FunctionName)).rejects.toMatchObject({
      name: "ResourceConflictException",
      message: expect.stringContaining("state: Deactivated"),
    });
    await scale(FunctionName, 1, 2);
    await becomes(FunctionName, "Active");
    expect((await invoke(FunctionName)).answer).toBe("one");
  });

  test("that cannot start is Failed, with the reason, and answers so", async () => {
    const FunctionName = await published(await provider(), {
      Code: { ZipFile: zipOf({ "index.mjs": "throw new Error('no start');" }) },
    });
    await becomes(FunctionName, "Failed");
    await expect(invoke(FunctionName)).rejects.toMatchObject({ message: expect.stringContaining("state: Failed") });
  });

  test("is there again after a restart", async () => {
    const FunctionName = await published(await provider());
    await becomes(FunctionName, "Active");
    await platform.restart();
    expect(await invoke(FunctionName)).toEqual({ version: "$LATEST.PUBLISHED", answer: "one" });
    const { $metadata: _, ...scaling } = await lambda.send(
      new GetFunctionScalingConfigCommand({ FunctionName, Qualifier: "$LATEST.PUBLISHED" }),
    );
    const bounds = { MinExecutionEnvironments: 1, MaxExecutionEnvironments: 1 };
    expect(scaling).toEqual({
      FunctionArn: expect.stringContaining(`:function:${FunctionName}:$LATEST.PUBLISHED`),
      AppliedFunctionScalingConfig: bounds,
      RequestedFunctionScalingConfig: bounds,
    });
  });

  test.each<[string, Partial<CreateFunctionCommandInput>, string, string]>([
    [
      "a runtime that is too old",
      { Runtime: "nodejs20.x" },
      "InvalidParameterValueException",
      "Runtime nodejs20.x isn't supported",
    ],
    [
      "less than 2 GB",
      { MemorySize: 1024 },
      "ValidationException",
      "Lambda Managed Instance functions must have memory size greater than or equal to 2048",
    ],
    [
      "the text log format",
      { LoggingConfig: { LogFormat: "Text" } },
      "InvalidParameterValueException",
      "LogLevel is not supported when LogFormat",
    ],
    [
      "SnapStart",
      { Runtime: "python3.13", SnapStart: { ApplyOn: "PublishedVersions" } },
      "InvalidParameterValueException",
      "SnapStart isn't supported",
    ],
    [
      "tenant isolation",
      { TenancyConfig: { TenantIsolationMode: "PER_TENANT" } },
      "InvalidParameterValueException",
      "Tenant isolation isn't supported",
    ],
  ])("is refused with %s", async (_what, more, name, message) => {
    await expect(createFunction(await provider(), more)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(message),
    });
  });

  test("is refused with more memory for a processor than it has, and with a ratio that there is not", async () => {
    const arn = await provider();
    await expect(createFunction(arn, { CapacityProviderConfig: on(arn, 2, 4) })).rejects.toMatchObject({
      message: "ExecutionEnvironmentMemoryGiBPerVCpu can't be greater than the memory of the function.",
    });
    await expect(createFunction(arn, { CapacityProviderConfig: on(arn, 2, 3) })).rejects.toMatchObject({
      message: expect.stringContaining("must be one of 2, 4, 8"),
    });
    await expect(createFunction(arn, { CapacityProviderConfig: on(arn, 1601) })).rejects.toMatchObject({
      message: expect.stringContaining("less than or equal to 1600"),
    });
  });

  test("is refused on a provider that is not there, and with provisioned concurrency", async () => {
    const arn = await provider();
    await expect(createFunction(`${arn}-not`)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    const { FunctionName } = await createFunction(arn, { Publish: true });
    await scale(FunctionName ?? "", 0, 0, "1");
    await expect(
      lambda.send(
        new PutProvisionedConcurrencyConfigCommand({
          FunctionName,
          Qualifier: "1",
          ProvisionedConcurrentExecutions: 1,
        }),
      ),
    ).rejects.toMatchObject({ name: "InvalidParameterValueException" });
  });

  test("is refused on a provider of another architecture, at its creation and later", async () => {
    const arn = await provider({ InstanceRequirements: { Architectures: ["arm64"] } });
    const refusal = { name: "InvalidParameterValueException", message: expect.stringContaining("arm64 alone") };
    await expect(createFunction(arn)).rejects.toMatchObject(refusal);
    const { FunctionName } = await createFunction(arn, { Architectures: ["arm64"] });
    const ZipFile = zipOf({ "index.mjs": source("two") });
    await expect(
      lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile, Architectures: ["x86_64"] })),
    ).rejects.toMatchObject(refusal);
  });

  test("bounds its environments sensibly or not at all", async () => {
    const FunctionName = await published(await provider());
    await expect(scale(FunctionName, 3, 2)).rejects.toMatchObject({ name: "InvalidParameterValueException" });
    await expect(scale(FunctionName, 1, 2, "7")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await expect(scale(FunctionName, 1, 2, "$LATEST")).rejects.toMatchObject({ name: "ValidationException" });
  });
});

describe("a function that is not on a capacity provider", () => {
  test("cannot be put on one, be published to the latest version, or be scaled", async () => {
    const { FunctionName = "" } = await createFunction(undefined, { Publish: true });
    await expect(
      lambda.send(
        new UpdateFunctionConfigurationCommand({ FunctionName, CapacityProviderConfig: on(await provider(), 2) }),
      ),
    ).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: "CapacityProviderConfig isn't supported for Lambda Default functions.",
    });
    await expect(
      lambda.send(new PublishVersionCommand({ FunctionName, PublishTo: "LATEST_PUBLISHED" })),
    ).rejects.toMatchObject({ name: "InvalidParameterValueException" });
    await expect(scale(FunctionName, 1, 2, "1")).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: "The function provided by the arn does not contain a capacity provider configuration",
    });
  });
});
