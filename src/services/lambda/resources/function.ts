import type { CreateFunctionCommandInput, S3ObjectStorageMode } from "@aws-sdk/client-lambda";
import { toArchitecture, toRuntime } from "../configuration.ts";
import { functionArn } from "../model.ts";
import type { Sdk } from "../needs.ts";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { packInlineCode } from "./inline-code.ts";
import { capacityOf, publishToLatest } from "./function-capacity.ts";
import { setFunctionBehaviour } from "./runtime-management.ts";
import { defined, isAwsError, numberOf, objectOf, stringsOf, tagsOf, textOf, unlessGone } from "./properties.ts";

export const functionType: ResourceType = {
  type: "AWS::Lambda::Function",
  properties: [
    "Architectures",
    "CapacityProviderConfig.LambdaManagedInstancesCapacityProviderConfig.CapacityProviderArn",
    "CapacityProviderConfig.LambdaManagedInstancesCapacityProviderConfig.ExecutionEnvironmentMemoryGiBPerVCpu",
    "CapacityProviderConfig.LambdaManagedInstancesCapacityProviderConfig.PerExecutionEnvironmentMaxConcurrency",
    "Code.ImageUri",
    "Code.S3Bucket",
    "Code.S3Key",
    "Code.S3ObjectStorageMode",
    "Code.S3ObjectVersion",
    "Code.ZipFile",
    "CodeSigningConfigArn",
    "Description",
    "DurableConfig.ExecutionTimeout",
    "DurableConfig.RetentionPeriodInDays",
    "Environment.Variables",
    "EphemeralStorage.Size",
    "FunctionName",
    "FunctionScalingConfig.MaxExecutionEnvironments",
    "FunctionScalingConfig.MinExecutionEnvironments",
    "Handler",
    "ImageConfig.Command",
    "ImageConfig.EntryPoint",
    "ImageConfig.WorkingDirectory",
    "Layers",
    "LoggingConfig.ApplicationLogLevel",
    "LoggingConfig.LogFormat",
    "LoggingConfig.LogGroup",
    "LoggingConfig.SystemLogLevel",
    "MemorySize",
    "PackageType",
    "PublishToLatestPublished",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "Role",
    "Runtime",
    "RuntimeManagementConfig.UpdateRuntimeOn",
    "SnapStart.ApplyOn",
    "Tags[].Key",
    "Tags[].Value",
    "TenancyConfig.TenantIsolationMode",
    "Timeout",
    "TracingConfig.Mode",
  ],
  attributes: ["Arn", "SnapStartResponse", "SnapStartResponse.ApplyOn", "SnapStartResponse.OptimizationStatus"],

  async create(context) {
    const { properties } = context;
    const lambda = context.client<Sdk>("lambda");
    const name = textOf(properties, "FunctionName") ?? context.generateName(64);
    const tags = tagsOf(context);
    const packageType = textOf(properties, "PackageType");
    const signing = textOf(properties, "CodeSigningConfigArn");
    const tenancy = objectOf(properties, "TenancyConfig");
    try {
      await lambda.CreateFunction({
        ...configurationOf(properties),
        FunctionName: name,
        Role: textOf(properties, "Role"),
        Code: await codeOf(properties),
        ...architecturesOf(properties),
        ...(Object.keys(tags).length > 0 && { Tags: tags }),
        ...(packageType !== undefined && { PackageType: toPackageType(packageType) }),
        ...(signing !== undefined && { CodeSigningConfigArn: signing }),
        ...(tenancy && {
          TenancyConfig: { TenantIsolationMode: toIsolationMode(textOf(tenancy, "TenantIsolationMode")) },
        }),
      });
    } catch (error) {
      if (!context.resumed || !isAwsError(error, "ResourceConflictException")) throw error;
      await updateWhole(context, name);
    }
    try {
      await setConcurrency(context, name, undefined);
      await setFunctionBehaviour(context, name, undefined);
      await publishToLatest(context, name);
    } catch (error) {
      await lambda.DeleteFunction({ FunctionName: name });
      throw error;
    }
    return { physicalId: name, attributes: attributesOf(context, name) };
  },

  async update(context) {
    const { properties, previous } = context;
    const { physicalId: name } = context.state;
    const lambda = context.client<Sdk>("lambda");
    // Before the code: it is judged by what the template says now.
    await setCodeSigning(context, name, previous);
    if (differs(properties, previous, "Code") || differs(properties, previous, "Architectures")) {
      await lambda.UpdateFunctionCode({
        FunctionName: name,
        ...(await codeOf(properties)),
        ...(architecturesOf(properties) ?? { Architectures: ["x86_64"] }),
      });
    }
    await updateConfiguration(context, name);
    await setConcurrency(context, name, previous);
    await setFunctionBehaviour(context, name, previous);
    await setTags(context, name);
    await publishToLatest(context, name);
    return { physicalId: name, attributes: attributesOf(context, name) };
  },

  async delete(context) {
    await unlessGone(context.client<Sdk>("lambda").DeleteFunction({ FunctionName: context.state.physicalId }));
  },
};

function attributesOf(context: ResourceContext, name: string) {
  // A snapshot is of a published version; what the resource stands for is `$LATEST`.
  const snapStart = { ApplyOn: snapStartOf(context.properties).ApplyOn, OptimizationStatus: "Off" };
  return {
    Arn: functionArn(context, name),
    SnapStartResponse: snapStart,
    "SnapStartResponse.ApplyOn": snapStart.ApplyOn,
    "SnapStartResponse.OptimizationStatus": snapStart.OptimizationStatus,
  };
}

function snapStartOf(properties: Properties) {
  const applyOn = textOf(objectOf(properties, "SnapStart") ?? {}, "ApplyOn");
  return { ApplyOn: (applyOn ?? "None") as "PublishedVersions" | "None" };
}

/** Take over a function that an interrupted create has made already. */
async function updateWhole(context: ResourceContext, name: string): Promise<void> {
  const lambda = context.client<Sdk>("lambda");
  await setCodeSigning(context, name, {});
  await lambda.UpdateFunctionCode({ FunctionName: name, ...(await codeOf(context.properties)) });
  await updateConfiguration(context, name);
  await setTags(context, name);
}

async function updateConfiguration(context: ResourceContext, name: string): Promise<void> {
  const { properties } = context;
  const role = textOf(properties, "Role");
  // What a template no longer says goes back to its default.
  await context.client<Sdk>("lambda").UpdateFunctionConfiguration({
    Description: "",
    Timeout: 3,
    MemorySize: "CapacityProviderConfig" in properties ? 2048 : 128,
    Environment: { Variables: {} },
    EphemeralStorage: { Size: 512 },
    Layers: [],
    LoggingConfig: { LogFormat: "CapacityProviderConfig" in properties ? "JSON" : "Text" },
    ...configurationOf(properties),
    FunctionName: name,
    ...(role !== undefined && { Role: role }),
  });
}

async function setConcurrency(context: ResourceContext, name: string, previous: Properties | undefined): Promise<void> {
  const lambda = context.client<Sdk>("lambda");
  const reserved = numberOf(context.properties, "ReservedConcurrentExecutions");
  const had = previous && numberOf(previous, "ReservedConcurrentExecutions");
  if (reserved === had) return;
  if (reserved === undefined) await lambda.DeleteFunctionConcurrency({ FunctionName: name });
  else await lambda.PutFunctionConcurrency({ FunctionName: name, ReservedConcurrentExecutions: reserved });
}

async function setCodeSigning(context: ResourceContext, name: string, previous: Properties): Promise<void> {
  const lambda = context.client<Sdk>("lambda");
  const arn = textOf(context.properties, "CodeSigningConfigArn");
  if (arn === textOf(previous, "CodeSigningConfigArn")) return;
  if (arn === undefined) await lambda.DeleteFunctionCodeSigningConfig({ FunctionName: name });
  else await lambda.PutFunctionCodeSigningConfig({ FunctionName: name, CodeSigningConfigArn: arn });
}

async function setTags(context: ResourceContext, name: string): Promise<void> {
  const lambda = context.client<Sdk>("lambda");
  const arn = functionArn(context, name);
  const tags = tagsOf(context);
  const had = (await lambda.ListTags({ Resource: arn })).Tags ?? {};
  const gone = Object.keys(had).filter((key) => !(key in tags));
  const changed = Object.entries(tags).filter(([key, value]) => had[key] !== value);
  if (gone.length > 0) await lambda.UntagResource({ Resource: arn, TagKeys: gone });
  if (changed.length > 0) await lambda.TagResource({ Resource: arn, Tags: Object.fromEntries(changed) });
}

function configurationOf(properties: Properties) {
  const variables = objectOf(objectOf(properties, "Environment") ?? {}, "Variables");
  const storage = numberOf(objectOf(properties, "EphemeralStorage") ?? {}, "Size");
  const logging = objectOf(properties, "LoggingConfig");
  const tracing = textOf(objectOf(properties, "TracingConfig") ?? {}, "Mode");
  const runtime = textOf(properties, "Runtime");
  const durable = objectOf(properties, "DurableConfig");
  return defined({
    ...capacityOf(properties),
    Description: textOf(properties, "Description"),
    Handler: textOf(properties, "Handler"),
    ImageConfig: imageConfigOf(properties),
    Runtime: runtime === undefined ? undefined : toRuntime(runtime),
    Timeout: numberOf(properties, "Timeout"),
    MemorySize: numberOf(properties, "MemorySize"),
    Layers: stringsOf(properties, "Layers"),
    Environment: variables && {
      Variables: Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, String(value)])),
    },
    DurableConfig:
      durable &&
      defined({
        ExecutionTimeout: numberOf(durable, "ExecutionTimeout"),
        RetentionPeriodInDays: numberOf(durable, "RetentionPeriodInDays"),
      }),
    EphemeralStorage: storage === undefined ? undefined : { Size: storage },
    LoggingConfig: logging && loggingOf(logging),
    SnapStart: snapStartOf(properties),
    TracingConfig: tracing === undefined ? undefined : { Mode: toTracingMode(tracing) },
  });
}

/** What a template does not say is the image's own again. */
function imageConfigOf(properties: Properties) {
  if (textOf(properties, "PackageType") !== "Image") return undefined;
  const given = objectOf(properties, "ImageConfig") ?? {};
  return {
    EntryPoint: stringsOf(given, "EntryPoint") ?? [],
    Command: stringsOf(given, "Command") ?? [],
    WorkingDirectory: textOf(given, "WorkingDirectory") ?? "",
  };
}

// The operations check these against the model's enumerations.
function toTracingMode(text: string): "Active" | "PassThrough" {
  return text as "Active" | "PassThrough";
}

function toPackageType(text: string): "Zip" | "Image" {
  return text as "Zip" | "Image";
}

function toIsolationMode(text: string | undefined): "PER_TENANT" {
  return text as "PER_TENANT";
}

function loggingOf(logging: Properties): NonNullable<CreateFunctionCommandInput["LoggingConfig"]> {
  // The operation checks these against the model's enumerations.
  return defined({
    LogFormat: textOf(logging, "LogFormat"),
    LogGroup: textOf(logging, "LogGroup"),
    ApplicationLogLevel: textOf(logging, "ApplicationLogLevel"),
    SystemLogLevel: textOf(logging, "SystemLogLevel"),
  }) as NonNullable<CreateFunctionCommandInput["LoggingConfig"]>;
}

function architecturesOf(properties: Properties) {
  const architectures = stringsOf(properties, "Architectures");
  return architectures && { Architectures: architectures.map(toArchitecture) };
}

async function codeOf(properties: Properties) {
  const code = objectOf(properties, "Code") ?? {};
  const inline = textOf(code, "ZipFile");
  if (inline !== undefined) return { ZipFile: await packInlineCode(inline, textOf(properties, "Runtime") ?? "") };
  return defined({
    ImageUri: textOf(code, "ImageUri"),
    S3Bucket: textOf(code, "S3Bucket"),
    S3Key: textOf(code, "S3Key"),
    S3ObjectVersion: textOf(code, "S3ObjectVersion"),
    S3ObjectStorageMode: toStorageMode(textOf(code, "S3ObjectStorageMode")),
  });
}

// The operation checks it against the model's enumeration.
function toStorageMode(text: string | undefined): S3ObjectStorageMode | undefined {
  return text as S3ObjectStorageMode | undefined;
}

function differs(a: Properties, b: Properties, name: string): boolean {
  return JSON.stringify(a[name]) !== JSON.stringify(b[name]);
}
