import type { Invocation } from "./compute.ts";
import type { InitOutcome } from "./endings.ts";
import type { Environment, RunEnd } from "./environment.ts";

/**
 * An environment that has been initialised as what SnapStart would take a snapshot of: before its first invocation it is
 * restored, which runs its runtime hooks. Here it is the same process all along.
 *
 * @param timeoutMs what loading the runtime and the hooks may take
 */
export function restoreFirst(environment: Environment, timeoutMs: number): Environment {
  let state: "initialized" | "restoring" | "restored" = "initialized";

  const restoreAndRun = async (invocation: Invocation, runTimeoutMs: number, end: RunEnd) => {
    const outcome: InitOutcome = await environment.restore(timeoutMs);
    state = "restored";
    if (outcome.outcome === "initialized") return environment.run(invocation, runTimeoutMs, end);
    end.concluded(await environment.conclude(invocation, outcome));
  };

  return {
    sandbox: environment.sandbox,
    logStream: environment.logStream,
    credentialsExpireAt: environment.credentialsExpireAt,
    get idle() {
      return state !== "restoring" && environment.idle;
    },
    get load() {
      return state === "restoring" ? 1 : environment.load;
    },
    get quiet() {
      return environment.quiet;
    },
    init: environment.init,
    restore: environment.restore,
    run(invocation, runTimeoutMs, end) {
      if (state === "restored") return environment.run(invocation, runTimeoutMs, end);
      state = "restoring";
      void restoreAndRun(invocation, runTimeoutMs, end);
    },
    conclude: environment.conclude,
    end: environment.end,
  };
}
