import { setTimeout as delay } from "node:timers/promises";
import { startDynalite, startDynamoDbLocal } from "./data-peers.ts";
import { compareTargets, comparisonRows, startSelf, type Comparison } from "./data-comparison.ts";
import { prepare, sendOnce, type Prepared, type SignedTarget } from "./signed-load.ts";
import type { Row } from "./table.ts";

const TableName = "bench";
const keyOf = (h: number, r: number) => ({ h: { S: `h${h}` }, r: { N: String(r) } });
const itemOf = (h: number, r: number) => ({ ...keyOf(h, r), name: { S: "x".repeat(100) }, count: { N: "12345" } });

/** PutItem, GetItem, Query of 100 and TransactWriteItems of 2, at 1 and 32 in flight, beside dynalite and DynamoDB Local. */
export async function measureDynamoDb(folder: string): Promise<Comparison> {
  const starts = {
    Cumulet: startSelf,
    dynalite: startDynalite,
    "DynamoDB Local": startDynamoDbLocal,
  };
  return await compareTargets(folder, starts, kindsOf);
}

export function dynamoDbRows(measured: Comparison): Row[] {
  return comparisonRows(measured, {
    dynalite: { PutItem: "≥ 3", GetItem: "≥ 3", "Query of 100": "≥ 8" },
    "DynamoDB Local": { PutItem: "≥ 2", GetItem: "≥ 2", "Query of 100": "≥ 2", "TransactWriteItems of 2": "≥ 2" },
  });
}

async function kindsOf(name: string, target: SignedTarget): Promise<Readonly<Record<string, readonly Prepared[]>>> {
  const ask = (operation: string, input: object) =>
    prepare(target, {
      service: "dynamodb",
      method: "POST",
      path: "/",
      headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": `DynamoDB_20120810.${operation}` },
      body: JSON.stringify(input),
    });
  const once = async (operation: string, input: object) => {
    const { status, body } = await sendOnce(target, await ask(operation, input));
    if (status !== 200) throw new Error(`${operation} answered ${status} at ${name}: ${body}`);
  };
  const many = (operation: string, input: (at: number) => object) =>
    Promise.all(Array.from({ length: 500 }, (_, at) => ask(operation, input(at))));
  await once("CreateTable", {
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: "h", AttributeType: "S" },
      { AttributeName: "r", AttributeType: "N" },
    ],
    KeySchema: [
      { AttributeName: "h", KeyType: "HASH" },
      { AttributeName: "r", KeyType: "RANGE" },
    ],
  });
  await delay(1_000);
  for (let at = 0; at < 100; at += 25) {
    const puts = Array.from({ length: 25 }, (_, each) => ({ PutRequest: { Item: itemOf(0, at + each) } }));
    await once("BatchWriteItem", { RequestItems: { [TableName]: puts } });
  }
  const query = {
    TableName,
    KeyConditionExpression: "h = :h",
    ExpressionAttributeValues: { ":h": { S: "h0" } },
  };
  const kinds = {
    PutItem: await many("PutItem", (at) => ({ TableName, Item: itemOf(1 + (at % 50), at) })),
    GetItem: await many("GetItem", (at) => ({ TableName, Key: keyOf(0, at % 100) })),
    "Query of 100": [await ask("Query", query)],
  };
  // dynalite knows no transactions.
  if (name === "dynalite") return kinds;
  const put = (at: number, r: number) => ({ Put: { TableName, Item: itemOf(100 + at, r) } });
  const transactions = await many("TransactWriteItems", (at) => ({ TransactItems: [put(at, 1), put(at, 2)] }));
  return { ...kinds, "TransactWriteItems of 2": transactions };
}
