import type { ResourceContext } from "../../cloudformation/port.ts";
import { invalidParameter } from "../errors.ts";
import type { Sdk } from "../needs.ts";
import { numberOf, objectOf, textOf, unlessGone } from "./properties.ts";

const pollMs = 100;
/** Ours: an init may take 130 seconds, or as long as the function's timeout. */
const waitMostMs = 1_000_000;

/**
 * Give a version or an alias the `ProvisionedConcurrencyConfig` of its resource, or take it away, and wait until its environments
 * are there. Throws when they cannot be had.
 */
export async function provision(context: ResourceContext, Qualifier: string): Promise<void> {
  const lambda = context.client<Sdk>("lambda");
  const FunctionName = textOf(context.properties, "FunctionName");
  const wanted = numberOf(
    objectOf(context.properties, "ProvisionedConcurrencyConfig") ?? {},
    "ProvisionedConcurrentExecutions",
  );
  if (wanted === undefined) {
    await unlessGone(lambda.DeleteProvisionedConcurrencyConfig({ FunctionName, Qualifier }));
    return;
  }
  await lambda.PutProvisionedConcurrencyConfig({
    FunctionName,
    Qualifier,
    ProvisionedConcurrentExecutions: wanted,
  });
  for (let waitedMs = 0; waitedMs < waitMostMs; waitedMs += pollMs) {
    const { Status, StatusReason } = await lambda.GetProvisionedConcurrencyConfig({ FunctionName, Qualifier });
    if (Status === "READY") return;
    if (Status === "FAILED") {
      throw failed(StatusReason ?? "unknown");
    }
    await context.wait(pollMs);
  }
  throw failed("it took too long");
}

function failed(reason: string) {
  return invalidParameter(`Provisioned Concurrency configuration failed to be applied. Reason: ${reason}`);
}
