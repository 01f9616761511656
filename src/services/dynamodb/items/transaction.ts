import { AwsError } from "../../../aws/error.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { transactionCanceled } from "../errors.ts";
import { currentTable } from "../tables/catalog.ts";
import type { Table } from "../tables/table.ts";
import { applyWrite, type ItemWrite, type Written } from "./apply-write.ts";
import type { CancellationReason } from "./cancellation.ts";
import { decodeStored } from "./stored-item.ts";
import { createStreamAppender } from "./stream-append.ts";
import type { Token, TransactionTokens } from "./transaction-tokens.ts";

/**
 * Writes all, or nothing; undefined when the token says that it was done before.
 *
 * @throws {TransactionCanceledException} with a reason for each; {IdempotentParameterMismatchException}
 */
export async function writeTransaction(
  needs: { readonly store: Store; readonly clock: Clock; readonly ids: Ids; readonly tokens: TransactionTokens },
  writes: readonly ItemWrite[],
  token: Token | undefined,
): Promise<readonly Written[] | undefined> {
  const { store, clock, ids, tokens } = needs;
  const eventId = () => Buffer.from(ids.bytes(16)).toString("hex");
  return await store.transact(async (tx) => {
    const now = clock.now();
    if (token && (await tokens.isDone(tx, token, now))) return undefined;
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
