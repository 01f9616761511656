import type { Key, KeyPart } from "../../../kernel/store/store.ts";
import { validation } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import {
  entriesPrefix,
  itemsPrefix,
  tableArn,
  type IndexRecord,
  type KeyAttribute,
  type KeySchema,
  type Place,
  type TableRecord,
} from "../model.ts";
import { attributeOf, setAttribute, typeOf, type AttributeValue, type Item } from "../values/attribute-value.ts";
import { digestOf, keyBytes, keyText, partitionOf, toKeyPart } from "../values/key-encoding.ts";

/** A table, ready to be read and written: what its record says, worked out once. */
export interface Table {
  readonly record: TableRecord;
  readonly place: Place;
  readonly arn: string;
  readonly prefix: Key;
  readonly key: KeySchema;
  /** Names of the primary key's attributes. */
  readonly keyNames: ReadonlySet<string>;
  /** Those that writes maintain: all but those being deleted. */
  readonly indexes: readonly Index[];
  readonly hasLocalIndexes: boolean;
}

export interface Index {
  readonly record: IndexRecord;
  readonly prefix: Key;
  /** What its entries hold; undefined for all attributes. */
  readonly projected: ReadonlySet<string> | undefined;
}

export function toTable(place: Place, record: TableRecord): Table {
  const keyNames = new Set([...record.key.hash, ...record.key.range].map(({ name }) => name));
  const indexes = record.indexes.filter(({ status }) => status !== "DELETING").map((each) => toIndex(each, keyNames));
  return {
    record,
    place,
    arn: tableArn(place, record.name),
    prefix: itemsPrefix(record.storeId),
    key: record.key,
    keyNames,
    indexes,
    hasLocalIndexes: indexes.some((each) => each.record.kind === "local"),
  };
}

function toIndex(record: IndexRecord, keyNames: ReadonlySet<string>): Index {
  const own = [...record.key.hash, ...record.key.range].map(({ name }) => name);
  const more = record.projection.type === "INCLUDE" ? record.projection.attributes : [];
  const projected = record.projection.type === "ALL" ? undefined : new Set([...keyNames, ...own, ...more]);
  return { record, prefix: entriesPrefix(record.storeId), projected };
}

/** Where an item is. */
export interface ItemAddress {
  readonly key: Key;
  readonly partition: Uint8Array;
  /** Its key as a text of its own. */
  readonly id: string;
}

/** @param item has the attributes of the key, of the right types */
export function addressOf(table: Table, item: Item): ItemAddress {
  const [hash] = table.key.hash;
  const [range] = table.key.range;
  const first = valueOf(item, hash);
  const partition = partitionOf([first]);
  if (!range) return { key: [...table.prefix, partition], partition, id: keyText(first) };
  const second = valueOf(item, range);
  return {
    key: [...table.prefix, partition, toKeyPart(second)],
    partition,
    id: `${keyText(first)}\x00${keyText(second)}`,
  };
}

function valueOf(item: Item, attribute: KeyAttribute | undefined): AttributeValue {
  const value = attribute && attributeOf(item, attribute.name);
  if (!value) throw new TypeError("An item has its key");
  return value;
}

/** Where the item's entry in an index is; undefined when it has none of the index's keys. */
export function entryKeyOf(index: Index, item: Item, address: Pick<ItemAddress, "id">): Key | undefined {
  const { hash, range } = index.record.key;
  const hashes: AttributeValue[] = [];
  for (const { name, type } of hash) {
    const value = attributeOf(item, name);
    if (!value || !(type in value)) return undefined;
    hashes.push(value);
  }
  const parts: KeyPart[] = [];
  for (const { name, type } of range) {
    const value = attributeOf(item, name);
    if (!value || !(type in value)) return undefined;
    parts.push(toKeyPart(value));
  }
  return [...index.prefix, partitionOf(hashes), ...parts, digestOf(address.id)];
}

/** What an index keeps of an item. */
export function projectedOf(index: Index, item: Item): Item {
  if (!index.projected) return item;
  const projected: Record<string, AttributeValue> = {};
  for (const name of Object.keys(item)) {
    const value = item[name];
    if (value && index.projected.has(name)) setAttribute(projected, name, value);
  }
  return projected;
}

/** The attributes of the primary key, alone. */
export function keyOf(table: Table, item: Item): Item {
  return attributesOf(item, table.keyNames);
}

export function attributesOf(item: Item, names: Iterable<string>): Item {
  const picked: Record<string, AttributeValue> = {};
  for (const name of names) {
    const value = attributeOf(item, name);
    if (value) setAttribute(picked, name, value);
  }
  return picked;
}

/** A request's `Key`. @throws {ValidationException} when it is not exactly the table's key */
export function checkKey(schema: KeySchema, key: Item): void {
  const attributes = [...schema.hash, ...schema.range];
  if (Object.keys(key).length !== attributes.length) throw keyMismatch();
  attributes.forEach((attribute, at) => {
    const value = attributeOf(key, attribute.name);
    if (!value || !(attribute.type in value)) throw keyMismatch();
    if (isEmpty(value)) {
      throw validation(
        `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${kindOf(value)} value. Key: ${attribute.name}`,
      );
    }
    checkKeyBytes(value, at < schema.hash.length);
  });
}

export function keyMismatch() {
  return validation("The provided key element does not match the schema");
}

/** An item to be put. @throws {ValidationException} when it lacks its key, or has one that cannot be */
export function checkItemKey(table: Table, item: Item): void {
  const { hash, range } = table.key;
  [...hash, ...range].forEach((attribute, at) => {
    const { name, type } = attribute;
    const value = attributeOf(item, name);
    if (!value) {
      throw validation(`One or more parameter values were invalid: Missing the key ${name} in the item`);
    }
    if (!(type in value)) {
      throw validation(
        `One or more parameter values were invalid: Type mismatch for key ${name} expected: ${type} actual: ${typeOf(value)}`,
      );
    }
    if (isEmpty(value)) {
      throw validation(
        `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${kindOf(value)} value. Key: ${name}`,
      );
    }
    checkKeyBytes(value, at < hash.length);
  });
}

/** Attributes that are keys of indexes. @throws {ValidationException} when one has another type, is empty or too long */
export function checkIndexKeys(table: Table, item: Item): void {
  for (const { record } of table.indexes) {
    const { hash, range } = record.key;
    [...hash, ...range].forEach(({ name, type }, at) => {
      const value = attributeOf(item, name);
      if (!value || table.keyNames.has(name)) return;
      if (!(type in value)) {
        throw validation(
          `One or more parameter values were invalid: Type mismatch for Index Key ${name} Expected: ${type} Actual: ${typeOf(value)} IndexName: ${record.name}`,
        );
      }
      if (isEmpty(value)) {
        throw validation(
          `One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty ${kindOf(value)} value. IndexName: ${record.name}, IndexKey: ${name}`,
        );
      }
      checkKeyBytes(value, at < hash.length);
    });
  }
}

function isEmpty(value: AttributeValue): boolean {
  return ("S" in value && value.S === "") || ("B" in value && value.B === "");
}

function kindOf(value: AttributeValue): string {
  return "B" in value ? "binary" : "string";
}

function checkKeyBytes(value: AttributeValue, isHash: boolean): void {
  const bytes = keyBytes(value);
  if (isHash && bytes > dynamoLimits.hashKeyBytesMax) {
    throw validation(
      "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
    );
  }
  if (!isHash && bytes > dynamoLimits.rangeKeyBytesMax) {
    throw validation(
      "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
    );
  }
}
