import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Clock } from "../kernel/clock.ts";
import type { Invocation } from "./compute.ts";
import type { ComputeLimits } from "./limits.ts";
import type { ExtensionProcesses, ProcessExit } from "./sandbox/supervisor.ts";

export type ExtensionEvent = "INVOKE" | "SHUTDOWN";
export type ShutdownReason = "spindown" | "timeout" | "failure";
type ExtensionState =
  "Started" | "Registered" | "Ready" | "Running" | "InitError" | "ExitError" | "Exited" | "LaunchError";

/** What the log says of an extension. */
export interface ExtensionReport {
  readonly name: string;
  readonly state: string;
  readonly events: readonly ExtensionEvent[];
  readonly errorType?: string;
}

/** What an extension does to the function it is part of. */
export interface ExtensionFailure {
  /** `Extension.Crash` … */
  readonly errorType: string;
  /** `exit status 1` … */
  readonly reason: string;
}

export interface Extension {
  readonly id: string;
  readonly name: string;
  /** A process of its own, or part of the runtime's. */
  readonly external: boolean;
  state: ExtensionState;
  events: readonly ExtensionEvent[];
  errorType: string | undefined;
  /** Its request for the next event, while there is none. */
  waiting: ServerResponse | undefined;
  /** An event that came before it asked. */
  queued: string | undefined;
}

/**
 * The extensions of one environment, as the Extensions API knows them.
 * Source: "Using the Lambda Extensions API to create extensions" (2020-01-01), and the states of AWS's runtime interface emulator.
 */
export interface Extensions {
  /** There is at least one: the environment waits for them, and tells them of its end. */
  readonly present: boolean;
  /** One of them has not asked for its next event. */
  readonly busy: boolean;
  find(id: string): Extension | undefined;
  isExternal(name: string): boolean;
  /** Start the external ones. Resolves when all have registered; never when one fails, which is told otherwise. */
  start(): Promise<void>;
  /** @returns undefined when it may not: why is the error's type and message */
  register(
    name: string,
    events: readonly ExtensionEvent[],
  ): Extension | { readonly errorType: string; message: string };
  /** It asks for its next event. @returns whether it may */
  next(extension: Extension, response: ServerResponse): boolean;
  mayFail(extension: Extension, where: "InitError" | "ExitError"): boolean;
  /** It says that it cannot go on. AWS: that is the end of its environment. */
  fail(extension: Extension, where: "InitError" | "ExitError", errorType: string): void;
  /** The runtime is there: internal extensions have had their time to register. */
  closeRegistration(): void;
  invoke(invocation: Invocation, deadlineMs: number): void;
  /** For the log, once they are ready or the init has failed. */
  reports(): readonly ExtensionReport[];
  /** Tell them of the end, and wait until they have ended, but no longer than AWS does. The runtime has been ended when this resolves. */
  shutdown(reason: ShutdownReason): Promise<void>;
}

export interface ExtensionsNeeds {
  readonly clock: Clock;
  readonly limits: ComputeLimits;
  /** Names of the executables in `/opt/extensions`. */
  readonly names: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly processes: ExtensionProcesses | undefined;
  /** Where the runtime is not supervised: asks it to end. */
  readonly terminate: () => void;
  readonly sandboxEnded: Promise<unknown>;
  /** None is busy any more. */
  readonly onReady: () => void;
  readonly onFailure: (failure: ExtensionFailure) => void;
  readonly onRuntimeExit: (exit: ProcessExit) => void;
}

/** Of the time that AWS gives to a shutdown, what the runtime may use of it. */
const runtimeShare = 0.3;

export function createExtensions(needs: ExtensionsNeeds): Extensions {
  const { clock, limits, processes } = needs;
  const all = new Map<string, Extension>();
  let registered: (() => void) | undefined;
  let accepting = true;
  let shuttingDown = false;
  let runtimeIsUp = true;
  let onExit: (() => void) | undefined;

  const byName = (name: string) => [...all.values()].find((extension) => extension.name === name);
  const add = (name: string, external: boolean): Extension => {
    const extension: Extension = {
      id: randomUUID(),
      name,
      external,
      state: "Started",
      events: [],
      errorType: undefined,
      waiting: undefined,
      queued: undefined,
    };
    all.set(extension.id, extension);
    return extension;
  };
  const isBusy = () => {
    for (const { state } of all.values()) if (state !== "Ready" && state !== "Exited") return true;
    return false;
  };
  const fail = (errorType: string, reason: string) => {
    if (!shuttingDown) needs.onFailure({ errorType, reason });
  };
  const give = (extension: Extension, event: string) => {
    const { waiting } = extension;
    extension.waiting = undefined;
    if (waiting === undefined) {
      extension.queued = event;
      return;
    }
    waiting.writeHead(200, {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(event),
      "Lambda-Extension-Event-Identifier": randomUUID(),
    });
    waiting.end(event);
  };

  processes?.watch({
    runtimeExited(exit) {
      runtimeIsUp = false;
      onExit?.();
      needs.onRuntimeExit(exit);
    },
    extensionFailed(name, errno) {
      const extension = byName(name);
      if (extension === undefined) return;
      extension.state = "LaunchError";
      extension.errorType = errno === "EACCES" ? "PermissionDenied" : "UnknownError";
      fail("Extension.LaunchError", `fork/exec ${needs.folder}/${name}: ${errnoText[errno] ?? "input/output error"}`);
    },
    extensionExited(name, exit) {
      const extension = byName(name);
      if (extension === undefined || extension.state === "LaunchError") return;
      const before = extension.state;
      extension.state = "Exited";
      extension.waiting = undefined;
      const errorType = before === "InitError" || before === "ExitError" ? `Extension.${before}` : "Extension.Crash";
      if (!shuttingDown) extension.errorType ??= errorType;
      onExit?.();
      fail(errorType, exitText(exit));
    },
  });

  const until = (done: () => boolean, ms: number): Promise<void> =>
    new Promise((resolve) => {
      const settle = () => {
        cancel();
        onExit = undefined;
        resolve();
      };
      const cancel = clock.after(Math.max(0, ms), settle);
      onExit = () => done() && settle();
      onExit();
    });

  return {
    get present() {
      return all.size > 0;
    },
    get busy() {
      return all.size > 0 && isBusy();
    },
    find: (id) => all.get(id),
    isExternal: (name) => byName(name)?.external === true,
    start() {
      return new Promise((resolve) => {
        registered = resolve;
        if (needs.names.length > limits.extensionsMax) {
          fail("Extension.LaunchError", `Extension limit (${limits.extensionsMax}) reached`);
          return;
        }
        for (const name of needs.names) {
          add(name, true);
          processes?.start(name, `${needs.folder}/${name}`, needs.environment);
        }
      });
    },
    register(name, events) {
      const known = byName(name);
      if (known?.external === true) {
        if (known.state !== "Started") {
          return stateError(known.state, "Registered", name);
        }
        known.events = events;
        known.state = "Registered";
        if ([...all.values()].every(({ state }) => state !== "Started")) registered?.();
        return known;
      }
      if (!accepting)
        return { errorType: "Extension.RegistrationClosed", message: "Extension registration closed already" };
      if (known !== undefined) {
        return { errorType: "Extension.InvalidExtensionState", message: "Extension with this name already registered" };
      }
      if (all.size >= limits.extensionsMax) {
        return {
          errorType: "Extension.TooManyExtensions",
          message: `Extension limit (${limits.extensionsMax}) reached`,
        };
      }
      const extension = add(name, false);
      extension.events = events;
      extension.state = "Registered";
      return extension;
    },
    next(extension, response) {
      const mayAsk = extension.state === "Registered" || extension.state === "Running" || extension.state === "Ready";
      if (!mayAsk || extension.waiting !== undefined) return false;
      extension.waiting = response;
      response.once("close", () => {
        if (extension.waiting === response) extension.waiting = undefined;
      });
      extension.state = "Ready";
      const { queued } = extension;
      extension.queued = undefined;
      if (queued !== undefined) give(extension, queued);
      else if (!isBusy()) needs.onReady();
      return true;
    },
    mayFail: ({ state }, where) =>
      where === "InitError"
        ? state === "Registered"
        : state === "Registered" || state === "Ready" || state === "Running",
    fail(extension, where, errorType) {
      extension.state = where;
      extension.errorType = errorType;
      fail(`Extension.${where}`, errorType);
    },
    closeRegistration() {
      accepting = false;
    },
    invoke({ requestId, invokedFunctionArn, traceId }, deadlineMs) {
      let event: string | undefined;
      for (const extension of all.values()) {
        if (!extension.events.includes("INVOKE")) continue;
        extension.state = "Running";
        event ??= JSON.stringify({
          eventType: "INVOKE",
          deadlineMs,
          requestId,
          invokedFunctionArn,
          tracing: { type: "X-Amzn-Trace-Id", value: traceId ?? "" },
        });
        give(extension, event);
      }
    },
    reports: () => [...all.values()].map(toReport),
    async shutdown(shutdownReason) {
      if (shuttingDown) return;
      shuttingDown = true;
      const external = processes !== undefined;
      const limitMs = external ? limits.shutdownExternalMs : limits.shutdownInternalMs;
      const deadlineMs = clock.now() + limitMs;
      if (!external) {
        if (shutdownReason !== "spindown") return;
        needs.terminate();
        void needs.sandboxEnded.then(() => onExit?.());
        let ended = false;
        void needs.sandboxEnded.then(() => (ended = true));
        return until(() => ended, limitMs);
      }
      if (runtimeIsUp && shutdownReason === "spindown") {
        processes.signalRuntime("TERM");
        await until(() => !runtimeIsUp, limitMs * runtimeShare);
      }
      if (runtimeIsUp) processes.signalRuntime("KILL");
      const asked = [...all.values()].filter(
        ({ external: own, events, state }) => own && events.includes("SHUTDOWN") && isAlive(state),
      );
      const event = JSON.stringify({ eventType: "SHUTDOWN", shutdownReason, deadlineMs });
      for (const extension of asked) give(extension, event);
      await until(() => asked.every(({ state }) => !isAlive(state)), deadlineMs - clock.now());
    },
  };
}

function toReport({ name, state, events, errorType }: Extension): ExtensionReport {
  return { name, state, events, ...(errorType !== undefined && { errorType }) };
}

function isAlive(state: ExtensionState): boolean {
  return state !== "Exited" && state !== "LaunchError";
}

function stateError(from: string, to: string, name: string) {
  return {
    errorType: "Extension.InvalidExtensionState",
    message: `State transition from ${from} to ${to} failed for extension ${name}. Error: State transition is not allowed`,
  };
}

/** Go's words, as for runtimes. */
function exitText({ code, signal }: ProcessExit): string {
  if (signal !== null) return `signal: ${signalNames[signal] ?? String(signal)}`;
  return code === 0 ? "exit code 0" : `exit status ${code}`;
}

const signalNames: Readonly<Record<number, string>> = {
  6: "aborted",
  9: "killed",
  11: "segmentation fault",
  15: "terminated",
};

const errnoText: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  ENOENT: "no such file or directory",
  ENOEXEC: "exec format error",
  EAGAIN: "resource temporarily unavailable",
};
