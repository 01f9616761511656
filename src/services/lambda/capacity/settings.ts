import type { CapacityProviderConfig } from "@aws-sdk/client-lambda";
import { AwsError, notImplemented } from "../../../aws/error.ts";
import { invalidParameter } from "../errors.ts";
import type { FunctionSettings, Place } from "../model.ts";
import { present } from "../present.ts";
import { capacityLimits, isSupportedRuntime, slotsPerVcpu } from "./limits.ts";
import { capacityProviderArn, parseCapacityProvider } from "./model.ts";

/** What of the defaults is another one for functions on a capacity provider. */
export function capacityDefaults(config: CapacityProviderConfig | undefined): Partial<FunctionSettings> {
  return config === undefined ? {} : { memoryMb: capacityLimits.memoryMbMin, logFormat: "JSON" };
}

/** The capacity provider as it is after a request. */
export function changeCapacity(
  before: FunctionSettings["capacity"],
  config: CapacityProviderConfig | undefined,
  place: Place,
): Pick<FunctionSettings, "capacity"> {
  if (config === undefined) return before === undefined ? {} : { capacity: before };
  const managed = present(
    config.LambdaManagedInstancesCapacityProviderConfig,
    "LambdaManagedInstancesCapacityProviderConfig",
  );
  const { name } = parseCapacityProvider(managed.CapacityProviderArn, place);
  const ratio = managed.ExecutionEnvironmentMemoryGiBPerVCpu ?? capacityLimits.memoryRatioDefault;
  const slots = managed.PerExecutionEnvironmentMaxConcurrency;
  return { capacity: { provider: name, memoryGiBPerVcpu: ratio, ...(slots !== undefined && { slots }) } };
}

/** Throws for a function that was created to run elsewhere: where it runs is decided at its creation. */
export function checkCapacityKept(before: FunctionSettings, config: CapacityProviderConfig | undefined): void {
  if (config !== undefined && before.capacity === undefined) {
    throw invalidParameter("CapacityProviderConfig isn't supported for Lambda Default functions.");
  }
}

/** Throws for what does not go with a capacity provider. Sentences without a source are ours. */
export function checkCapacity(settings: FunctionSettings): void {
  const { capacity } = settings;
  if (capacity === undefined) return;
  if (!isSupportedRuntime(settings.runtime)) {
    throw invalidParameter(`Runtime ${settings.runtime} isn't supported for Lambda Managed Instances functions.`);
  }
  if (settings.memoryMb < capacityLimits.memoryMbMin) {
    throw new AwsError(
      "ValidationException",
      400,
      `Lambda Managed Instance functions must have memory size greater than or equal to ${capacityLimits.memoryMbMin}`,
    );
  }
  if (!capacityLimits.memoryRatios.some((ratio) => ratio === capacity.memoryGiBPerVcpu)) {
    throw invalidParameter(
      `ExecutionEnvironmentMemoryGiBPerVCpu must be one of ${capacityLimits.memoryRatios.join(", ")}.`,
    );
  }
  if (capacity.memoryGiBPerVcpu * 1024 > settings.memoryMb) {
    throw invalidParameter("ExecutionEnvironmentMemoryGiBPerVCpu can't be greater than the memory of the function.");
  }
  if (settings.logFormat === "Text") {
    throw invalidParameter(
      'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.',
    );
  }
  if (settings.snapStart !== undefined) throw unsupported("SnapStart");
  if (settings.tenantIsolation !== undefined) throw unsupported("Tenant isolation");
  if (settings.durable !== undefined) throw notImplemented("DurableConfig together with CapacityProviderConfig");
}

function unsupported(what: string) {
  return invalidParameter(`${what} isn't supported for Lambda Managed Instances functions.`);
}

/** Processors of one execution environment. */
export function vcpusOf(settings: FunctionSettings): number {
  const ratio = settings.capacity?.memoryGiBPerVcpu ?? capacityLimits.memoryRatioDefault;
  return settings.memoryMb / 1024 / ratio;
}

/** Invocations that one execution environment takes at once. */
export function slotsOf(settings: FunctionSettings): number {
  const byProcessors = Math.floor(slotsPerVcpu(settings.runtime) * vcpusOf(settings));
  return settings.capacity?.slots ?? Math.min(capacityLimits.slotsMax, byProcessors);
}

export function describeCapacity(
  place: Place,
  settings: FunctionSettings,
): { CapacityProviderConfig?: CapacityProviderConfig } {
  const { capacity } = settings;
  if (capacity === undefined) return {};
  return {
    CapacityProviderConfig: {
      LambdaManagedInstancesCapacityProviderConfig: {
        CapacityProviderArn: capacityProviderArn(place, capacity.provider),
        PerExecutionEnvironmentMaxConcurrency: slotsOf(settings),
        ExecutionEnvironmentMemoryGiBPerVCpu: capacity.memoryGiBPerVcpu,
      },
    },
  };
}
