import type { Call, OperationsOf } from "../../../wire/service.ts";
import type { Key } from "../../../kernel/store/store.ts";
import { itemContext, textOfValue, toAuthorization } from "../access.ts";
import { invalidValues, resourceNotFound, validation } from "../errors.ts";
import { meets, pathsOf } from "../expressions/condition.ts";
import { toKeyConditions, type KeyCondition } from "../expressions/key-condition.ts";
import { meetsLegacy, parseFilter, parseKeyConditions } from "../expressions/legacy.ts";
import type { Projection } from "../expressions/projection.ts";
import { jsonOf, toAnswer, toItemsAnswer } from "../items/answer.ts";
import { addRead, createUsed, toConsumedCapacity, toReadUnits } from "../items/capacity.ts";
import { checkParameters, asMap, placeholdersOf } from "../items/condition-parameters.ts";
import { toKeyRange } from "../items/key-range.ts";
import { readPageText, type PageText } from "../items/page-text.ts";
import { afterKey, endOf, readPage, type Page, type PageRequest } from "../items/read-page.ts";
import type { StoredItem } from "../items/stored-item.ts";
import type { Sdk } from "../needs.ts";
import { parseTableName, type TableName } from "../tables/catalog.ts";
import { addressOf, attributesOf, checkKey, entryKeyOf, type Index, type Table } from "../tables/table.ts";
import { attributeOf, parseItem, type Item } from "../values/attribute-value.ts";
import { equalValues } from "../values/compare.ts";
import { compareKeys } from "../values/key-encoding.ts";
import type { DataNeeds } from "./data-needs.ts";
import { checkScalarKeys, textOf, toLegacyProjection } from "./get-items.ts";

interface ReadInput {
  readonly TableName: string | undefined;
  readonly IndexName?: string | undefined;
  readonly AttributesToGet?: string[] | undefined;
  readonly Limit?: number | undefined;
  readonly Select?: string | undefined;
  readonly ConditionalOperator?: string | undefined;
  readonly ExclusiveStartKey?: unknown;
  readonly ReturnConsumedCapacity?: "INDEXES" | "TOTAL" | "NONE" | undefined;
  readonly ProjectionExpression?: string | undefined;
  readonly FilterExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: unknown;
  readonly ConsistentRead?: boolean | undefined;
}

/** Query, Scan. */
export function queryOperations(needs: DataNeeds) {
  const { catalog } = needs;
  return {
    Query: {
      authorize: (input, call) =>
        toAuthorization(catalog, call, [
          {
            action: "Query",
            table: parseTableName(input.TableName, call),
            index: input.IndexName,
            context: (table) => itemContext(table, input, { leading: leadingOf(table, input) }),
          },
        ]),
      run: (input, call) => observed(needs, input, call, (name) => query(needs, input, call, name)),
    },

    Scan: {
      authorize: (input, call) =>
        toAuthorization(catalog, call, [
          {
            action: "Scan",
            table: parseTableName(input.TableName, call),
            index: input.IndexName,
            context: (table) => ({ ...itemContext(table, input), "dynamodb:FullTableScan": ["true"] }),
          },
        ]),
      run: (input, call) => observed(needs, input, call, (name) => scan(needs, input, call, name)),
    },
  } satisfies OperationsOf<Sdk>;
}

function observed(
  { observer }: DataNeeds,
  input: ReadInput,
  call: Call,
  run: (name: TableName) => Promise<never>,
): Promise<never> {
  const name = parseTableName(input.TableName, call);
  return observer.observe(call, name.name, () => run(name));
}

type QueryInput = ReadInput & {
  readonly KeyConditions?: unknown;
  readonly QueryFilter?: unknown;
  readonly KeyConditionExpression?: string | undefined;
  readonly ScanIndexForward?: boolean | undefined;
};

/** What a policy calls the leading key: the value that the partition key is asked to equal. */
function leadingOf(table: Table, input: QueryInput): readonly string[] {
  const index = table.indexes.find(({ record }) => record.name === input.IndexName);
  const [hash] = (index?.record ?? table).key.hash;
  const values = asMap<unknown>(input.ExpressionAttributeValues) ?? {};
  const legacy = asMap<{ AttributeValueList?: unknown[] }>(input.KeyConditions)?.[hash?.name ?? ""];
  const found: unknown[] = legacy?.AttributeValueList ?? [];
  const text = input.KeyConditionExpression ?? "";
  for (const [, left = "", right = ""] of text.matchAll(/([#:]?[\w]+)\s*=\s*([#:]?[\w]+)/g)) {
    const [name, value] = left.startsWith(":") ? [right, left] : [left, right];
    const real = name.startsWith("#") ? input.ExpressionAttributeNames?.[name] : name;
    if (real === hash?.name) found.push(values[value]);
  }
  return found.flatMap((value) => textOfValue(value) ?? []);
}

async function query(needs: DataNeeds, input: QueryInput, call: Call, name: TableName): Promise<never> {
  checkParameters(
    input,
    ["ProjectionExpression", "FilterExpression", "KeyConditionExpression"],
    input.KeyConditions !== undefined && input.KeyConditionExpression === undefined
      ? ["AttributesToGet", "QueryFilter", "ConditionalOperator"]
      : ["AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"],
  );
  const legacyFilter = parseFilter(asMap(input.QueryFilter), input.ConditionalOperator);
  const startKey = parseStartKey(input.ExclusiveStartKey);
  if (input.KeyConditions === undefined && input.KeyConditionExpression === undefined) {
    throw validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.");
  }
  const placeholders = placeholdersOf(input);
  const conditions: ReadonlyMap<string, KeyCondition> =
    input.KeyConditionExpression === undefined
      ? parseKeyConditions(asMap(input.KeyConditions) ?? {})
      : toKeyConditions(
          needs.expressions.condition("KeyConditionExpression", input.KeyConditionExpression, placeholders),
        );
  const shape = parseShape(needs, input, placeholders);
  placeholders.assertUsed();
  const { table, index } = await findTarget(needs, input, name);
  const schema = (index?.record ?? table).key;
  const range = toKeyRange((index ?? table).prefix, schema, conditions);
  checkFilterKeys(
    schema,
    shape.filterNames,
    legacyFilter?.conditions.map(({ attribute }) => attribute),
  );
  const reverse = input.ScanIndexForward === false;
  let { start, end } = range;
  if (startKey) {
    const at = toPosition(table, index, startKey);
    schema.hash.forEach(({ name: attribute }, position) => {
      const given = attributeOf(startKey, attribute);
      const asked = range.hash[position];
      if (!given || !asked || !equalValues(given, asked)) {
        throw validation("The provided starting key is outside query boundaries based on provided conditions");
      }
    });
    if (compareKeys(at, start) < 0 || compareKeys(at, end) >= 0) {
      throw validation("The provided starting key does not match the range key predicate");
    }
    if (reverse) end = at;
    else start = afterKey(at);
  }
  return await answerPage(
    needs,
    call,
    input,
    { table, index, start, end, reverse },
    shape,
    (item) => (legacyFilter ? meetsLegacy(legacyFilter, item) : (shape.filter?.(item) ?? true)),
    legacyFilter !== undefined || shape.filter !== undefined,
  );
}

type ScanInput = ReadInput & {
  readonly ScanFilter?: unknown;
  readonly Segment?: number | undefined;
  readonly TotalSegments?: number | undefined;
};

async function scan(needs: DataNeeds, input: ScanInput, call: Call, name: TableName): Promise<never> {
  checkParameters(
    input,
    ["ProjectionExpression", "FilterExpression"],
    ["AttributesToGet", "ScanFilter", "ConditionalOperator"],
  );
  const legacyFilter = parseFilter(asMap(input.ScanFilter), input.ConditionalOperator);
  const startKey = parseStartKey(input.ExclusiveStartKey);
  const { Segment: segment, TotalSegments: total } = input;
  if (segment !== undefined && total === undefined) {
    throw validation(
      "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
    );
  }
  if (total !== undefined && segment === undefined) {
    throw validation(
      "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
    );
  }
  if (total !== undefined && segment !== undefined && segment >= total) {
    throw validation(
      `The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: ${segment} is not less than TotalSegments: ${total}`,
    );
  }
  const placeholders = placeholdersOf(input);
  const shape = parseShape(needs, input, placeholders);
  placeholders.assertUsed();
  const { table, index } = await findTarget(needs, input, name);
  const { prefix } = index ?? table;
  let start: Key = segment ? [...prefix, segmentStart(segment, total ?? 1)] : prefix;
  const end: Key =
    segment !== undefined && total !== undefined && segment < total - 1
      ? [...prefix, segmentStart(segment + 1, total)]
      : endOf(prefix);
  if (startKey) {
    const at = toPosition(table, index, startKey);
    if (compareKeys(at, start) < 0 || compareKeys(at, end) >= 0) {
      throw validation(
        `The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: ${total ?? 1} Segment: ${segment ?? 0}`,
      );
    }
    start = afterKey(at);
  }
  return await answerPage(
    needs,
    call,
    input,
    { table, index, start, end, reverse: false },
    shape,
    (item) => (legacyFilter ? meetsLegacy(legacyFilter, item) : (shape.filter?.(item) ?? true)),
    legacyFilter !== undefined || shape.filter !== undefined,
  );
}

/** Partitions are spread evenly over four bytes' values. */
function segmentStart(segment: number, total: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(Math.ceil((segment / total) * 2 ** 32) >>> 0);
  return new Uint8Array(bytes);
}

/** What of the items is answered, and which. */
interface Shape {
  readonly projection: Projection | undefined;
  readonly filter: ((item: Item) => boolean) | undefined;
  readonly filterNames: readonly string[];
}

function parseShape(needs: DataNeeds, input: ReadInput, placeholders: ReturnType<typeof placeholdersOf>): Shape {
  const { Select: select, AttributesToGet: names, ProjectionExpression: text } = input;
  const filter =
    input.FilterExpression === undefined
      ? undefined
      : needs.expressions.condition("FilterExpression", input.FilterExpression, placeholders);
  const projection =
    names !== undefined
      ? toLegacyProjection(names)
      : text === undefined
        ? undefined
        : needs.expressions.projection(text, placeholders);
  if (select !== undefined && select !== "SPECIFIC_ATTRIBUTES" && projection) {
    const parameter = names === undefined ? "ProjectionExpression" : "AttributesToGet";
    throw validation(
      `Cannot specify the ${parameter} when choosing to get ${select === "COUNT" ? "only the Count" : select}`,
    );
  }
  if (select === "SPECIFIC_ATTRIBUTES" && !projection) {
    throw validation(
      "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
    );
  }
  if (select === "ALL_PROJECTED_ATTRIBUTES" && input.IndexName === undefined) {
    throw invalidValues("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
  }
  return {
    projection,
    filter: filter && ((item) => meets(filter, item)),
    filterNames: filter ? pathsOf(filter).map(([name]) => String(name)) : [],
  };
}

async function findTarget(
  { catalog, throttle }: DataNeeds,
  input: ReadInput,
  name: TableName,
): Promise<{ readonly table: Table; readonly index: Index | undefined }> {
  const table = await catalog.active(name);
  if (input.IndexName === undefined) {
    throttle.admit(table, "read");
    return { table, index: undefined };
  }
  const index = table.indexes.find(({ record }) => record.name === input.IndexName);
  if (!index) {
    if (table.record.indexes.some(({ name: known }) => known === input.IndexName)) throw resourceNotFound();
    throw validation(`The table does not have the specified index: ${input.IndexName}`);
  }
  if (index.record.status === "CREATING") {
    throw validation(`Cannot read from backfilling global secondary index: ${index.record.name}`);
  }
  if (index.record.kind === "global" && input.ConsistentRead === true) {
    throw validation("Consistent reads are not supported on global secondary indexes");
  }
  throttle.admit(table, "read", index.record.name);
  return { table, index };
}

function checkFilterKeys(
  schema: { readonly hash: readonly { readonly name: string }[]; readonly range: readonly { readonly name: string }[] },
  names: readonly string[],
  legacy: readonly string[] | undefined,
): void {
  const used = new Set(legacy ?? names);
  for (const { name } of [...schema.hash, ...schema.range]) {
    if (!used.has(name)) continue;
    throw validation(
      `${legacy ? "QueryFilter" : "Filter Expression"} can only contain non-primary key attributes: Primary key attribute: ${name}`,
    );
  }
}

function parseStartKey(raw: unknown): Item | undefined {
  const given = asMap<unknown>(raw);
  return given && parseItem(given);
}

/** Where a page before ended. @throws {ValidationException} when it is no key of what is read */
export function toPosition(table: Table, index: Index | undefined, startKey: Item): Key {
  const names = new Set(table.keyNames);
  for (const { name } of index ? [...index.record.key.hash, ...index.record.key.range] : []) names.add(name);
  const invalid = () =>
    validation(
      index
        ? "The provided starting key is invalid"
        : "The provided starting key is invalid: The provided key element does not match the schema",
    );
  if (Object.keys(startKey).length !== names.size) throw invalid();
  for (const name of names) if (!attributeOf(startKey, name)) throw invalid();
  try {
    checkKey(table.key, attributesOf(startKey, table.keyNames));
  } catch {
    throw invalid();
  }
  const address = addressOf(table, startKey);
  if (!index) return address.key;
  const key = entryKeyOf(index, startKey, address);
  if (!key) throw invalid();
  return key;
}

async function answerPage(
  { store, throttle, observer }: DataNeeds,
  call: Call,
  input: ReadInput,
  range: Pick<PageRequest, "table" | "index" | "start" | "end" | "reverse">,
  { projection }: Shape,
  filter: (item: Item) => boolean,
  isFiltered: boolean,
): Promise<never> {
  const { table, index } = range;
  checkScalarKeys(table, projection);
  const asked =
    input.Select ?? (projection ? "SPECIFIC_ATTRIBUTES" : index ? "ALL_PROJECTED_ATTRIBUTES" : "ALL_ATTRIBUTES");
  const whole = needsWhole(index, asked, projection);
  const isCount = asked === "COUNT";
  const isRead = compareKeys(range.start, range.end) < 0;
  const page: Page | PageText = isRead
    ? await store.read(async (reader) =>
        reader.scan && !whole && !isFiltered && !projection
          ? readPageText(reader.scan, { ...range, limit: input.Limit, isCount })
          : await readPage(reader, { ...range, limit: input.Limit, whole, filter: isFiltered ? filter : undefined }),
      )
    : { items: [], count: 0, scanned: 0, bytes: 0, fetchedBytes: [], last: undefined };
  const consistent = input.ConsistentRead === true;
  const used = createUsed(table);
  addRead(used, index, toReadUnits(page.bytes, consistent));
  for (const bytes of page.fetchedBytes) addRead(used, undefined, toReadUnits(bytes, consistent));
  throttle.charge(used);
  observer.used(call, used);
  observer.returned(call, table.record, page.count);
  const others = {
    Count: String(page.count),
    ScannedCount: String(page.scanned),
    LastEvaluatedKey: page.last && lastKeyOf(table, index, page.last),
    ConsumedCapacity: jsonOf(toConsumedCapacity(used, input.ReturnConsumedCapacity)),
  };
  if (isCount) return toAnswer(call, others);
  if ("text" in page) return toItemsAnswer(call, page.text, others);
  return toAnswer(call, { Items: `[${page.items.map((each) => textOf(each, projection)).join(",")}]`, ...others });
}

/** Whether items behind entries must be read: AWS does so for local indexes alone. */
export function needsWhole(index: Index | undefined, asked: string, projection: Projection | undefined): boolean {
  if (!index?.projected) return false;
  const { projected } = index;
  if (asked === "ALL_ATTRIBUTES") {
    if (index.record.kind === "local") return true;
    throw invalidValues(
      `Select type ALL_ATTRIBUTES is not supported for global secondary index ${index.record.name} because its projection type is not ALL`,
    );
  }
  const missing = (projection?.paths ?? []).map(([name]) => String(name)).filter((name) => !projected.has(name));
  if (missing.length === 0) return false;
  if (index.record.kind === "local") return true;
  throw invalidValues(`Global secondary index ${index.record.name} does not project [${missing.join(", ")}]`);
}

export function lastKeyOf(table: Table, index: Index | undefined, last: Pick<StoredItem, "item">): string {
  const names = new Set(table.keyNames);
  for (const { name } of index ? [...index.record.key.hash, ...index.record.key.range] : []) names.add(name);
  return JSON.stringify(attributesOf(last.item, names));
}
