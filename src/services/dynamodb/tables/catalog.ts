import { parseArn } from "../../../aws/arn.ts";
import type { Reader, Store } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { resourceNotFound, tableNotFound, validation } from "../errors.ts";
import { generationKey, readTable, tableArn, tablesPrefix, type Place } from "../model.ts";
import { toTable, type Table } from "./table.ts";

/** Which table a request names. */
export interface TableName {
  readonly place: Place;
  readonly name: string;
}

/** Tables, remembered until one changes. */
export interface TableCatalog {
  /** At once where it is remembered. */
  find(name: TableName): Table | undefined | Promise<Table | undefined>;
  /** @throws {ResourceNotFoundException} also for one being created or deleted: data operations want it ACTIVE */
  active(name: TableName): Table | Promise<Table>;
  stop(): void;
}

export function createTableCatalog(store: Store): TableCatalog {
  let known = new Map<string, Table>();
  const stop = store.watch(tablesPrefix, () => {
    // Whoever is reading now remembers into the map of before.
    known = new Map();
  });
  const find = ({ place, name }: TableName) => {
    const id = `${place.account} ${place.region} ${name}`;
    const found = known.get(id);
    if (found) return found;
    const into = known;
    return store
      .read((reader) => readTable(reader, place, name))
      .then((record) => {
        if (!record) return undefined;
        const table = toTable(place, record);
        into.set(id, table);
        return table;
      });
  };
  return {
    find,
    active: (name) => {
      const found = find(name);
      return found instanceof Promise ? found.then(assertActive) : assertActive(found);
    },
    stop,
  };
}

function assertActive(table: Table | undefined): Table {
  if (!table || table.record.status === "CREATING" || table.record.status === "DELETING") throw resourceNotFound();
  return table;
}

/**
 * The table as the transaction sees it: the same where nothing that writes depend on has changed since it was remembered.
 *
 * @throws {ResourceNotFoundException} when it is gone
 */
export async function currentTable(reader: Reader, table: Table): Promise<Table> {
  const current = await reader.get<{ readonly generation: number }>(generationKey(table.record.storeId));
  if (current?.generation === table.record.generation) return table;
  const record = current && (await readTable(reader, table.place, table.record.name));
  if (!record || record.storeId !== table.record.storeId || record.status === "DELETING") throw resourceNotFound();
  return toTable(table.place, record);
}

const namePattern = /^[a-zA-Z0-9_.-]+$/;

/** A table by its name, or by its ARN. @throws {ValidationException} for what can be neither */
export function parseTableName(text: string | undefined, call: Pick<Call, "account" | "region">): TableName {
  if (text === undefined) throw validation("The parameter 'TableName' is required but was not present in the request");
  if (text.startsWith("arn:")) {
    const arn = parseArn(text);
    const name = /^table\/([a-zA-Z0-9_.-]{3,255})(?:$|\/)/.exec(arn?.resource ?? "")?.[1];
    if (!arn || arn.service !== "dynamodb" || name === undefined || arn.region !== call.region) {
      throw validation(`Invalid TableArn: Invalid ResourceArn provided as input ${text}`);
    }
    return { place: { account: arn.account, region: arn.region }, name };
  }
  if (text.length < 3 || text.length > 255) {
    throw validation("TableName must be at least 3 characters long and at most 255 characters long");
  }
  if (!namePattern.test(text)) {
    throw validation(
      `1 validation error detected: Value '${text}' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+`,
    );
  }
  return { place: { account: call.account, region: call.region }, name: text };
}

export function arnOf({ place, name }: TableName): string {
  return tableArn(place, name);
}

/** As the table operations refuse. */
export function existing<T>(table: T | undefined, name: TableName): T {
  if (!table) throw tableNotFound(name.name);
  return table;
}
