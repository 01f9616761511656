import { systemClock } from "../kernel/clock.ts";
import { workerLimits } from "../workers/limits.ts";
import { openWorkerTie, type WorkerProcess } from "../workers/worker.ts";
import { CommandError, type Command } from "./command.ts";

/** One of the processes of `start --workers`: started by it, and of no use to anybody else. */
export const workerCommand: Command = {
  name: "worker",
  usage: "worker",
  summary: "",
  help: "Started by 'cumulet start --workers', which tells it what to do.",
  hidden: true,
  async run(_argv, output) {
    // Whoever ends the whole program from a terminal signals its workers, too: the supervising process tells them in its time.
    for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
    // While it is told what to do it loads what it does it with.
    const loaded = import("./serving.ts");
    const tie = await openWorkerTie(ownProcess(), systemClock);
    if (tie === undefined) throw new CommandError("A worker is started by 'cumulet start --workers'.");
    const { servePlatform } = await loaded;
    const serving = await servePlatform(tie.config, output, { worker: tie });
    tie.onWord((word) => (word === "drain" ? serving.drain() : serving.reloadCertificate?.()));
    tie.ready(serving.endpoint);
    serving.isolates().then(tie.tellIsolates, () => {});
    if ((await tie.ended) === "told") {
      // The supervising process was ended a second time: nobody waits for what this one would still do.
      void tie.orphaned.then(() => process.exit(1));
    } else {
      // It ends in its own time, and nobody is left to kill it if it should not.
      setTimeout(() => process.exit(1), 3 * tie.config.stopGraceMs + workerLimits.stopMsMax).unref();
    }
    await serving.stop();
    tie.close();
    return 0;
  },
};

function ownProcess(): WorkerProcess {
  return process;
}
