import type { Key, Transaction } from "../../kernel/store/store.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Cognito } from "./core.ts";
import { handleExpiry } from "./imports/expiry.ts";
import { handleImports } from "./imports/run.ts";
import { cognitoLimits as limits } from "./limits.ts";
import { inPool, kindsOfPool, type Pool, readPool, root } from "./model.ts";

const sweepKind = "cognito-idp.sweep";
const rotateKind = "cognito-idp.rotate";
const forgetKind = "cognito-idp.forget";

/** Work of user pools that nobody waits for: what has ended goes, keys are replaced, what a deleted pool held is removed. */
export function handleCognitoJobs(cognito: Cognito): void {
  const { store, jobs, clock, keys } = cognito;
  handleImports(cognito);
  handleExpiry(cognito);
  jobs.handle(sweepKind, {
    concurrency: 1,
    run: async (job) => {
      const full = await sweep(cognito);
      const next = full ? clock.now() : clock.now() + limits.sweepEveryMs;
      await job.repeat(next, undefined, async () => {});
    },
  });
  jobs.handle(rotateKind, {
    concurrency: 2,
    run: async (job) => {
      const [poolId] = job.key;
      if (typeof poolId !== "string" || !(await store.read((reader) => readPool(reader, poolId)))) return;
      await keys.rotate(poolId, clock.now(), clock.now() + limits.keyAnnouncedMs);
      await job.repeat(job.at + limits.keySignsMs, undefined, async () => {});
    },
  });
  jobs.handle(forgetKind, {
    concurrency: 1,
    run: async (job) => {
      const [poolId] = job.key;
      if (typeof poolId !== "string") return;
      for (const kind of kindsOfPool) await deleteBelow(cognito, inPool(kind, poolId));
      await deleteBelow(cognito, [root, "count", poolId]);
    },
  });
}

/** Written once: whoever starts finds it there. */
export async function scheduleSweep({ store, jobs, clock }: Pick<Cognito, "store" | "jobs" | "clock">): Promise<void> {
  await store.transact(async (tx) => {
    const key = [root, "swept"];
    if ((await tx.get(key)) !== undefined) return;
    tx.set(key, 1);
    jobs.schedule(tx, { kind: sweepKind, key: ["all"], at: clock.now() + limits.sweepEveryMs });
  });
}

export function scheduleRotation(tx: Transaction, jobs: Jobs, poolId: string, now: number): void {
  jobs.schedule(tx, { kind: rotateKind, key: [poolId], at: now + limits.keySignsMs });
}

export function forgetPool(tx: Transaction, jobs: Jobs, pool: Pool, now: number): void {
  jobs.cancel(tx, rotateKind, [pool.id]);
  jobs.schedule(tx, { kind: forgetKind, key: [pool.id], at: now });
}

/** Whether there was more than one go removes. */
async function sweep({ store, clock }: Pick<Cognito, "store" | "clock">): Promise<boolean> {
  const now = clock.now();
  return store.transact(async (tx) => {
    const ended = await tx.range({ start: [root, "ends", 0], end: [root, "ends", now] }, { limit: limits.sweepMax });
    for (const { key } of ended) {
      const at = key[2];
      const of = key.slice(3);
      const value = await tx.get<{ readonly expiresAt?: number }>(of);
      // What was written again with a later end has an entry for that.
      if (typeof value?.expiresAt !== "number" || value.expiresAt <= Number(at)) tx.delete(of);
      tx.delete(key);
    }
    return ended.length === limits.sweepMax;
  });
}

async function deleteBelow({ store }: Pick<Cognito, "store">, prefix: Key): Promise<void> {
  for (;;) {
    const entries = await store.read((reader) => reader.range({ prefix }, { limit: limits.sweepMax }));
    if (entries.length === 0) return;
    await store.transact(async (tx) => {
      for (const { key } of entries) tx.delete(key);
    });
  }
}
