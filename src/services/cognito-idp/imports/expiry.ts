import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Cognito } from "../core.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { type Pool, readPool } from "../model.ts";
import { deleteLines, type ImportJob, isUnderWay, linesPrefix, readImport, writeImport } from "./import-job.ts";

const expiryKind = "cognito-idp.importExpiry";

/** Written with the job: a day later nothing of a file is kept, whatever became of its upload, its job or this process. */
export function scheduleExpiry(tx: Transaction, jobs: Jobs, pool: Pool, job: ImportJob): void {
  jobs.schedule(tx, { kind: expiryKind, key: [pool.id, job.id], at: job.createdAt + limits.importStartMs });
}

export function handleExpiry({ jobs, store, clock }: Pick<Cognito, "jobs" | "store" | "clock">): void {
  jobs.handle(expiryKind, {
    concurrency: 1,
    run: async (job) => {
      const [poolId = "", jobId = ""] = job.key.map(String);
      const pool = await store.read((reader) => readPool(reader, poolId));
      if (!pool) return;
      const isNeeded = await job.commit(async (tx) => {
        const known = await readImport(tx, pool, jobId);
        if (!known) return false;
        if (isUnderWay(known)) return true;
        // Without its file it cannot be started between the deletions.
        const { file, ...rest } = known;
        if (file && known.status === "Created") writeImport(tx, pool, rest);
        return false;
      });
      if (isNeeded) return job.repeat(clock.now() + limits.importRunMs, undefined, async () => {});
      await deleteLines(store, (body) => job.commit(body), linesPrefix(pool, jobId));
    },
  });
}
