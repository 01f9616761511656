import type { Config } from "../config.ts";
import { systemClock } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";
import { createPlatform, type Platform, type PlatformParts } from "../platform.ts";
import type { Output } from "./command.ts";

/** What serves, in this process or in workers. */
export interface Serving {
  readonly endpoint: string;
  readonly port: number;
  /** Whether functions run isolated from this host. */
  isolates(): Promise<boolean>;
  /** Say that no requests should be sent here any more; those that come are answered. */
  drain(): void;
  /** Absent where there is no certificate. */
  readonly reloadCertificate?: () => void;
  stop(): Promise<void>;
  /** Rejects when it can serve no more. */
  readonly failed: Promise<never>;
}

/** The platform in this process. */
export async function servePlatform(
  config: Config,
  output: Output,
  parts: Pick<PlatformParts, "worker"> = {},
): Promise<Serving> {
  const platform: Platform = await createPlatform(config, { writeLog: (line) => output.err(line), ...parts });
  const { endpoint, port } = await platform.start().catch(async (error: unknown) => {
    // What is wrong is the first failure, whatever stopping says.
    await platform.stop(0).catch(() => {});
    throw error;
  });
  const { reloadCertificate } = platform;
  // A fault of what is done for one request is no reason to end what all are served by: it is told, so that it can be mended.
  const log = createLog(
    config.logLevel,
    (line) => output.err(line),
    () => systemClock.now(),
  );
  const tellRejection = (error: unknown) => log.error("Nobody handled a rejection", { error });
  process.on("unhandledRejection", tellRejection);
  return {
    endpoint,
    port,
    isolates: () => platform.isolates(),
    drain: () => platform.drain(),
    ...(reloadCertificate && { reloadCertificate: () => void reloadCertificate() }),
    stop: async () => {
      await platform.stop(config.stopGraceMs);
      process.off("unhandledRejection", tellRejection);
    },
    failed: new Promise(() => {}),
  };
}
