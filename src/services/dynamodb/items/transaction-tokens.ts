import { createHash } from "node:crypto";
import type { Clock } from "../../../kernel/clock.ts";
import type { Job, Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Key, Store, Transaction } from "../../../kernel/store/store.ts";
import { idempotentParameterMismatch } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import { tokenKey, type Place } from "../model.ts";

/** A ClientRequestToken, and what was asked with it. */
export interface Token {
  readonly place: Place;
  readonly token: string;
  readonly request: unknown;
}

/** Remembers the tokens of transactions for ten minutes, and forgets them. */
export interface TransactionTokens {
  /**
   * Whether this was done before; if not, it is from now on.
   *
   * @throws {IdempotentParameterMismatchException} where something else was done with the token
   */
  isDone(tx: Transaction, token: Token, now: number): Promise<boolean>;
}

interface TokenRecord {
  readonly digest: string;
  readonly until: number;
}

const forgetTokensKind = "dynamodb.forgetTokens";

const endsPrefix: Key = ["dynamodb", "tokenEnd"];

export function createTransactionTokens(needs: {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
}): TransactionTokens {
  const { store, jobs, clock } = needs;
  /** The latest sweep that is known to be scheduled: one is enough for all tokens that end before it. */
  let sweptAt = 0;
  jobs.handle(forgetTokensKind, { concurrency: 1, run: sweep });

  return {
    isDone: async (tx, { place, token, request }, now) => {
      const key = tokenKey(place, token);
      const digest = createHash("sha256").update(JSON.stringify(request)).digest("base64url");
      const known = await tx.get<TokenRecord>(key);
      if (known && known.until > now) {
        if (known.digest !== digest) throw idempotentParameterMismatch();
        return true;
      }
      const until = now + dynamoLimits.tokenMs;
      const record: TokenRecord = { digest, until };
      tx.set(key, record);
      tx.set([...endsPrefix, until, place.account, place.region, token], true);
      // At the end of the token's minute, so that a minute's tokens share a job.
      const at = Math.ceil((until + 1) / dynamoLimits.tokenSweepMs) * dynamoLimits.tokenSweepMs;
      if (at > sweptAt) {
        jobs.schedule(tx, { kind: forgetTokensKind, key: [at], at });
        tx.afterCommit(() => {
          sweptAt = Math.max(sweptAt, at);
        });
      }
      return false;
    },
  };

  async function sweep(job: Job): Promise<void> {
    for (let more = true; more;) {
      job.signal.throwIfAborted();
      more = await store.transact(async (tx) => {
        const now = clock.now();
        const range = { start: endsPrefix, end: [...endsPrefix, now + 1] };
        const page = await tx.range(range, { limit: dynamoLimits.jobPage });
        for (const { key } of page) {
          const [, , until, account = "", region = "", token = ""] = key;
          const place = { account: String(account), region: String(region) };
          const known = await tx.get<TokenRecord>(tokenKey(place, String(token)));
          // It may have been used again since.
          if (known && known.until === until) tx.delete(tokenKey(place, String(token)));
          tx.delete(key);
        }
        return page.length === dynamoLimits.jobPage;
      });
    }
  }
}
