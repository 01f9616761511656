import { randomBytes } from "node:crypto";
import type { Config } from "../config.ts";
import { frontLimits } from "../front/limits.ts";
import { systemClock } from "../kernel/clock.ts";
import { forkWorker } from "../workers/fork.ts";
import { createSupervisor, WorkersFailedError, type WorkerChild } from "../workers/supervisor.ts";
import { CommandError, type Output } from "./command.ts";
import type { Serving } from "./serving.ts";

/**
 * The platform in several processes, which this one supervises.
 *
 * @param first the process of the first worker, which loads the program while this one gets ready to supervise it
 */
export async function serveWithWorkers(config: Config, output: Output, first: WorkerChild): Promise<Serving> {
  let ahead: WorkerChild | undefined = first;
  const fork = (): WorkerChild => {
    const child = ahead ?? forkWorker();
    ahead = undefined;
    return child;
  };
  const supervisor = createSupervisor({
    config,
    clock: systemClock,
    fork,
    instance: randomBytes(4).readUInt32BE(),
    tell: (line) => output.err(`cumulet: ${line}`),
    connectionsMax: frontLimits.connectionsMax,
  });
  const address = await supervisor.start().catch((error: unknown) => {
    ahead?.kill();
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
