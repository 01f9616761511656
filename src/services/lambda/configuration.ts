import { createHash } from "node:crypto";
import type { Architecture, FunctionConfiguration, Runtime } from "@aws-sdk/client-lambda";
import { describeCapacity } from "./capacity/settings.ts";
import { describeImage } from "./image-settings.ts";
import {
  functionArn,
  type AliasRecord,
  type CodePackage,
  type FunctionRecord,
  type FunctionSettings,
  type FunctionVersion,
  type Place,
} from "./model.ts";
import { describeSnapStart } from "./snap-start.ts";

/** A version as AWS describes it. `qualified`: its ARN names the version, as answers about published versions do. */
export function describeVersion(
  place: Place,
  record: FunctionRecord,
  version: FunctionVersion,
  qualified: string | undefined = version.version === "$LATEST" ? undefined : version.version,
): FunctionConfiguration {
  const { settings, code } = version;
  const { environment, layers } = settings;
  return {
    FunctionName: record.name,
    FunctionArn: functionArn(place, record.name, qualified),
    ...(!code.image && { Runtime: toRuntime(settings.runtime), Handler: settings.handler }),
    Role: settings.role,
    CodeSize: code.bytes,
    Description: settings.description,
    Timeout: settings.timeoutSeconds,
    MemorySize: settings.memoryMb,
    LastModified: new Date(version.modifiedAt).toISOString().replace("Z", "+0000"),
    CodeSha256: code.sha256,
    Version: version.version,
    ...(environment && Object.keys(environment).length > 0 && { Environment: { Variables: { ...environment } } }),
    TracingConfig: { Mode: "PassThrough" },
    RevisionId: version.revisionId,
    ...(layers.length > 0 && { Layers: layers.map(({ arn, code: { bytes } }) => ({ Arn: arn, CodeSize: bytes })) }),
    // Those on a capacity provider run when they are published; how far that is, `capacityState` says.
    State: settings.capacity && version.version === "$LATEST" ? "ActiveNonInvocable" : "Active",
    LastUpdateStatus: "Successful",
    ...(code.image ? describeImage(version) : { PackageType: "Zip" as const }),
    Architectures: [toArchitecture(settings.architecture)],
    EphemeralStorage: { Size: settings.ephemeralStorageMb },
    ...(settings.durable && {
      DurableConfig: {
        ExecutionTimeout: settings.durable.executionTimeoutSeconds,
        RetentionPeriodInDays: settings.durable.retentionDays,
      },
    }),
    SnapStart: describeSnapStart(version),
    ...describeCapacity(place, settings),
    ...(settings.tenantIsolation && { TenancyConfig: { TenantIsolationMode: settings.tenantIsolation } }),
    LoggingConfig: {
      LogFormat: settings.logFormat,
      ...(settings.logFormat === "JSON" && {
        ApplicationLogLevel: settings.applicationLogLevel ?? "INFO",
        SystemLogLevel: settings.systemLogLevel ?? "INFO",
      }),
      LogGroup: settings.logGroup,
    },
  };
}

export function describeAlias(place: Place, functionName: string, alias: AliasRecord) {
  return {
    AliasArn: functionArn(place, functionName, alias.name),
    Name: alias.name,
    FunctionVersion: alias.functionVersion,
    Description: alias.description,
    ...(Object.keys(alias.weights).length > 0 && { RoutingConfig: { AdditionalVersionWeights: { ...alias.weights } } }),
    RevisionId: alias.revisionId,
  };
}

/** The same exactly when settings and code are. */
export function digestOf(settings: FunctionSettings, code: CodePackage): string {
  const layers = settings.layers.map((layer) => layer.arn);
  const environment = Object.entries(settings.environment ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const facts = [code.sha256, { ...settings, layers, environment }];
  return createHash("sha256").update(JSON.stringify(facts, sortedMembers)).digest("hex");
}

function sortedMembers(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

// What is stored has passed the enum checks of the model of its time; newer or older models may know other names.
export function toRuntime(text: string): Runtime {
  return text as Runtime;
}

export function toArchitecture(text: string): Architecture {
  return text as Architecture;
}
