import { randomBytes } from "node:crypto";
import type { Config } from "../config.ts";
import { frontLimits } from "../front/limits.ts";
import { systemClock } from "../kernel/clock.ts";
import { forkWorker } from "../workers/fork.ts";
import { createSupervisor, WorkersFailedError } from "../workers/supervisor.ts";
import { CommandError, type Output } from "./command.ts";
import type { Serving } from "./serving.ts";

/** The platform in several processes, which this one supervises. */
export async function serveWithWorkers(config: Config, output: Output): Promise<Serving> {
  const supervisor = createSupervisor({
    config,
    clock: systemClock,
    fork: forkWorker,
    instance: randomBytes(4).readUInt32BE(),
    tell: (line) => output.err(`cumulet: ${line}`),
    connectionsMax: frontLimits.connectionsMax,
  });
  const address = await supervisor.start().catch((error: unknown) => {
    throw error instanceof WorkersFailedError ? new CommandError(error.message) : error;
  });
  return {
    ...address,
    isolates: () => supervisor.isolates(),
    drain: () => supervisor.drain(),
    ...(config.tls && { reloadCertificate: () => supervisor.reloadCertificate() }),
    stop: () => supervisor.stop(),
    failed: supervisor.failed,
  };
}
