import { createHash } from "node:crypto";
import { AwsError } from "../../../aws/error.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Store, Transaction } from "../../../kernel/store/store.ts";
import { idempotentParameterMismatch, transactionCanceled } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import { tokenKey, type Place } from "../model.ts";
import { currentTable } from "../tables/catalog.ts";
import type { Table } from "../tables/table.ts";
import { applyWrite, type ItemWrite, type Written } from "./apply-write.ts";
import type { CancellationReason } from "./cancellation.ts";
import { decodeStored } from "./stored-item.ts";
import { createStreamAppender } from "./stream-append.ts";

/** A ClientRequestToken, and what was asked with it. */
export interface Token {
  readonly place: Place;
  readonly token: string;
  readonly request: unknown;
}

interface TokenRecord {
  readonly digest: string;
  readonly until: number;
}

/**
 * Writes all, or nothing; undefined when the token says that it was done before.
 *
 * @throws {TransactionCanceledException} with a reason for each; {IdempotentParameterMismatchException}
 */
export async function writeTransaction(
  needs: { readonly store: Store; readonly clock: Clock; readonly ids: Ids },
  writes: readonly ItemWrite[],
  token: Token | undefined,
): Promise<readonly Written[] | undefined> {
  const { store, clock, ids } = needs;
  const eventId = () => Buffer.from(ids.bytes(16)).toString("hex");
  return await store.transact(async (tx) => {
    const now = clock.now();
    if (token && (await isDone(tx, token, now))) return undefined;
    const streams = createStreamAppender(tx, { now, eventId });
    const tables = new Map<string, Table>();
    const written: Written[] = [];
    const reasons: CancellationReason[] = [];
    for (const write of writes) {
      const { storeId } = write.table.record;
      const table = tables.get(storeId) ?? (await currentTable(tx, write.table));
      tables.set(storeId, table);
      const found = await tx.get<Uint8Array>(write.address.key);
      try {
        written.push(await applyWrite(tx, table, write, found && decodeStored(found), streams));
        reasons.push({ Code: "None" });
      } catch (error) {
        reasons.push(toReason(error));
      }
    }
    // What was written of it goes with the transaction.
    if (written.length < writes.length) throw transactionCanceled(reasons);
    return written;
  });
}

function toReason(error: unknown): CancellationReason {
  if (!(error instanceof AwsError)) throw error;
  const code = codes[error.code];
  if (code === undefined) throw error;
  const { Item } = error.members;
  return {
    Code: code,
    Message: error.message,
    ...(Item !== undefined && { Item: Item as NonNullable<CancellationReason["Item"]> }),
  };
}

const codes: Readonly<Record<string, CancellationReason["Code"]>> = {
  ConditionalCheckFailedException: "ConditionalCheckFailed",
  ItemCollectionSizeLimitExceededException: "ItemCollectionSizeLimitExceeded",
  ValidationException: "ValidationError",
  DuplicateItemException: "DuplicateItem",
};

async function isDone(tx: Transaction, { place, token, request }: Token, now: number): Promise<boolean> {
  const key = tokenKey(place, token);
  const digest = createHash("sha256").update(JSON.stringify(request)).digest("base64url");
  const known = await tx.get<TokenRecord>(key);
  if (known && known.until > now) {
    if (known.digest !== digest) throw idempotentParameterMismatch();
    return true;
  }
  const record: TokenRecord = { digest, until: now + dynamoLimits.tokenMs };
  tx.set(key, record);
  return false;
}
