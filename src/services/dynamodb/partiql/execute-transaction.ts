import { AwsError } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { transactionCanceled, validation } from "../errors.ts";
import { toAnswer } from "../items/answer.ts";
import type { ItemWrite } from "../items/apply-write.ts";
import type { CancellationReason } from "../items/cancellation.ts";
import { toReadUnits, type Used } from "../items/capacity.ts";
import { decodeStored } from "../items/stored-item.ts";
import { dynamoLimits } from "../limits.ts";
import type { Sdk } from "../needs.ts";
import type { DataNeeds } from "../operations/data-needs.ts";
import { assertOnce, performTransaction, settle, usedOf } from "../operations/transactions.ts";
import { addressOf, checkKey, keyMismatch, type ItemAddress, type Table } from "../tables/table.ts";
import { authorizationOf } from "./access.ts";
import type { Compiled, Select, StatementInput, Statements } from "./compile.ts";
import { readKey, writtenKey } from "./item-key.ts";
import { planRead } from "./key-ranges.ts";
import { rowOf } from "./select.ts";
import { toCheck, toWrite } from "./writes.ts";

interface MemberInput extends StatementInput {
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
}

type Write = Exclude<Compiled, Select>;

/** ExecuteTransaction: all of it, or nothing. */
export function transactionOperation(needs: DataNeeds, statements: Statements) {
  const { catalog, observer } = needs;
  const compile = (members: readonly MemberInput[], call: Call): readonly Compiled[] => {
    // AWS: parameters of all statements come before any statement.
    const parameters = members.map((member) => statements.parameters(member));
    return members.map((member, at) => within(at, () => statements.compile(member, parameters[at] ?? [], call)));
  };
  return {
    ExecuteTransaction: {
      authorize: (input, call) => authorizationOf(catalog, call, compile(input.TransactStatements ?? [], call)),
      run: async (input, call): Promise<never> => {
        const { TransactStatements: members = [], ReturnConsumedCapacity: asked, ...request } = input;
        const compiled = compile(members, call);
        const reads = compiled.filter((each) => each.kind === "select");
        const writes = compiled.filter((each) => each.kind !== "select");
        if (reads.length > 0 && writes.length > 0) {
          throw validation(
            "ExecuteTransaction API does not support both read and write operations in the same request.",
          );
        }
        const tables: Table[] = [];
        for (const { name } of compiled) tables.push(await catalog.active(name));
        return await observer.observe(
          call,
          undefined,
          () =>
            reads.length > 0
              ? runReads(needs, call, reads, tables, asked)
              : runWrites(needs, call, { ...request, TransactStatements: members }, writes, tables, asked),
          reads.length > 0 ? "read" : "write",
        );
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function within<T>(at: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== "ValidationException") throw error;
    throw validation(`Validation failed in TransactStatements[${at}]: ${error.message}`);
  }
}

/**
 * What each statement comes to on its table.
 *
 * @throws {TransactionCanceledException} when a statement does not name one item of it
 */
function prepareAll<T>(tables: readonly Table[], prepare: (table: Table, at: number) => T): readonly T[] {
  const reasons: CancellationReason[] = [];
  const prepared: T[] = [];
  tables.forEach((table, at) => {
    try {
      prepared.push(prepare(table, at));
      reasons.push({ Code: "None" });
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== "ValidationException") throw error;
      reasons.push({ Code: "ValidationError", Message: error.message });
    }
  });
  if (prepared.length < tables.length) throw transactionCanceled(reasons);
  return prepared;
}

async function runReads(
  { store, throttle, observer }: DataNeeds,
  call: Call,
  selects: readonly Select[],
  tables: readonly Table[],
  asked: "INDEXES" | "TOTAL" | "NONE" | undefined,
): Promise<never> {
  const keys = selects.map((select, at) => {
    const table = tables[at];
    return table && within(at, () => itemKey(table, select));
  });
  const wanted = prepareAll(tables, (table, at): { table: Table; address: ItemAddress } => {
    const key = keys[at] ?? {};
    checkKey(table.key, key);
    return { table, address: addressOf(table, key) };
  });
  assertOnce(wanted.map(({ table, address }) => `${table.record.storeId} ${address.id}`));
  for (const { table } of wanted) throttle.admit(table, "read");
  // One snapshot: all that is read was so at one moment.
  const found = await store.read((reader) => reader.getMany<Uint8Array>(wanted.map(({ address }) => address.key)));
  const used = new Map<Table, Used>();
  let total = 0;
  const responses = wanted.map(({ table }, at) => {
    const bytes = found[at];
    const stored = bytes && decodeStored(bytes);
    total += stored?.bytes ?? 0;
    usedOf(used, table).read += 2 * toReadUnits(stored?.bytes ?? 0, true);
    return stored ? `{"Item":${rowOf(stored, selects[at]?.columns)}}` : "{}";
  });
  if (total > dynamoLimits.transactionBytesMax) {
    const Message = "Aggregate size of items in the transaction exceeds the supported limit of 4 MB";
    throw transactionCanceled(wanted.map(() => ({ Code: "ValidationError", Message })));
  }
  return toAnswer(call, {
    Responses: `[${responses.join(",")}]`,
    ConsumedCapacity: settle({ throttle, observer }, call, used, asked),
  });
}

function itemKey(table: Table, { index, where, order }: Select) {
  if (index !== undefined) throw validation("Reads on indices are not supported within transactions.");
  const key = order.length === 0 ? readKey(table, where) : undefined;
  if (key) return key;
  planRead(table, undefined, where, order);
  throw validation("Select statements within ExecuteTransaction must specify the primary key in the where clause.");
}

async function runWrites(
  needs: DataNeeds,
  call: Call,
  request: { readonly TransactStatements: readonly MemberInput[]; readonly ClientRequestToken?: string | undefined },
  statements: readonly Write[],
  tables: readonly Table[],
  asked: "INDEXES" | "TOTAL" | "NONE" | undefined,
): Promise<never> {
  const onFailure = request.TransactStatements.map((each) => each.ReturnValuesOnConditionCheckFailure);
  statements.forEach((statement, at) => within(at, () => checkAllowed(statement)));
  const checks = statements.map((statement, at) => {
    const table = tables[at];
    if (!table || statement.kind !== "exists") return undefined;
    return within(at, () => {
      const check = toCheck(table, statement, onFailure[at]);
      if (check) return check;
      throw validation("EXISTS() must contain a single item read with additional condition");
    });
  });
  const writes = prepareAll(tables, (table, at): ItemWrite => {
    const [check, statement] = [checks[at], statements[at]];
    if (check) return check;
    if (!statement || statement.kind === "exists") throw new TypeError("Every statement is a write or a check");
    // AWS: in a transaction whatever does not name one item is no key of the table.
    if (statement.kind !== "insert" && !writtenKey(table, statement.where)) throw keyMismatch();
    return toWrite(table, statement, onFailure[at]);
  });
  const { used } = await performTransaction(needs, call, writes, request);
  return toAnswer(call, {
    Responses: `[${writes.map(() => "{}").join(",")}]`,
    ConsumedCapacity: settle(needs, call, used, asked),
  });
}

function checkAllowed(statement: Write): void {
  if (statement.index !== undefined) throw validation("Operations on indices are not supported in transactions");
  if ((statement.kind === "update" || statement.kind === "delete") && statement.returning !== undefined) {
    throw validation("RETURNING clause is not supported in ExecuteTransaction.");
  }
}
