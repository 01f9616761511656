import { createServer, type Server, type Socket } from "node:net";
import type { Config } from "../config.ts";
import type { Clock } from "../kernel/clock.ts";
import { listenWithLoopback } from "../kernel/listen.ts";
import { workerLimits } from "./limits.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { createReplacement } from "./replacement.ts";

/** A worker's process, as the supervising one holds it. */
export interface WorkerChild {
  readonly pid: number;
  /**
   * To one that has ended: to nobody. A socket stays open here as well.
   *
   * @param onSent it may have reached the worker from now on
   */
  send(message: ToWorker, socket?: Socket, onSent?: () => void): void;
  onMessage(listener: (message: FromWorker) => void): void;
  onExit(listener: (how: string) => void): void;
  kill(): void;
}

export interface SupervisorNeeds {
  readonly config: Config;
  readonly clock: Clock;
  readonly fork: () => WorkerChild;
  /** Random; see `ToWorker`. */
  readonly instance: number;
  /** For the user: one line. */
  readonly tell: (line: string) => void;
  /** Connections that one worker takes. */
  readonly connectionsMax: number;
}

/** The listener, and the workers behind it. */
export interface Supervisor {
  /** Resolves when the first worker serves; the others follow. Rejects when it ends before. */
  start(): Promise<{ readonly port: number; readonly endpoint: string }>;
  /** Whether functions run isolated; known a moment after the start. */
  isolates(): Promise<boolean>;
  /** The workers answer as not ready from now on, and serve. */
  drain(): void;
  /** The workers read the TLS certificate again. */
  reloadCertificate(): void;
  stop(): Promise<void>;
  /** Rejects when workers end faster than they can be replaced. */
  readonly failed: Promise<never>;
}

interface Worker {
  readonly slot: number;
  readonly child: WorkerChild;
  readonly startedAt: number;
  ready: boolean;
  /** Times in a row that it was asked whether it is well and has not answered. */
  unanswered: number;
  /** Connections that it holds. */
  open: number;
  /** Those of them that it has not said to have, by their numbers, in order. */
  readonly untaken: Map<number, OnItsWay>;
}

/** A connection between this process and a worker. */
interface OnItsWay {
  readonly socket: Socket;
  /** Else it waits until the worker has those before. */
  isSent: boolean;
}

export class WorkersFailedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "WorkersFailedError";
  }
}

/**
 * Holds the port and hands each connection to the worker with the fewest, the first of them where there are several: requests that
 * come one at a time over new connections all find the environments of one worker warm. A connection outlives nobody but its
 * own worker; while none is there, connections wait.
 */
export function createSupervisor(needs: SupervisorNeeds): Supervisor {
  const { config, clock } = needs;
  const workers = new Map<number, Worker>();
  const replacement = createReplacement();
  const isolates = Promise.withResolvers<boolean>();
  const failed = Promise.withResolvers<never>();
  // Whoever waits for it hears of it; it may also come before anybody does.
  failed.promise.catch(() => {});
  const waiting: Socket[] = [];
  let stopping = false;
  let started = false;
  let starts = 0;
  let connections = 0;
  let port = 0;
  let endpoint = "";
  let changed: (() => void) | undefined;
  let beside: Server | undefined;
  let cancelAsk: (() => void) | undefined;

  const accept = (socket: Socket): void => {
    // Until it is handed on, nobody else listens for its end.
    socket.on("error", () => {});
    handOn(socket);
  };
  const options = { pauseOnConnect: true, noDelay: true };
  const listener = createServer(options, accept);

  const handOn = (socket: Socket): void => {
    let chosen: Worker | undefined;
    for (const worker of workers.values()) {
      if (!worker.ready || worker.open >= needs.connectionsMax) continue;
      if (
        chosen === undefined ||
        worker.open < chosen.open ||
        (worker.open === chosen.open && worker.slot < chosen.slot)
      )
        chosen = worker;
    }
    if (chosen !== undefined) {
      connections += 1;
      const onItsWay = { socket, isSent: false };
      chosen.open += 1;
      chosen.untaken.set(connections, onItsWay);
      chosen.child.send({ kind: "connection", connection: connections }, socket, () => (onItsWay.isSent = true));
      return;
    }
    const mayWait = [...workers.values()].every((worker) => !worker.ready) && waiting.length < workerLimits.waitingMax;
    if (mayWait && !stopping) waiting.push(socket);
    else socket.destroy();
  };

  const tellLive = (): void => {
    const slots = [...workers.values()].filter((worker) => worker.ready).map((worker) => worker.slot);
    tellAll({ kind: "live", slots });
  };

  const tellAll = (message: ToWorker): void => {
    for (const worker of workers.values()) worker.child.send(message);
  };

  const begin = (slot: number): void => {
    const child = needs.fork();
    const startedAt = clock.now();
    const worker: Worker = { slot, child, startedAt, ready: false, unanswered: 0, open: 0, untaken: new Map() };
    workers.set(slot, worker);
    const instance = ((needs.instance + starts) >>> 0).toString(16).padStart(8, "0");
    starts += 1;
    const cancelLate = clock.after(workerLimits.readyMsMax, () => child.kill());
    child.onMessage((message) => receive(worker, message, cancelLate));
    child.onExit((how) => {
      cancelLate();
      ended(worker, how);
    });
    child.send({ kind: "begin", slot, workers: config.workers, config, port, instance });
  };

  const receive = (worker: Worker, message: FromWorker, cancelLate: () => void): void => {
    switch (message.kind) {
      case "ready":
        cancelLate();
        worker.ready = true;
        endpoint = message.endpoint;
        tellLive();
        for (const socket of waiting.splice(0)) handOn(socket);
        changed?.();
        return;
      case "isolates":
        isolates.resolve(message.isolates);
        return;
      case "alive":
        worker.unanswered = 0;
        return;
      case "load":
        worker.open -= message.closed;
        for (const connection of message.taken) take(worker, connection);
        return;
      case "to":
        for (const other of workers.values()) {
          const meant = message.slot === "others" ? other !== worker && other.ready : other.slot === message.slot;
          if (meant) other.child.send({ kind: "from", slot: worker.slot, body: message.body });
        }
    }
  };

  /** What is sent comes in order: what stands before has not reached the worker, which may hold as many files as it can. */
  const take = (worker: Worker, connection: number): void => {
    for (const [before, { socket }] of worker.untaken) {
      if (before > connection) return;
      worker.untaken.delete(before);
      // The worker has its own.
      socket.destroy();
      if (before < connection) worker.open -= 1;
    }
  };

  const ended = (worker: Worker, how: string): void => {
    workers.delete(worker.slot);
    tellLive();
    if (!stopping && started) replace(worker, how);
    for (const { socket, isSent } of worker.untaken.values()) {
      // What it has read of a request nobody reads again: that client has to ask once more.
      if (isSent) socket.destroy();
      else handOn(socket);
    }
    changed?.();
  };

  const replace = (worker: Worker, how: string): void => {
    const pauseMs = replacement.pauseAfter(clock.now() - worker.startedAt);
    if (pauseMs === undefined) {
      failed.reject(
        new WorkersFailedError(`Workers end as soon as they start (the last ${how}). What they have logged says why.`),
      );
      return;
    }
    needs.tell(`Worker ${worker.slot} (process ${worker.child.pid}) ${how}; another takes its place`);
    clock.after(pauseMs, () => {
      if (!stopping) begin(worker.slot);
    });
  };

  /**
   * Questions are counted, not time: when all were stopped together for a while (a terminal's Ctrl+Z, a paused machine), one is open
   * for each worker, whatever the clock says.
   */
  const askAll = (): void => {
    for (const worker of workers.values()) {
      if (!worker.ready) continue;
      if (worker.unanswered < workerLimits.unansweredMax) {
        worker.unanswered += 1;
        worker.child.send({ kind: "ask" });
        continue;
      }
      const seconds = (workerLimits.unansweredMax * workerLimits.askMs) / 1000;
      needs.tell(`Worker ${worker.slot} (process ${worker.child.pid}) has not answered for ${seconds} s: it is killed`);
      worker.child.kill();
    }
    cancelAsk = clock.after(workerLimits.askMs, askAll);
  };

  const listen = async (): Promise<number> => {
    const listening = await listenWithLoopback(listener, config.port, config.host, { ...options, accept });
    beside = listening.beside;
    for (const server of [listener, beside]) server?.on("error", (error) => failed.reject(error));
    return listening.port;
  };

  const stop = async (): Promise<void> => {
    stopping = true;
    cancelAsk?.();
    listener.close();
    beside?.close();
    for (const socket of waiting.splice(0)) socket.destroy();
    const cancel = clock.after(3 * config.stopGraceMs + workerLimits.stopMsMax, () => {
      for (const worker of workers.values()) worker.child.kill();
    });
    tellAll({ kind: "stop" });
    await until(() => workers.size === 0);
    cancel();
  };

  const until = (is: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      changed = () => {
        if (!is()) return;
        changed = undefined;
        resolve();
      };
      changed();
    });

  return {
    async start() {
      port = await listen();
      // What is wrong is said once, what is made at the first start is made by one, and nobody waits for cores that the others use.
      begin(1);
      await until(() => workers.size === 0 || workers.get(1)?.ready === true);
      if (workers.size === 0) {
        await stop();
        throw new WorkersFailedError("A worker has ended before it could serve. What it has logged says why.");
      }
      started = true;
      for (let slot = 2; slot <= config.workers; slot += 1) begin(slot);
      askAll();
      return { port, endpoint };
    },
    isolates: () => isolates.promise,
    drain: () => tellAll({ kind: "drain" }),
    reloadCertificate: () => tellAll({ kind: "reload" }),
    stop,
    failed: failed.promise,
  };
}
