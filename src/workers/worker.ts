import { Socket } from "node:net";
import type { Clock } from "../kernel/clock.ts";
import type { Config } from "../config.ts";
import { parseToWorker, type FromWorker } from "./messages.ts";
import { createSiblings, type Siblings } from "./siblings.ts";

/** A worker's end of its tie to the supervising process. */
export interface WorkerTie {
  readonly config: Config;
  readonly siblings: Siblings;
  readonly instance: string;
  /** The process that supervises this one. */
  readonly supervisor: number;
  /** Of the listener that the supervising process holds. */
  readonly port: number;
  /** From now on connections come here. */
  serve(accept: (socket: Socket) => void): void;
  /** All that is needed to serve is there. */
  ready(endpoint: string): void;
  tellIsolates(isolates: boolean): void;
  /** `drain`: no requests should be sent here any more, some time before the end. `reload`: the certificate has changed. */
  onWord(listener: (word: "drain" | "reload") => void): void;
  /** Resolves when this worker is to stop: told so, or because the supervising process has gone. */
  readonly ended: Promise<"told" | "orphaned">;
  /** Resolves when the supervising process has gone. */
  readonly orphaned: Promise<void>;
  /** Cut the tie, which else keeps this process. */
  close(): void;
}

/** This process as the supervising process talks to it. */
export interface WorkerProcess {
  readonly ppid: number;
  send?(message: FromWorker, done: (error: Error | null) => void): unknown;
  disconnect?(): void;
  on(event: "message", listener: (message: unknown, socket: unknown) => void): unknown;
  on(event: "disconnect", listener: () => void): unknown;
}

/**
 * Waits until the supervising process says what this worker is.
 *
 * @returns undefined when nobody supervises this process
 */
export async function openWorkerTie(own: WorkerProcess, clock: Clock): Promise<WorkerTie | undefined> {
  if (own.send === undefined) return undefined;
  // A supervising process that has gone is noticed as such; what was to be told it matters to nobody.
  const send = (message: FromWorker) => void own.send?.(message, () => {});
  let accept: ((socket: Socket) => void) | undefined;
  const words: ((word: "drain" | "reload") => void)[] = [];
  const ended = Promise.withResolvers<"told" | "orphaned">();
  const orphaned = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<WorkerTie | undefined>();
  let siblings: ReturnType<typeof createSiblings> | undefined;

  let taken: number[] = [];
  let closed = 0;
  let telling = false;
  const tellLoad = () => {
    if (telling) return;
    telling = true;
    // What happens together is told together.
    setImmediate(() => {
      telling = false;
      send({ kind: "load", taken, closed });
      taken = [];
      closed = 0;
    });
  };
  const take = (connection: number, handle: unknown) => {
    taken.push(connection);
    tellLoad();
    const gone = () => {
      closed += 1;
      tellLoad();
    };
    // The client may have gone while its connection was on the way.
    if (!(handle instanceof Socket)) return gone();
    handle.once("close", gone);
    if (accept === undefined) handle.destroy();
    else accept(handle);
  };

  let closing = false;
  own.on("disconnect", () => {
    if (closing) return;
    begun.resolve(undefined);
    ended.resolve("orphaned");
    orphaned.resolve();
  });
  own.on("message", (received, handle) => {
    const message = parseToWorker(received);
    switch (message.kind) {
      case "connection":
        take(message.connection, handle);
        return;
      case "begin": {
        const { slot, workers, config, port, instance } = message;
        siblings = createSiblings(
          { slot, workers },
          { send: (to, body) => send({ kind: "to", slot: to, body }) },
          clock,
        );
        begun.resolve({
          config,
          siblings,
          instance,
          supervisor: own.ppid,
          port,
          serve: (given) => (accept = given),
          ready: (endpoint) => send({ kind: "ready", endpoint }),
          tellIsolates: (isolates) => send({ kind: "isolates", isolates }),
          onWord: (listener) => void words.push(listener),
          ended: ended.promise,
          orphaned: orphaned.promise,
          close: () => {
            closing = true;
            own.disconnect?.();
          },
        });
        return;
      }
      case "ask":
        send({ kind: "alive" });
        return;
      case "live":
        siblings?.setLive(message.slots);
        return;
      case "from":
        siblings?.receive(message.slot, message.body);
        return;
      case "drain":
      case "reload":
        for (const listener of words) listener(message.kind);
        return;
      case "stop":
        ended.resolve("told");
    }
  });
  return begun.promise;
}
