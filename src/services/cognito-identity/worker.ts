import type { Transaction } from "../../kernel/store/store.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import { identityLimits } from "./limits.ts";
import { deleteIdentity, identitiesPrefix, type Identity } from "./model.ts";
import type { CognitoIdentityNeeds } from "./needs.ts";

const kind = "cognitoIdentity.forgetPool";

/** The identities of a pool that is gone go too. */
export function forgetPool(tx: Transaction, jobs: Jobs, poolId: string, now: number): void {
  jobs.schedule(tx, { kind, key: [poolId], at: now });
}

export function handleIdentityJobs({ jobs, store }: Pick<CognitoIdentityNeeds, "jobs" | "store">): void {
  jobs.handle(kind, {
    concurrency: 1,
    async run(job) {
      const prefix = identitiesPrefix(String(job.key[0]));
      const { forgetMax } = identityLimits;
      for (;;) {
        const forgotten = await store.transact(async (tx) => {
          const page = await tx.range<Identity>({ prefix }, { limit: forgetMax });
          for (const { value } of page) deleteIdentity(tx, value);
          return page.length;
        });
        if (forgotten < forgetMax) return;
      }
    },
  });
}
