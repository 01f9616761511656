import type { Compute } from "../../compute/compute.ts";
import type { Call } from "../../wire/service.ts";

/**
 * Says in a header of an answer about a function that another interpreter than its runtime's runs it here, or that none
 * does: AWS's answers have no member for it.
 */
export async function showSubstitute(compute: Compute, runtime: string | undefined, call: Call): Promise<void> {
  // Container images have none.
  if (!runtime) return;
  const found = await compute.runtime(runtime);
  if (found.state === "substituted") call.setHeader("x-cumulet-runtime", `substituted; version=${found.version}`);
  if (found.state === "missing") call.setHeader("x-cumulet-runtime", "missing");
}
