import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { FunctionSpec, Invocation, InvocationOutcome } from "../compute.ts";
import type { Environment } from "../environment.ts";
import type { ComputeLimits } from "../limits.ts";
import type { Interpreter } from "../sandbox/sandbox.ts";
import { DebugRefusedError, type WarmOutcome, type Workbench } from "../workbench.ts";
import { protocolOf } from "./protocols.ts";
import { initFailureOf, openDebugSession, type DebugPool, type Session } from "./session.ts";

export interface WorkbenchNeeds {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: ComputeLimits;
  readonly pool: DebugPool;
  /** A new environment, its init not yet begun. */
  readonly create: (spec: FunctionSpec) => Promise<Environment>;
  readonly interpreter: (runtime: string) => Promise<Interpreter>;
  readonly isolates: () => Promise<boolean>;
}

/** The workbench, and what it puts between invocations and the pool while somebody debugs. */
export interface BenchedPool extends Workbench {
  invoke(spec: FunctionSpec, invocation: Invocation): Promise<InvocationOutcome>;
  retire(specId: string): void;
  /** What the pool makes of an environment that it has had created. */
  adopt(spec: FunctionSpec, environment: Environment): Environment;
  stop(): void;
}

export function createWorkbench(needs: WorkbenchNeeds): BenchedPool {
  const { pool, limits } = needs;
  const sessions = new Map<string, Session>();
  const opening = new Set<string>();
  /** Debuggers serve the tries of one person. */
  const sessionsMax = 8;

  const adopt: BenchedPool["adopt"] = (spec, environment) => {
    for (const session of sessions.values()) {
      const adopted = session.adopt(spec, environment);
      if (adopted !== undefined) return adopted;
    }
    return environment;
  };

  return {
    adopt,
    invoke(spec, invocation) {
      if (sessions.size === 0) return pool.invoke(spec, invocation);
      const session = spec.version === "$LATEST" ? sessions.get(spec.functionArn) : undefined;
      return session === undefined ? pool.invoke(spec, invocation) : session.invoke(spec, invocation);
    },
    retire(specId) {
      pool.retire(specId);
      for (const session of sessions.values()) session.retired(specId);
    },
    async warm(spec): Promise<WarmOutcome> {
      if (sessions.has(spec.functionArn)) return { outcome: "initialized", initMs: 0 };
      const environment = await needs.create(spec);
      // Counted as any, and let go at once: it is removed when it has been idle as long as any other.
      pool.keep(environment);
      pool.letGo(environment);
      const init = await environment.init("init", limits.initTimeoutMs);
      if (init.outcome !== "initialized") return { outcome: "failed", ...initFailureOf(init) };
      pool.offer(spec, environment);
      return { outcome: "initialized", initMs: init.durationMs };
    },
    async debug(debugging) {
      const arn = debugging.functionArn;
      if (sessions.has(arn) || opening.has(arn))
        throw new DebugRefusedError("This function is being debugged already.");
      if (sessions.size >= sessionsMax)
        throw new DebugRefusedError(`At most ${sessionsMax} functions are debugged at a time.`);
      opening.add(arn);
      try {
        const latest = await debugging.latest();
        if (latest === undefined) throw new DebugRefusedError("There is no such function.");
        const interpreter = await needs.interpreter(latest.runtime);
        const session = await openDebugSession({
          clock: needs.clock,
          pool,
          create: needs.create,
          debugging,
          protocol: protocolOf(latest, interpreter.language),
          isolated: await needs.isolates(),
          id: needs.ids.uuid(),
        });
        sessions.set(arn, session);
        return {
          protocol: session.protocol,
          port: session.port,
          ...(session.protocol === "inspector" && { path: `/${session.id}` }),
          stop() {
            sessions.delete(arn);
            session.stop();
          },
        };
      } finally {
        opening.delete(arn);
      }
    },
    isDebugged: (functionArn) => sessions.size > 0 && sessions.has(functionArn.split(":").slice(0, 7).join(":")),
    stop() {
      for (const session of sessions.values()) session.stop();
      sessions.clear();
    },
  };
}
