import { storeLimits } from "../../src/kernel/limits.ts";
import type { Commit } from "../../src/kernel/store/driver.ts";
import { createMemoryDriver } from "../../src/kernel/store/memory-store.ts";
import { type Store, StoreConflictError, type Transaction } from "../../src/kernel/store/store.ts";
import { createReader, startTransaction, type TransactionRun } from "../../src/kernel/store/transaction.ts";
import { createWatchers } from "../../src/kernel/store/watchers.ts";
import type { Random } from "./random.ts";
import { ask, type SimulatedProcess, type Weather, type World } from "./world.ts";

/** One store that all processes share, each over a network of its own. */
export interface SharedStore {
  /**
   * As a process sees it. What it is told of changes comes in order; what gets lost on the way is made good, when it asks
   * whether it has caught up, by telling it that anything may have changed.
   */
  connect(process: SimulatedProcess, weather: Weather, name: string): ConnectedStore;
  /** Directly, with nothing in between and nobody to conflict with. */
  transact<T>(body: (tx: Transaction) => Promise<T>): Promise<T>;
}

export type ConnectedStore = Store & Required<Pick<Store, "caughtUp">>;

/** `onCommit` is told of every commit when it has been applied, and by whom, before anything else happens. */
export function createSharedStore(
  world: World,
  random: Random,
  onCommit: (commit: Commit, by: string) => void,
): SharedStore {
  const driver = createMemoryDriver();
  const followers = new Set<(commit: Commit, sequence: number) => void>();
  let sequence = 0;

  async function apply(commit: Commit, by: string): Promise<boolean> {
    const [applied = false] = await driver.commit([commit]);
    if (!applied) return false;
    sequence += 1;
    onCommit(commit, by);
    for (const follow of followers) follow(commit, sequence);
    return true;
  }

  async function run<T>(body: (tx: Transaction) => Promise<T>): Promise<{ run: TransactionRun; result: T }> {
    const snapshot = driver.snapshot();
    return runOn(snapshot, body);
  }

  async function runOn<T>(snapshot: ReturnType<typeof driver.snapshot>, body: (tx: Transaction) => Promise<T>) {
    const started = startTransaction(snapshot);
    try {
      return { run: started, result: await body(started.tx) };
    } finally {
      started.end();
      snapshot.end();
    }
  }

  function connect(process: SimulatedProcess, weather: Weather, name: string): ConnectedStore {
    const watchers = createWatchers();
    /** Commits on their way to this process, the first one first. */
    const coming: number[] = [];
    let lastArrival = 0;
    let gap = false;
    let waiting: { readonly sequence: number; readonly resolve: () => void }[] = [];
    const arrived = () => {
      const done = waiting.filter((waiter) => (coming[0] ?? Infinity) > waiter.sequence);
      waiting = waiting.filter((waiter) => !done.includes(waiter));
      for (const { resolve } of done) resolve();
    };
    followers.add((commit, number) => {
      if (process.isDead()) return;
      if (weather.lostRequest === 1) {
        gap = true;
        return;
      }
      coming.push(number);
      lastArrival = Math.max(lastArrival, world.now() + random.fraction() * weather.delayMsMax);
      world.at(lastArrival - world.now(), () =>
        process.deliver(() => {
          watchers.tell(commit.writes.keys());
          coming.splice(coming.indexOf(number), 1);
          if (waiting.length > 0) arrived();
        }),
      );
    });
    const send = <T>(carryOut: () => T | Promise<T>) => ask(world, random, weather, process, carryOut);

    return {
      read: async (body) => {
        const snapshot = await send(() => driver.snapshot());
        try {
          return await body(createReader(snapshot));
        } finally {
          snapshot.end();
        }
      },
      transact: async (body) => {
        for (let attempts = 0; attempts < storeLimits.attemptsMax; attempts += 1) {
          const { run: ran, result } = await runOn(await send(() => driver.snapshot()), body);
          const { commit, afterCommit } = ran;
          if (commit.writes.size > 0) {
            const disturbed = random.chance(weather.conflict);
            const applied = !disturbed && (await send(() => apply(commit, name)));
            if (!applied) continue;
            watchers.tell(commit.writes.keys());
          }
          for (const action of afterCommit) action();
          return result;
        }
        throw new StoreConflictError(storeLimits.attemptsMax);
      },
      watch: watchers.add,
      caughtUp: async () => {
        const now = await send(() => sequence);
        if (gap) {
          gap = false;
          watchers.tellAll();
        }
        await new Promise<void>((resolve) => {
          waiting.push({ sequence: now, resolve });
          arrived();
        });
      },
      close: async () => {},
    };
  }

  return {
    connect,
    transact: async (body) => {
      const { run: ran, result } = await run(body);
      if (ran.commit.writes.size > 0 && !(await apply(ran.commit, "directly"))) throw new StoreConflictError(1);
      return result;
    },
  };
}
