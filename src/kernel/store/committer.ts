import { setImmediate as turn } from "node:timers/promises";
import { storeLimits } from "../limits.ts";
import type { Commit as DriverCommit } from "./driver.ts";

/** Gathers the commits of a process so that many become durable at the cost of one. */
export interface Committer<Commit> {
  /** Resolves when it is durable: true; or false when something it read has changed. */
  commit(commit: Commit): Promise<boolean>;
  /**
   * Run something that ends in a `commit` while nothing else of this process is being committed, and have that commit
   * checked first: how a transaction that conflicted gets ahead of the others.
   */
  ahead<T>(run: (commit: (commit: Commit) => Promise<boolean>) => Promise<T>): Promise<T>;
  /** Resolves when everything handed in has ended. */
  idle(): Promise<void>;
}

interface Waiting<Commit> {
  readonly commit: Commit;
  readonly settle: (applied: boolean) => void;
  readonly fail: (error: unknown) => void;
}

export function createCommitter<Commit = DriverCommit>(
  apply: (batch: readonly Commit[]) => Promise<readonly boolean[]>,
  pause: (ms: number) => Promise<void>,
): Committer<Commit> {
  const waiting: Waiting<Commit>[] = [];
  const ahead: (() => Promise<unknown>)[] = [];
  let running: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (waiting.length > 0 || ahead.length > 0) {
      const first = ahead.shift();
      if (first) await first();
      // Whatever can still join in this turn of the event loop, joins.
      else await turn();
      const batch = waiting.splice(0, storeLimits.commitBatchMax);
      if (batch.length > 0) await settle(batch);
    }
    running = undefined;
  }

  async function settle(batch: readonly Waiting<Commit>[]): Promise<void> {
    try {
      const applied = await apply(batch.map((each) => each.commit));
      batch.forEach((each, at) => each.settle(applied[at] ?? false));
    } catch (error) {
      for (const each of batch) each.fail(error);
    }
  }

  const start = () => {
    running ??= work();
  };

  return {
    commit: (commit) =>
      new Promise((settle, fail) => {
        waiting.push({ commit, settle, fail });
        start();
      }),
    ahead: (run) =>
      new Promise((resolve, reject) => {
        ahead.push(() => {
          const handedIn = new Promise<void>((given) => {
            run(
              (commit) =>
                new Promise((settle, fail) => {
                  waiting.unshift({ commit, settle, fail });
                  given();
                  start();
                }),
            )
              .then(resolve, reject)
              .finally(given);
          });
          // A body that waits for something slow must not hold up everyone: it then commits like any other.
          return Promise.race([handedIn, pause(storeLimits.aheadMsMax)]);
        });
        start();
      }),
    idle: () => running ?? Promise.resolve(),
  };
}
