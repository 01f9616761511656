import type { FunctionConfiguration } from "@aws-sdk/client-lambda";
import type { Compute } from "../../../compute/compute.ts";
import type { FunctionRecord, FunctionVersion } from "../model.ts";
import { specId } from "../functions.ts";

type State = Pick<FunctionConfiguration, "State" | "StateReason" | "StateReasonCode">;

/**
 * How far a version on a capacity provider is; nothing for others, which run at any time. Environments are this process's, so
 * that this is how far this process has come.
 */
export function capacityState(
  compute: Pick<Compute, "fleet">,
  record: FunctionRecord,
  version: FunctionVersion,
): State {
  if (version.settings.capacity === undefined) return {};
  // AWS: only what is published runs.
  if (version.version === "$LATEST") return { State: "ActiveNonInvocable" };
  const fleet = compute.fleet(specId(record, version));
  if (fleet === undefined) return pending;
  if (fleet.wanted === 0) return { State: "Deactivated" };
  if (fleet.ready > 0) return { State: "Active" };
  if (fleet.failure === undefined) return pending;
  return { State: "Failed", StateReason: fleet.failure, StateReasonCode: "FunctionError" };
}

const pending: State = {
  State: "Pending",
  StateReason: "The function is being created.",
  StateReasonCode: "Creating",
};
