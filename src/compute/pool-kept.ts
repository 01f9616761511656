import type { Clock } from "../kernel/clock.ts";
import type { FunctionSpec, KeptFunction, KeptState } from "./compute.ts";
import type { Environment } from "./environment.ts";
import type { ComputeLimits } from "./limits.ts";

export interface KeeperNeeds {
  readonly clock: Clock;
  readonly limits: ComputeLimits;
  /** A new environment, its init not yet begun. */
  readonly create: (spec: FunctionSpec, initializationType: KeptFunction["initializationType"]) => Promise<Environment>;
  readonly pool: KeepingPool;
}

/** What the pool does with environments that are kept. */
export interface KeepingPool {
  /** Count a new environment among the pool's, and do not remove it for being idle until it is let go. */
  keep(environment: Environment): void;
  letGo(environment: Environment): void;
  /** It has been initialised and takes invocations. */
  offer(spec: FunctionSpec, environment: Environment): void;
}

/** Environments that are initialised before anybody asks: provisioned concurrency, and what stands for snapshots. */
export interface Keeper {
  keep(functions: readonly KeptFunction[]): void;
  state(specId: string): KeptState | undefined;
  stop(): void;
}

interface Kept {
  wanted: KeptFunction;
  readonly alive: Set<Environment>;
  readonly ready: Set<Environment>;
  starting: number;
  failures: number;
  failure: string | undefined;
  cancelRetry: (() => void) | undefined;
  gone: boolean;
}

/** As CloudFormation and GetProvisionedConcurrencyConfig say it. */
const initFailure = "FUNCTION_ERROR_INIT_FAILURE";

export function createKeeper({ clock, limits, create, pool }: KeeperNeeds): Keeper {
  const all = new Map<string, Kept>();
  let stopped = false;

  const adjust = (kept: Kept) => {
    if (stopped) return;
    const wanted = kept.gone ? 0 : Math.min(kept.wanted.environments, roomFor(kept));
    for (const environment of kept.alive) {
      if (kept.alive.size <= wanted) break;
      kept.alive.delete(environment);
      kept.ready.delete(environment);
      pool.letGo(environment);
    }
    if (kept.cancelRetry !== undefined) return;
    while (kept.alive.size + kept.starting < wanted && kept.starting < limits.keptStartsMax) {
      kept.starting += 1;
      void start(kept);
    }
  };

  /** What this host has left for it: some environments are for others. */
  const roomFor = (kept: Kept): number => {
    let others = 0;
    for (const other of all.values()) if (other !== kept) others += other.alive.size + other.starting;
    return Math.max(0, limits.keptMax - others);
  };

  const start = async (kept: Kept): Promise<void> => {
    const { spec, initializationType } = kept.wanted;
    const failure = await create(spec, initializationType).then(
      async (environment) => {
        if (stopped) return void environment.end();
        pool.keep(environment);
        kept.alive.add(environment);
        kept.starting -= 1;
        void environment.sandbox.ended.then(() => {
          pool.letGo(environment);
          const was = kept.alive.delete(environment);
          // Not at once: a function may end its environments again and again.
          if (kept.ready.delete(environment) && was) adjustLater(kept, limits.keptRetryFirstMs);
        });
        const init = await environment.init("init", Math.max(limits.keptInitTimeoutMs, spec.timeoutMs));
        if (init.outcome !== "initialized") return initFailure;
        if (!kept.alive.has(environment)) return environment.end();
        kept.ready.add(environment);
        pool.offer(spec, environment);
        return undefined;
      },
      (error: unknown) => {
        kept.starting -= 1;
        return error instanceof Error ? error.message : String(error);
      },
    );
    if (stopped) return;
    kept.failure = failure ?? undefined;
    if (failure === undefined) {
      kept.failures = 0;
      return adjust(kept);
    }
    kept.failures += 1;
    const delayMs = Math.min(limits.keptRetryFirstMs * 2 ** (kept.failures - 1), limits.keptRetryMostMs);
    adjustLater(kept, delayMs);
  };

  const adjustLater = (kept: Kept, delayMs: number) => {
    if (stopped || kept.gone) return;
    kept.cancelRetry ??= clock.after(delayMs, () => {
      kept.cancelRetry = undefined;
      adjust(kept);
    });
  };

  return {
    keep(functions) {
      const wanted = new Map(functions.map((each) => [each.spec.id, each]));
      for (const [id, kept] of all) {
        if (wanted.has(id)) continue;
        kept.gone = true;
        kept.cancelRetry?.();
        all.delete(id);
        adjust(kept);
      }
      for (const [id, each] of wanted) {
        const known = all.get(id);
        if (known) known.wanted = each;
        else {
          all.set(id, {
            wanted: each,
            alive: new Set(),
            ready: new Set(),
            starting: 0,
            failures: 0,
            failure: undefined,
            cancelRetry: undefined,
            gone: false,
          });
        }
      }
      for (const kept of all.values()) adjust(kept);
    },
    state(specId) {
      const kept = all.get(specId);
      if (kept === undefined) return undefined;
      const { environments } = kept.wanted;
      const room = roomFor(kept);
      const failure =
        kept.failure ??
        (environments > room
          ? `This host keeps at most ${limits.keptMax} execution environments initialized, of which others have ${limits.keptMax - room}`
          : undefined);
      return { wanted: environments, ready: kept.ready.size, ...(failure !== undefined && { failure }) };
    },
    stop() {
      stopped = true;
      for (const kept of all.values()) kept.cancelRetry?.();
    },
  };
}
