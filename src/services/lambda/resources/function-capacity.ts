import type { CapacityProviderConfig } from "@aws-sdk/client-lambda";
import type { Properties, ResourceContext } from "../../cloudformation/port.ts";
import { invalidParameter } from "../errors.ts";
import type { Sdk } from "../needs.ts";
import { defined, numberOf, objectOf, textOf } from "./properties.ts";

const pollMs = 100;
/** Ours: an init may take 130 seconds, or as long as the function's timeout. */
const waitMostMs = 1_000_000;

/** The `CapacityProviderConfig` of a function. */
export function capacityOf(properties: Properties): { CapacityProviderConfig?: CapacityProviderConfig } {
  const config = objectOf(properties, "CapacityProviderConfig");
  if (config === undefined) return {};
  const managed = objectOf(config, "LambdaManagedInstancesCapacityProviderConfig") ?? {};
  return {
    CapacityProviderConfig: {
      LambdaManagedInstancesCapacityProviderConfig: {
        CapacityProviderArn: textOf(managed, "CapacityProviderArn"),
        ...defined({
          PerExecutionEnvironmentMaxConcurrency: numberOf(managed, "PerExecutionEnvironmentMaxConcurrency"),
          ExecutionEnvironmentMemoryGiBPerVCpu: numberOf(managed, "ExecutionEnvironmentMemoryGiBPerVCpu"),
        }),
      },
    },
  };
}

/**
 * Publish a function of a capacity provider as `$LATEST.PUBLISHED`, as CloudFormation does unless the template says otherwise,
 * and wait until it is active. Throws when it cannot be.
 */
export async function publishToLatest(context: ResourceContext, FunctionName: string): Promise<void> {
  const { properties } = context;
  const wanted = textOf(properties, "PublishToLatestPublished") ?? String("CapacityProviderConfig" in properties);
  if (wanted === "true") {
    await context.client<Sdk>("lambda").PublishVersion({ FunctionName, PublishTo: "LATEST_PUBLISHED" });
  }
  if (wanted === "true" || "FunctionScalingConfig" in properties) {
    await scaleVersion(context, FunctionName, "$LATEST.PUBLISHED");
  }
}

/** Give a published version the `FunctionScalingConfig` of its resource, and wait until it has environments. */
export async function scaleVersion(
  context: ResourceContext,
  FunctionName: string | undefined,
  Qualifier: string,
): Promise<void> {
  const lambda = context.client<Sdk>("lambda");
  const scaling = objectOf(context.properties, "FunctionScalingConfig");
  await lambda.PutFunctionScalingConfig({
    FunctionName,
    Qualifier,
    FunctionScalingConfig: defined({
      MinExecutionEnvironments: scaling && numberOf(scaling, "MinExecutionEnvironments"),
      MaxExecutionEnvironments: scaling && numberOf(scaling, "MaxExecutionEnvironments"),
    }),
  });
  for (let waitedMs = 0; waitedMs < waitMostMs; waitedMs += pollMs) {
    const { State, StateReason } = await lambda.GetFunctionConfiguration({ FunctionName, Qualifier });
    if (State === "Active" || State === "Deactivated") return;
    if (State === "Failed") throw failed(StateReason ?? "unknown");
    await context.wait(pollMs);
  }
  throw failed("it took too long");
}

function failed(reason: string) {
  return invalidParameter(`The function could not be activated. Reason: ${reason}`);
}
