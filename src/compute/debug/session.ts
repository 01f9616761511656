import type { Clock } from "../../kernel/clock.ts";
import type { FunctionSpec, Invocation, InvocationOutcome } from "../compute.ts";
import type { InitOutcome } from "../endings.ts";
import type { Environment } from "../environment.ts";
import type { KeepingPool } from "../pool-kept.ts";
import type { Debugging, DebugProtocol } from "../workbench.ts";
import { openDebugAddress } from "./address.ts";
import { portInside, toDebuggedSpec, usualPorts } from "./protocols.ts";

export interface DebugPool extends KeepingPool {
  invoke(spec: FunctionSpec, invocation: Invocation): Promise<InvocationOutcome>;
  retire(specId: string): void;
}

export interface SessionNeeds {
  readonly clock: Clock;
  readonly pool: DebugPool;
  /** A new environment, its init not yet begun. */
  readonly create: (spec: FunctionSpec) => Promise<Environment>;
  readonly debugging: Debugging;
  readonly protocol: DebugProtocol;
  readonly isolated: boolean;
  /** Of the inspector's address: not to be guessed. */
  readonly id: string;
}

/** A function whose environment a debugger holds: one at a time, with one address. */
export interface Session {
  readonly protocol: DebugProtocol;
  readonly port: number;
  /** Of the inspector's address. */
  readonly id: string;
  /** Invocations take turns. */
  invoke(spec: FunctionSpec, invocation: Invocation): Promise<InvocationOutcome>;
  /** An environment of this session's function, made for debugging. Undefined for any other's. */
  adopt(spec: FunctionSpec, environment: Environment): Environment | undefined;
  /** A revision is gone: if it is this function's, the next one is initialised. */
  retired(specId: string): void;
  stop(): void;
}

interface Current {
  readonly environment: Environment;
  readonly port: number;
  initialized: boolean;
}

/** As long as an invocation may: whoever looks at a function's init looks long. */
const initTimeoutMs = 4 * 3_600_000;
/** After a debugger had been attached, code waits for it to come back and to set its breakpoints. */
const reattachMs = 3_000;
const quietMs = 100;
const againMs = 500;

export async function openDebugSession(needs: SessionNeeds): Promise<Session> {
  const { clock, pool, debugging, protocol } = needs;
  /** Where the debugger listens in environments of these revisions. */
  const ports = new Map<string, number>();
  const onChange = new Set<() => void>();
  let base: FunctionSpec | undefined;
  let spec: FunctionSpec | undefined;
  let current: Current | undefined;
  let ready: Promise<void> = Promise.resolve();
  let turns: Promise<unknown> = Promise.resolve();
  let serial = 0;
  let attached = 0;
  let wasAttached = false;
  let toldAt = 0;
  let stopped = false;

  const changed = () => {
    for (const notice of onChange) notice();
  };
  const isOver = () => stopped;
  /** @returns whether it came to be so in time */
  const until = (isSo: () => boolean, withinMs?: number): Promise<boolean> => {
    if (isSo() || isOver()) return Promise.resolve(isSo());
    return new Promise((resolve) => {
      const settle = () => {
        onChange.delete(notice);
        cancel?.();
        resolve(isSo());
      };
      const notice = () => {
        if (isSo() || isOver()) settle();
      };
      const cancel = withinMs === undefined ? undefined : clock.after(withinMs, settle);
      onChange.add(notice);
    });
  };
  const isSettling = () => attached > 0 && !isOver() && clock.now() - toldAt < quietMs;

  const address = await openDebugAddress({
    protocol,
    port: debugging.port ?? usualPorts[protocol],
    title: `${debugging.functionArn.split(":").at(-1)} (Cumulet)`,
    id: needs.id,
    async connect() {
      await until(() => current !== undefined);
      return stopped ? undefined : current?.environment.sandbox.connect?.(current.port);
    },
    attached() {
      attached += 1;
      wasAttached = true;
      toldAt = clock.now();
      debugging.report({ kind: "attached" });
      changed();
    },
    detached() {
      attached -= 1;
      if (!stopped) debugging.report({ kind: "detached" });
      changed();
    },
    told: () => (toldAt = clock.now()),
  });

  /** Breakpoints are there before the code that they are in. */
  const hold = async () => {
    if (!wasAttached) return;
    // Otherwise its debugger went away for good, by all appearances.
    wasAttached = await until(() => attached > 0, reattachMs);
    while (isSettling()) {
      await new Promise<void>((resolve) => void clock.after(quietMs, resolve));
    }
  };

  const adopt: Session["adopt"] = (of, environment) => {
    const port = ports.get(of.id);
    if (port === undefined) return undefined;
    // A frozen process would keep its debugger waiting.
    const sandbox = { ...environment.sandbox, freeze: () => {}, thaw: () => {} };
    const adopted: Environment = {
      sandbox,
      logStream: environment.logStream,
      credentialsExpireAt: environment.credentialsExpireAt,
      get idle() {
        return environment.idle;
      },
      get load() {
        return environment.load;
      },
      quiet: false,
      async init(phase) {
        await hold();
        const outcome = await environment.init(phase, initTimeoutMs);
        if (outcome.outcome === "initialized") {
          mine.initialized = true;
          debugging.report({ kind: "environment" });
          changed();
        }
        return outcome;
      },
      restore: environment.restore,
      run: environment.run,
      conclude: environment.conclude,
      end: environment.end,
    };
    const mine: Current = { environment: adopted, port, initialized: false };
    current = mine;
    changed();
    void sandbox.ended.then(() => {
      if (current !== mine) return;
      current = undefined;
      if (!stopped && mine.initialized) clock.after(againMs, () => current ?? begin());
    });
    return adopted;
  };

  /** Initialise an environment of the function as it is now, in place of what there is. */
  const begin = () => {
    serial += 1;
    const mine = serial;
    ready = (async () => {
      try {
        if (spec !== undefined) pool.retire(spec.id);
        current = undefined;
        const latest = await debugging.latest();
        if (latest === undefined || stopped || mine !== serial) return;
        const port = await portInside(protocol, needs.isolated);
        base = latest;
        spec = toDebuggedSpec(latest, protocol, port, serial, needs.isolated);
        ports.clear();
        ports.set(spec.id, port);
        const made = spec;
        const created = await needs.create(made);
        const environment = adopt(made, created) ?? created;
        pool.keep(environment);
        if (stopped || mine !== serial) return environment.end();
        const init = await environment.init("init", initTimeoutMs);
        if (init.outcome === "initialized") pool.offer(made, environment);
        else if (mine === serial) debugging.report({ kind: "failed", message: initFailureOf(init).errorMessage });
      } catch (error) {
        if (stopped || mine !== serial) return;
        debugging.report({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
      }
    })();
  };
  begin();

  const run = async (asked: FunctionSpec, invocation: Invocation): Promise<InvocationOutcome> => {
    if (asked.id !== base?.id && !stopped) {
      await ready;
      if (asked.id !== base?.id) begin();
    }
    await ready;
    return pool.invoke(stopped || spec === undefined ? asked : spec, invocation);
  };

  return {
    protocol,
    port: address.port,
    id: needs.id,
    adopt,
    invoke(asked, invocation) {
      const turn = turns.then(() => run(asked, invocation));
      turns = turn.catch(() => undefined);
      return turn;
    },
    retired(specId) {
      if (specId === base?.id && !stopped) begin();
    },
    stop() {
      stopped = true;
      address.close();
      changed();
      if (spec !== undefined) pool.retire(spec.id);
    },
  };
}

/** Why an init failed, as far as the runtime could say. */
export function initFailureOf(init: InitOutcome): { readonly errorType: string; readonly errorMessage: string } {
  switch (init.outcome) {
    case "error": {
      const parsed: unknown = JSON.parse(Buffer.from(init.document).toString("utf8"));
      const told = typeof parsed === "object" && parsed !== null && "errorMessage" in parsed;
      return { errorType: init.errorType, errorMessage: told ? String(parsed.errorMessage) : init.errorType };
    }
    case "exit": {
      const { signal, code } = init.exit;
      return { errorType: "Runtime.ExitError", errorMessage: `The runtime ended (${signal ?? `exit status ${code}`})` };
    }
    default:
      return { errorType: "Sandbox.Timedout", errorMessage: "The init took too long" };
  }
}
