import type { ReturnConsumedCapacity } from "@aws-sdk/client-dynamodb";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { invalidValues, validation } from "../errors.ts";
import { meets, pathsOf, type BoundCondition } from "../expressions/condition.ts";
import { findAt } from "../expressions/document-path.ts";
import { toProjection } from "../expressions/projection.ts";
import { jsonOf, toAnswer } from "../items/answer.ts";
import { addRead, createUsed, toConsumedCapacity, toReadUnits } from "../items/capacity.ts";
import { afterKey, readPage } from "../items/read-page.ts";
import type { StoredItem } from "../items/stored-item.ts";
import { dynamoLimits } from "../limits.ts";
import type { DataNeeds } from "../operations/data-needs.ts";
import { lastKeyOf, needsWhole, toPosition } from "../operations/query-items.ts";
import { projectedOf, type Index, type Table } from "../tables/table.ts";
import { setAttribute, type AttributeValue, type Item } from "../values/attribute-value.ts";
import { compareKeys } from "../values/key-encoding.ts";
import type { Column, Select, StatementInput } from "./compile.ts";
import { mentionsKey, planRead, type ReadPlan, type ReadRange } from "./key-ranges.ts";
import { invalid, parseNextToken, toNextToken, type Continuation } from "./next-token.ts";

interface SelectInput extends StatementInput {
  readonly ConsistentRead?: boolean | undefined;
  readonly Limit?: number | undefined;
  readonly NextToken?: string | undefined;
  readonly ReturnConsumedCapacity?: ReturnConsumedCapacity | undefined;
}

/** SELECT: a Query of each stretch of keys that its condition fixes, or a Scan. */
export async function runSelect(needs: DataNeeds, call: Call, input: SelectInput, select: Select): Promise<never> {
  const { catalog, store, throttle, observer } = needs;
  const table = await catalog.active(select.name);
  const index = findIndex(table, select.index);
  const consistent = input.ConsistentRead === true;
  if (index?.record.kind === "global" && consistent) {
    throw validation("Strongly consistent read is not supported on Global Secondary Indexes");
  }
  checkColumns(table, select.columns);
  const plan = planRead(table, index, select.where, select.order);
  if (index && !plan.isScan) checkFilter(index, select.where);
  const projection = select.columns && toProjection(select.columns.map(({ path }) => path));
  const whole = needsWhole(index, projection ? "SPECIFIC_ATTRIBUTES" : "ALL_PROJECTED_ATTRIBUTES", projection);
  const from = input.NextToken === undefined ? undefined : parseNextToken(input.NextToken, input, table);
  throttle.admit(table, "read", index?.record.name);
  const used = createUsed(table);
  const read = await store.read((reader) =>
    readRanges(reader, { table, index, plan, whole, limit: input.Limit, from, where: select.where }, (page) => {
      addRead(used, index, toReadUnits(page.bytes, consistent));
      for (const bytes of page.fetchedBytes) addRead(used, undefined, toReadUnits(bytes, consistent));
    }),
  );
  throttle.charge(used);
  observer.used(call, used);
  observer.returned(call, table.record, read.items.length);
  return toAnswer(call, {
    Items: `[${read.items.map((each) => rowOf(each, select.columns)).join(",")}]`,
    NextToken: jsonOf(read.next && toNextToken(input, table, read.next)),
    LastEvaluatedKey: jsonOf(read.next?.after),
    ConsumedCapacity: jsonOf(toConsumedCapacity(used, input.ReturnConsumedCapacity)),
  });
}

/** @throws {ValidationException} for one that the table has not, or that is not filled yet */
export function findIndex(table: Table, name: string | undefined): Index | undefined {
  if (name === undefined) return undefined;
  const index = table.indexes.find(({ record }) => record.name === name);
  if (!index) throw validation("The table does not have the specified index");
  if (index.record.status === "CREATING") {
    throw validation(`Cannot read from backfilling global secondary index: ${index.record.name}`);
  }
  return index;
}

function checkColumns(table: Table, columns: readonly Column[] | undefined): void {
  for (const { path } of columns ?? []) {
    const [name] = path;
    if (path.length > 1 && typeof name === "string" && table.keyNames.has(name)) {
      throw validation(
        `Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key ${name}`,
      );
    }
  }
}

/** AWS: a Query of an index is held to what the index has, but for alternatives that name its key. */
function checkFilter(index: Index, where: BoundCondition | undefined): void {
  const { projected, record } = index;
  if (!projected || !where) return;
  const keys = new Set([...record.key.hash, ...record.key.range].map(({ name }) => name));
  const missing = filterNames(where, keys).filter((name) => !projected.has(name));
  if (missing.length === 0) return;
  throw invalidValues(
    `Secondary index ${record.name} does not project one or more filter attributes: [${[...new Set(missing)].join(", ")}]`,
  );
}

function filterNames(condition: BoundCondition, keys: ReadonlySet<string>): readonly string[] {
  if (condition.kind === "and") return [...filterNames(condition.left, keys), ...filterNames(condition.right, keys)];
  if (condition.kind === "or" && mentionsKey(condition, keys)) return [];
  return pathsOf(condition).map(([name]) => String(name));
}

interface Ranges {
  readonly table: Table;
  readonly index: Index | undefined;
  readonly plan: ReadPlan;
  readonly whole: boolean;
  readonly limit: number | undefined;
  readonly from: Continuation | undefined;
  readonly where: BoundCondition | undefined;
}

/** Reads one stretch after another, until the limit or 1 MB. */
async function readRanges(
  reader: Reader,
  { table, index, plan, whole, limit, from, where }: Ranges,
  count: (page: { readonly bytes: number; readonly fetchedBytes: readonly number[] }) => void,
): Promise<{ readonly items: readonly StoredItem[]; readonly next: Continuation | undefined }> {
  const { ranges, reverse } = plan;
  const items: StoredItem[] = [];
  let [scanned, bytes] = [0, 0];
  const filter = where && ((item: Item) => meets(where, whole && index ? projectedOf(index, item) : item));
  if (from && from.range >= ranges.length) throw invalid();
  for (let at = from?.range ?? 0; at < ranges.length; at += 1) {
    const range = ranges[at];
    if (!range) break;
    const after = at === from?.range ? from.after : undefined;
    const page = await readPage(reader, {
      table,
      index,
      ...(after ? rest(table, index, range, reverse, after) : range),
      reverse,
      limit: limit === undefined ? undefined : limit - scanned,
      whole,
      filter,
    });
    count(page);
    items.push(...page.items);
    scanned += page.scanned;
    bytes += page.bytes;
    if (page.last && !range.single) {
      return { items, next: { range: at, after: parseKey(lastKeyOf(table, index, page.last)) } };
    }
    if (at + 1 < ranges.length && (scanned === limit || bytes >= dynamoLimits.pageBytesMax)) {
      return { items, next: { range: at + 1, after: undefined } };
    }
  }
  return { items, next: undefined };
}

// What a key was written as.
function parseKey(text: string): Item {
  return JSON.parse(text) as Item;
}

/** What is left of a stretch after a key. @throws {ValidationException} when the key is not within it */
function rest(table: Table, index: Index | undefined, { start, end }: ReadRange, reverse: boolean, after: Item) {
  const at = toPosition(table, index, after);
  if (compareKeys(at, start) < 0 || compareKeys(at, end) >= 0) throw invalid();
  return reverse ? { start, end: at } : { start: afterKey(at), end };
}

/** An item as it is answered. */
export function rowOf(stored: StoredItem, columns: readonly Column[] | undefined): string {
  if (!columns) return stored.text;
  const row: Record<string, AttributeValue> = {};
  for (const { name, path } of columns) {
    const value = findAt(stored.item, path);
    if (value) setAttribute(row, name, value);
  }
  return JSON.stringify(row);
}
