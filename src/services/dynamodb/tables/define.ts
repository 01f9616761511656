import { notImplemented } from "../../../aws/error.ts";
import { invalidValues, limitExceeded, validation } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import type {
  IndexRecord,
  KeyAttribute,
  KeySchema,
  OnDemandMaxima,
  ProjectionRecord,
  ScalarType,
  Units,
} from "../model.ts";

/** Members of requests that define tables and indexes. */
export interface KeyElement {
  readonly AttributeName: string | undefined;
  readonly KeyType: string | undefined;
}
export interface AttributeDefinition {
  readonly AttributeName: string | undefined;
  readonly AttributeType: string | undefined;
}
export interface ThroughputInput {
  readonly ReadCapacityUnits: number | undefined;
  readonly WriteCapacityUnits: number | undefined;
}
export interface OnDemandInput {
  readonly MaxReadRequestUnits?: number | undefined;
  readonly MaxWriteRequestUnits?: number | undefined;
}
export interface IndexInput {
  readonly IndexName: string | undefined;
  readonly KeySchema: readonly KeyElement[] | undefined;
  readonly Projection:
    | { readonly ProjectionType?: string | undefined; readonly NonKeyAttributes?: readonly string[] | undefined }
    | undefined;
  readonly ProvisionedThroughput?: ThroughputInput | undefined;
  readonly OnDemandThroughput?: OnDemandInput | undefined;
  readonly WarmThroughput?: unknown;
}

export type BillingMode = "PROVISIONED" | "PAY_PER_REQUEST";

/** @throws {ValidationException} */
export function parseThroughput(mode: BillingMode, given: ThroughputInput | undefined): Units {
  if (mode === "PAY_PER_REQUEST") {
    if (given !== undefined && (given.ReadCapacityUnits || given.WriteCapacityUnits)) {
      throw invalidValues(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
      );
    }
    return { read: 0, write: 0 };
  }
  const { ReadCapacityUnits: read, WriteCapacityUnits: write } = given ?? {};
  if (!read || !write) {
    throw invalidValues(
      "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
    );
  }
  assertUnits("ReadCapacityUnits", read);
  assertUnits("WriteCapacityUnits", write);
  return { read, write };
}

function assertUnits(name: string, units: number): void {
  if (units > 1_000_000_000_000) throw validation(`Given value ${units} for ${name} is out of bounds`);
}

export function parseOnDemand(given: OnDemandInput | undefined): OnDemandMaxima | undefined {
  const read = maximum(given?.MaxReadRequestUnits);
  const write = maximum(given?.MaxWriteRequestUnits);
  if (read === undefined && write === undefined) return undefined;
  return { ...(read !== undefined && { read }), ...(write !== undefined && { write }) };
}

/** -1 takes a maximum away. */
function maximum(units: number | undefined): number | undefined {
  return units === -1 ? undefined : units;
}

/** @throws {ValidationException} */
export function parseAttributes(given: readonly AttributeDefinition[] | undefined): readonly KeyAttribute[] {
  const attributes = (given ?? []).map(({ AttributeName: name = "", AttributeType: type = "S" }) => ({
    name,
    type: toScalar(type),
  }));
  const names = attributes.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw invalidValues(`Duplicate AttributeName in AttributeDefinitions: ${twice}`);
  }
  return attributes;
}

function toScalar(type: string): ScalarType {
  return type === "N" || type === "B" ? type : "S";
}

/** @throws {ValidationException} */
export function parseKeySchema(
  given: readonly KeyElement[] | undefined,
  attributes: readonly KeyAttribute[],
  attributesPerKeyMax: number,
): KeySchema {
  const elements = (given ?? []).map(({ AttributeName: name = "", KeyType: kind = "" }) => ({ name, kind }));
  const names = elements.map(({ name }) => name);
  const defined = attributes.map(({ name }) => name);
  if (names.some((name) => !defined.includes(name))) {
    throw invalidValues(
      `Some index key attributes are not defined in AttributeDefinitions. Keys: [${names.join(", ")}], AttributeDefinitions: [${defined.join(", ")}]`,
    );
  }
  if (new Set(names).size !== names.length) {
    throw validation("Both the Hash Key and the Range Key element in the KeySchema have the same name");
  }
  if (elements[0]?.kind !== "HASH") {
    throw validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
  }
  const hashes = elements.findIndex(({ kind }) => kind !== "HASH");
  const hashCount = hashes < 0 ? elements.length : hashes;
  if (attributesPerKeyMax === 1 && elements[1] && elements[1].kind !== "RANGE") {
    throw validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
  }
  if (elements.slice(hashCount).some(({ kind }) => kind !== "RANGE")) {
    throw validation("Invalid KeySchema: All HASH key elements must come before RANGE key elements");
  }
  if (hashCount > attributesPerKeyMax || elements.length - hashCount > attributesPerKeyMax) {
    throw validation(
      attributesPerKeyMax === 1
        ? "1 validation error detected: Value at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2"
        : `Invalid KeySchema: A key has at most ${attributesPerKeyMax} attributes of each type`,
    );
  }
  const found = names.map((name) => {
    const attribute = attributes.find((each) => each.name === name);
    if (!attribute) throw new TypeError("Checked above");
    return attribute;
  });
  return { hash: found.slice(0, hashCount), range: found.slice(hashCount) };
}

export function parseProjection(given: IndexInput["Projection"]): ProjectionRecord {
  const type = given?.ProjectionType;
  const attributes = given?.NonKeyAttributes;
  if (type === undefined) throw invalidValues("Unknown ProjectionType: null");
  if (type !== "INCLUDE") {
    if (attributes !== undefined) {
      throw invalidValues(`ProjectionType is ${type}, but NonKeyAttributes is specified`);
    }
    return type === "KEYS_ONLY" ? { type } : { type: "ALL" };
  }
  if (!attributes) throw invalidValues("ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
  return { type, attributes: [...new Set(attributes)] };
}

interface IndexContext {
  readonly mode: BillingMode;
  readonly attributes: readonly KeyAttribute[];
  readonly tableKey: KeySchema;
  readonly storeId: () => string;
}

export function parseGlobalIndex(given: IndexInput, context: IndexContext, status: IndexRecord["status"]): IndexRecord {
  const name = given.IndexName ?? "";
  const key = parseKeySchema(given.KeySchema, context.attributes, dynamoLimits.keyAttributesMax);
  const projection = parseProjection(given.Projection);
  if (given.WarmThroughput !== undefined) throw notImplemented("WarmThroughput of a global secondary index");
  if (context.mode === "PAY_PER_REQUEST" && given.ProvisionedThroughput?.ReadCapacityUnits) {
    throw invalidValues(
      `ProvisionedThroughput should not be specified for index: ${name} when BillingMode is PAY_PER_REQUEST`,
    );
  }
  if (context.mode === "PROVISIONED" && given.ProvisionedThroughput === undefined) {
    throw invalidValues(`ProvisionedThroughput must be specified for index: ${name}`);
  }
  const onDemand = parseOnDemand(given.OnDemandThroughput);
  return {
    name,
    storeId: context.storeId(),
    kind: "global",
    key,
    projection,
    status,
    ...(context.mode === "PROVISIONED" && { throughput: parseThroughput(context.mode, given.ProvisionedThroughput) }),
    ...(onDemand && { onDemand }),
    itemCount: 0,
    bytes: 0,
  };
}

function parseLocalIndex(given: IndexInput, context: IndexContext): IndexRecord {
  const name = given.IndexName ?? "";
  const key = parseKeySchema(given.KeySchema, context.attributes, 1);
  if (key.range.length === 0) throw invalidValues(`Index KeySchema does not have a range key for index: ${name}`);
  const [own, table] = [key.hash[0]?.name ?? "", context.tableKey.hash[0]?.name ?? ""];
  if (own !== table) {
    throw invalidValues(
      `Index KeySchema does not have the same leading hash key as table KeySchema for index: ${name}. index hash key: ${own}, table hash key: ${table}`,
    );
  }
  return {
    name,
    storeId: context.storeId(),
    kind: "local",
    key,
    projection: parseProjection(given.Projection),
    status: "ACTIVE",
    itemCount: 0,
    bytes: 0,
  };
}

/** All indexes of a new table. @throws {ValidationException} */
export function parseIndexes(
  local: readonly IndexInput[] | undefined,
  global: readonly IndexInput[] | undefined,
  context: IndexContext,
): readonly IndexRecord[] {
  if (local) {
    if (local.length === 0) throw invalidValues("List of LocalSecondaryIndexes is empty");
    if (context.tableKey.range.length === 0) {
      throw invalidValues(
        "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
      );
    }
  }
  const locals = (local ?? []).map((each) => parseLocalIndex(each, context));
  assertDistinctNames(locals);
  if (locals.length > dynamoLimits.localIndexesMax) {
    throw invalidValues(`Number of LocalSecondaryIndexes exceeds per-table limit of ${dynamoLimits.localIndexesMax}`);
  }
  if (global?.length === 0) throw invalidValues("List of GlobalSecondaryIndexes is empty");
  const globals = (global ?? []).map((each) => parseGlobalIndex(each, context, "ACTIVE"));
  const indexes = [...locals, ...globals];
  assertDistinctNames(indexes);
  if (globals.length > dynamoLimits.globalIndexesMax) {
    throw invalidValues(`GlobalSecondaryIndex count exceeds the per-table limit of ${dynamoLimits.globalIndexesMax}`);
  }
  assertProjected(indexes);
  return indexes;
}

export function assertDistinctNames(indexes: readonly IndexRecord[]): void {
  const names = indexes.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw invalidValues(`Duplicate index name: ${twice}`);
}

/** Attributes named by INCLUDE projections, all indexes together. */
export function assertProjected(indexes: readonly IndexRecord[]): void {
  const count = indexes.reduce(
    (sum, { projection }) => sum + (projection.type === "INCLUDE" ? projection.attributes.length : 0),
    0,
  );
  if (count > dynamoLimits.projectedAttributesMax) {
    throw limitExceeded(
      `Number of projected attributes exceeds the per-table limit of ${dynamoLimits.projectedAttributesMax}`,
    );
  }
}

/** Every attribute that is defined is a key of something. @throws {ValidationException} */
export function assertAllUsed(attributes: readonly KeyAttribute[], keys: readonly KeySchema[]): void {
  const used = new Set(keys.flatMap(({ hash, range }) => [...hash, ...range]).map(({ name }) => name));
  if (attributes.every(({ name }) => used.has(name))) return;
  if (keys.length === 1) {
    throw invalidValues(
      "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
    );
  }
  const defined = attributes.map(({ name }) => name);
  throw invalidValues(
    `Some AttributeDefinitions are not used. AttributeDefinitions: [${defined.join(", ")}], keys used: [${[...used].join(", ")}]`,
  );
}
