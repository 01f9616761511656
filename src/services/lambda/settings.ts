import type { CreateFunctionCommandInput, UpdateFunctionConfigurationCommandInput } from "@aws-sdk/client-lambda";
import { notImplemented } from "../../aws/error.ts";
import { checkCapacity } from "./capacity/settings.ts";
import { capacityLimits } from "./capacity/limits.ts";
import { changeDurable } from "./durable/settings.ts";
import { constraintFailed, invalidParameter } from "./errors.ts";
import { lambdaLimits } from "./limits.ts";
import type { FunctionSettings, LayerReference } from "./model.ts";
import { changeSnapStart, changeTenancy, checkSnapStart } from "./snap-start.ts";

type Input = Partial<CreateFunctionCommandInput> & Partial<UpdateFunctionConfigurationCommandInput>;

/** Throws the 501 for members that ask for something that is not built. Values that ask for nothing pass. */
export function refuseUnbuilt(input: Input, operation: string): void {
  const refuse = (member: string) => {
    throw notImplemented(`The parameter ${member} of ${operation}`);
  };
  if ((input.VpcConfig?.SubnetIds?.length ?? 0) + (input.VpcConfig?.SecurityGroupIds?.length ?? 0) > 0) {
    refuse("VpcConfig");
  }
  if (input.VpcConfig?.Ipv6AllowedForDualStack) refuse("VpcConfig.Ipv6AllowedForDualStack");
  if (input.DeadLetterConfig?.TargetArn) refuse("DeadLetterConfig");
  if (input.KMSKeyArn) refuse("KMSKeyArn");
  if ((input.FileSystemConfigs?.length ?? 0) > 0) refuse("FileSystemConfigs");
  if (input.TracingConfig?.Mode === "Active") refuse("TracingConfig.Mode=Active");
  if (input.DurableConfig?.KMSKeyArn) refuse("DurableConfig.KMSKeyArn");
  const { ApplicationLogLevel: application, SystemLogLevel: system, LogFormat: format } = input.LoggingConfig ?? {};
  if (format !== "JSON" && (application ?? system) !== undefined) {
    throw invalidParameter(
      "ApplicationLogLevel and SystemLogLevel can only be set if LogFormat is set to JSON in LoggingConfig.",
    );
  }
}

/** AWS's defaults for a new function. */
export function defaultSettings(name: string): Omit<FunctionSettings, "runtime" | "handler" | "role"> {
  return {
    description: "",
    timeoutSeconds: 3,
    memoryMb: 128,
    architecture: "x86_64",
    ephemeralStorageMb: 512,
    logFormat: "Text",
    logGroup: `/aws/lambda/${name}`,
    layers: [],
  };
}

/** Settings with what a request changes. Throws for values that AWS refuses. */
export function changeSettings(
  before: FunctionSettings,
  input: Input,
  layers: readonly LayerReference[] | undefined,
  functionName: string,
): FunctionSettings {
  const {
    environment: had,
    durable,
    snapStart,
    tenantIsolation,
    applicationLogLevel,
    systemLogLevel,
    ...rest
  } = before;
  const environment = input.Environment === undefined ? had : (input.Environment.Variables ?? {});
  checkEnvironment(environment ?? {});
  const after: FunctionSettings = {
    ...rest,
    runtime: input.Runtime ?? before.runtime,
    handler: input.Handler ?? before.handler,
    role: input.Role ?? before.role,
    description: input.Description ?? before.description,
    timeoutSeconds: input.Timeout ?? before.timeoutSeconds,
    memoryMb: input.MemorySize ?? before.memoryMb,
    ...(environment && { environment }),
    architecture: input.Architectures?.[0] === undefined ? before.architecture : toArchitecture(input.Architectures[0]),
    ephemeralStorageMb: input.EphemeralStorage?.Size ?? before.ephemeralStorageMb,
    logFormat:
      input.LoggingConfig?.LogFormat === undefined ? before.logFormat : toFormat(input.LoggingConfig.LogFormat),
    logGroup: input.LoggingConfig ? (input.LoggingConfig.LogGroup ?? `/aws/lambda/${functionName}`) : before.logGroup,
    ...(input.LoggingConfig
      ? logLevels(input.LoggingConfig)
      : { ...(applicationLogLevel && { applicationLogLevel }), ...(systemLogLevel && { systemLogLevel }) }),
    layers: layers ?? before.layers,
    ...changeDurable(durable, input.DurableConfig),
    ...changeSnapStart(snapStart, input.SnapStart),
    ...changeTenancy(tenantIsolation, input.TenancyConfig),
  };
  atMost(after.timeoutSeconds, "timeout", lambdaLimits.timeoutSecondsMax);
  atMost(after.memoryMb, "memorySize", after.capacity ? capacityLimits.memoryMbMax : lambdaLimits.memoryMbMax);
  atMost(after.ephemeralStorageMb, "ephemeralStorage.size", lambdaLimits.ephemeralStorageMbMax);
  checkSnapStart(after);
  checkCapacity(after);
  return after;
}

function atMost(value: number, member: string, most: number): void {
  if (value > most) throw constraintFailed(value, member, `Member must have value less than or equal to ${most}`);
}

function toArchitecture(text: string): "x86_64" | "arm64" {
  return text === "arm64" ? "arm64" : "x86_64";
}

/** As a whole: what is not said is AWS's default again. */
function logLevels({ ApplicationLogLevel: application, SystemLogLevel: system }: NonNullable<Input["LoggingConfig"]>) {
  const applicationLogLevel = applicationLevels.find((level) => level === application);
  const systemLogLevel = systemLevels.find((level) => level === system);
  return { ...(applicationLogLevel && { applicationLogLevel }), ...(systemLogLevel && { systemLogLevel }) };
}

const applicationLevels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;
const systemLevels = ["DEBUG", "INFO", "WARN"] as const;

function toFormat(text: string): "Text" | "JSON" {
  return text === "JSON" ? "JSON" : "Text";
}

/** Names that the runtime sets. Source: developer guide, "Defined runtime environment variables", those that cannot be set. */
const reservedNames = new Set([
  "_HANDLER",
  "_X_AMZN_TRACE_ID",
  "AWS_DEFAULT_REGION",
  "AWS_REGION",
  "AWS_EXECUTION_ENV",
  "AWS_LAMBDA_FUNCTION_NAME",
  "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
  "AWS_LAMBDA_FUNCTION_VERSION",
  "AWS_LAMBDA_INITIALIZATION_TYPE",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_ACCESS_KEY",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_LAMBDA_RUNTIME_API",
  "LAMBDA_TASK_ROOT",
  "LAMBDA_RUNTIME_DIR",
]);

function checkEnvironment(variables: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(variables).filter((name) => reservedNames.has(name));
  if (reserved.length > 0) {
    throw invalidParameter(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(", ")}`,
    );
  }
  const measured = JSON.stringify(variables);
  if (Buffer.byteLength(measured) > lambdaLimits.environmentBytesMax) {
    throw invalidParameter(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${measured}`,
    );
  }
}

export function checkTags(tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > lambdaLimits.tagsMax) {
    throw invalidParameter("Tags limit of 50 per resource exceeded");
  }
  for (const [key, value] of Object.entries(tags)) {
    if (key.length > 128) throw invalidParameter("Tag key exceeds the maximum length of 128 characters");
    if (value.length > 256) throw invalidParameter("Tag value exceeds the maximum length of 256 characters");
    if (key.startsWith("aws:") && !key.startsWith("aws:cloudformation:")) {
      throw invalidParameter("System tags cannot be added or updated");
    }
  }
}
