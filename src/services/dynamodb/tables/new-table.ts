import type { CreateTableInput, SSESpecification } from "@aws-sdk/client-dynamodb";
import { notImplemented } from "../../../aws/error.ts";
import { lowerAlphanumeric, type Ids } from "../../../kernel/ids.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import { limitExceeded } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import { tablesOf, type Place, type TableRecord } from "../model.ts";
import {
  assertAllUsed,
  parseAttributes,
  parseIndexes,
  parseKeySchema,
  parseOnDemand,
  parseThroughput,
  type BillingMode,
} from "./define.ts";

/** What defines a table, whatever makes it. */
export type TableDefinition = { readonly TableName: string } & {
  readonly [
    Name in
      | "AttributeDefinitions"
      | "BillingMode"
      | "GlobalSecondaryIndexes"
      | "KeySchema"
      | "LocalSecondaryIndexes"
      | "OnDemandThroughput"
      | "ProvisionedThroughput"
      | "SSESpecification"
  ]?: CreateTableInput[Name] | undefined;
};

/** A table as it is first. @throws {ValidationException} for definitions that cannot be */
export function toNewTable(given: TableDefinition, ids: Ids, now: number): TableRecord {
  const newStoreId = () => ids.random(10, lowerAlphanumeric);
  const mode: BillingMode = given.BillingMode ?? "PROVISIONED";
  const throughput = parseThroughput(mode, given.ProvisionedThroughput);
  const attributes = parseAttributes(given.AttributeDefinitions);
  const key = parseKeySchema(given.KeySchema, attributes, 1);
  const context = { mode, attributes, tableKey: key, storeId: newStoreId };
  const indexes = parseIndexes(given.LocalSecondaryIndexes, given.GlobalSecondaryIndexes, context);
  assertAllUsed(attributes, [key, ...indexes.map((each) => each.key)]);
  assertOwnKeys(given.SSESpecification);
  const onDemand = parseOnDemand(given.OnDemandThroughput);
  return {
    v: 1,
    name: given.TableName,
    tableId: ids.uuid(),
    storeId: newStoreId(),
    generation: 1,
    status: "ACTIVE",
    createdAt: now,
    attributes,
    key,
    indexes,
    billingMode: mode,
    ...(mode === "PAY_PER_REQUEST" && { onDemandSince: now }),
    throughput,
    ...(onDemand && { onDemand }),
    tags: {},
    deletionProtection: false,
    itemCount: 0,
    bytes: 0,
  };
}

/** @throws {LimitExceededException} where there are as many tables as there may be */
export async function assertRoom(reader: Reader, place: Place): Promise<void> {
  const { tablesMax } = dynamoLimits;
  const page = await reader.range({ prefix: tablesOf(place) }, { limit: tablesMax });
  if (page.length < tablesMax) return;
  throw limitExceeded(`Subscriber limit exceeded: Number of tables for account exceeds the limit of ${tablesMax}`);
}

/** Encryption with keys of AWS's own is what there always is. */
export function assertOwnKeys(given: SSESpecification | undefined): void {
  if (given?.Enabled === true || given?.KMSMasterKeyId !== undefined) {
    throw notImplemented("SSESpecification with a KMS key");
  }
}
