import { fork } from "node:child_process";
import type { WorkerChild } from "./supervisor.ts";
import { parseFromWorker } from "./messages.ts";

/** Starts a worker: this program once more, with what it writes going where this process's goes. */
export function forkWorker(): WorkerChild {
  const child = fork(process.argv[1] ?? "", ["worker"], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  // Its end is told by `exit`.
  child.on("error", () => {});
  return {
    pid: child.pid ?? 0,
    send: (message, socket, onSent) => {
      if (!child.connected) return;
      // Node.js closes a socket that it has sent when the other end has it, and forgets to where the other end dies before.
      child.send(message, socket, { keepOpen: true }, (error) => {
        if (error === null) onSent?.();
      });
    },
    onMessage: (listener) => child.on("message", (message) => listener(parseFromWorker(message))),
    onExit: (listener) => {
      const tell = () =>
        listener(
          child.signalCode === null ? `ended with status ${child.exitCode}` : `was ended by ${child.signalCode}`,
        );
      if (child.exitCode === null && child.signalCode === null) child.once("exit", tell);
      else queueMicrotask(tell);
    },
    kill: () => child.kill("SIGKILL"),
  };
}
