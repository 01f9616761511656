import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { Server } from "node:net";
import { Duplex, Readable } from "node:stream";
import type { RuntimeExit } from "../outcomes.ts";

/** A child with the five streams that every environment has, whatever confines it. */
export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly channel: Duplex;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly messages: Readable;
  /** Of a child that is supervised: orders and news, and what extensions print. */
  readonly supervision: { readonly control: Duplex; readonly output: Readable } | undefined;
  /** After the process and all that held its streams have ended. */
  readonly ended: Promise<Omit<RuntimeExit, "outOfMemory">>;
}

export interface ChildCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Open a channel on which the child hands over its listening sockets (descriptor 5). */
  readonly handsOver: boolean;
  /** The child is a supervisor, with two streams more: descriptors 6 and 7. */
  readonly supervised?: boolean;
}

const closeGraceMs = 1_000;

/** @param killRest ends what may still hold the child's streams after it has ended */
export function startChild(command: ChildCommand, killRest: (pid: number) => void): Child {
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: { ...command.environment },
    detached: true,
    stdio: [
      "ignore",
      "pipe",
      "pipe",
      "pipe",
      "pipe",
      command.handsOver ? "ipc" : "ignore",
      ...(command.supervised === true ? (["pipe", "pipe"] as const) : []),
    ],
    serialization: "json",
  });
  const [, stdout, stderr, channel, messages, , control, output] = child.stdio as readonly unknown[];
  if (!(channel instanceof Duplex) || !(messages instanceof Readable) || !(stdout instanceof Readable)) {
    throw new Error("The child's streams are not there");
  }
  if (!(stderr instanceof Readable)) throw new Error("The child's streams are not there");
  channel.on("error", () => {});
  const supervision = control instanceof Duplex && output instanceof Duplex ? { control, output } : undefined;

  const ended = new Promise<Omit<RuntimeExit, "outOfMemory">>((resolve) => {
    child.once("error", () => resolve({ code: 127, signal: null }));
    child.once("exit", (code, signal) => {
      if (child.pid !== undefined) killRest(child.pid);
      // Streams may be held by what the function started; what is in them now is still read.
      const timer = setTimeout(() => resolve({ code, signal }), closeGraceMs);
      // Not the child's own "close": that one never comes after its channel for sockets has been disconnected.
      const closed = [stdout, stderr, channel, messages, ...(supervision ? [supervision.output] : [])].map(
        (stream) => stream.closed || new Promise<void>((done) => stream.once("close", () => done())),
      );
      void Promise.all(closed).then(() => {
        clearTimeout(timer);
        resolve({ code, signal });
      });
    });
  });
  return { process: child, pid: child.pid ?? 0, channel, stdout, stderr, messages, supervision, ended };
}

/**
 * The listening sockets that the child opened in its own network, by the names it gives them. They stay usable here after
 * the child has let go of them: connections made inside its network arrive in this process.
 *
 * What comes on the channel is trusted: Node.js ends this process at a line that it does not understand. No program of a
 * function may run before the channel is closed, which the child waits for.
 * @param beforeClosing what is to be done while the child still waits
 */
export function receiveListeners(
  child: Child,
  names: readonly string[],
  beforeClosing: () => Promise<void> = () => Promise.resolve(),
): Promise<ReadonlyMap<string, Server>> {
  return new Promise((resolve, reject) => {
    const listeners = new Map<string, Server>();
    child.process.on("message", (message: unknown, handle: unknown) => {
      const name =
        typeof message === "object" && message !== null && "listener" in message ? message.listener : undefined;
      if (typeof name !== "string" || !names.includes(name) || !(handle instanceof Server)) {
        reject(new Error("The child sent something that is not a listener"));
        return;
      }
      listeners.set(name, handle);
      if (listeners.size < names.length) return;
      const close = () => {
        if (child.process.connected) child.process.disconnect();
        resolve(listeners);
      };
      beforeClosing().then(close, reject);
    });
    void child.ended.then((exit) =>
      reject(
        new Error(`The sandbox ended before its runtime was there (${exit.signal ?? `exit status ${exit.code}`})`),
      ),
    );
  });
}
