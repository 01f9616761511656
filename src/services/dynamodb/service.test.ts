import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  RestoreTableToPointInTimeCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UpdateContinuousBackupsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  type AttributeValue,
  type CreateTableCommandInput,
} from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from "@aws-sdk/client-dynamodb-streams";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let client: DynamoDBClient;
let streams: DynamoDBStreamsClient;
let document: DynamoDBDocument;
const clock = createFakeClock(Date.now());

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", clock });
  client = new DynamoDBClient(platform.settings);
  streams = new DynamoDBStreamsClient(platform.settings);
  document = DynamoDBDocument.from(client);
});
afterAll(() => platform.stop());

const drain = () => platform.platform.jobs.drain();
let tables = 0;

/** A table with keys `h` and `r`, and whatever more. */
async function createTable(more: Partial<CreateTableCommandInput> = {}): Promise<string> {
  tables += 1;
  const TableName = `table-${tables}`;
  await client.send(
    new CreateTableCommand({
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
      ...more,
    }),
  );
  return TableName;
}

const key = (h: string, r: number) => ({ h: { S: h }, r: { N: String(r) } });

async function refusalOf(promise: Promise<unknown>): Promise<{ name: string; message: string }> {
  return await promise.then(
    () => ({ name: "none", message: "" }),
    (error: unknown) => {
      if (!(error instanceof Error)) throw error;
      return { name: error.name, message: error.message };
    },
  );
}

function hash(name: string) {
  return [{ AttributeName: name, KeyType: "HASH" as const }];
}

describe("CreateTable", () => {
  test("answers CREATING, and the table is there", async () => {
    const TableName = await createTable();
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    expect(Table).toMatchObject({ TableName, TableStatus: "ACTIVE", ItemCount: 0, DeletionProtectionEnabled: false });
    const { TableNames } = await client.send(new ListTablesCommand({ ExclusiveStartTableName: "table-0", Limit: 1 }));
    expect(TableNames).toEqual(["table-1"]);
    expect(await refusalOf(createTable({ TableName }))).toEqual({
      name: "ResourceInUseException",
      message: `Table already exists: ${TableName}`,
    });
  });

  const invalid = "One or more parameter values were invalid: ";
  test.each<[string, Partial<CreateTableCommandInput>]>([
    [
      `${invalid}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED`,
      { BillingMode: "PROVISIONED" },
    ],
    [
      `${invalid}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST`,
      { ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 } },
    ],
    [
      `${invalid}Some index key attributes are not defined in AttributeDefinitions. Keys: [x], AttributeDefinitions: [h, r]`,
      { KeySchema: hash("x") },
    ],
    [
      `${invalid}Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions`,
      { KeySchema: hash("h") },
    ],
    [
      "Both the Hash Key and the Range Key element in the KeySchema have the same name",
      { KeySchema: [...hash("h"), { AttributeName: "h", KeyType: "RANGE" }] },
    ],
    [
      "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
      { KeySchema: [{ AttributeName: "h", KeyType: "RANGE" }] },
    ],
    [`${invalid}List of GlobalSecondaryIndexes is empty`, { GlobalSecondaryIndexes: [] }],
    [
      `${invalid}Unknown ProjectionType: null`,
      { GlobalSecondaryIndexes: [{ IndexName: "gsi", KeySchema: hash("r"), Projection: {} }] },
    ],
    [
      `${invalid}ProjectionType is ALL, but NonKeyAttributes is specified`,
      {
        GlobalSecondaryIndexes: [
          { IndexName: "gsi", KeySchema: hash("r"), Projection: { ProjectionType: "ALL", NonKeyAttributes: ["x"] } },
        ],
      },
    ],
    [
      `${invalid}Index KeySchema does not have a range key for index: lsi`,
      { LocalSecondaryIndexes: [{ IndexName: "lsi", KeySchema: hash("h"), Projection: { ProjectionType: "ALL" } }] },
    ],
  ])("refuses: %s", async (message, more) => {
    expect(await refusalOf(createTable(more))).toEqual({ name: "ValidationException", message });
  });

  test("DeleteTable frees the name; a protected table stays", async () => {
    const TableName = await createTable({ DeletionProtectionEnabled: true });
    expect((await refusalOf(client.send(new DeleteTableCommand({ TableName })))).name).toBe("ValidationException");
    await client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
    await client.send(new PutItemCommand({ TableName, Item: key("a", 1) }));
    await client.send(new DeleteTableCommand({ TableName }));
    expect(await refusalOf(client.send(new DescribeTableCommand({ TableName })))).toEqual({
      name: "ResourceNotFoundException",
      message: `Requested resource not found: Table: ${TableName} not found`,
    });
    await drain();
    await createTable({ TableName });
    expect((await client.send(new ScanCommand({ TableName }))).Count).toBe(0);
  });
});

describe("items", () => {
  let TableName = "";
  beforeAll(async () => {
    TableName = await createTable({
      AttributeDefinitions: [
        { AttributeName: "h", AttributeType: "S" },
        { AttributeName: "r", AttributeType: "N" },
        { AttributeName: "g", AttributeType: "S" },
        { AttributeName: "l", AttributeType: "N" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: "gsi",
          KeySchema: [
            { AttributeName: "g", KeyType: "HASH" },
            { AttributeName: "l", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "KEYS_ONLY" },
        },
      ],
      LocalSecondaryIndexes: [
        {
          IndexName: "lsi",
          KeySchema: [
            { AttributeName: "h", KeyType: "HASH" },
            { AttributeName: "l", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["x"] },
        },
      ],
    });
  });

  test("are as they were put, with every type", async () => {
    const Item: Record<string, AttributeValue> = {
      ...key("types", 1),
      b: { B: new Uint8Array([0, 255, 1]) },
      bs: { BS: [new Uint8Array([1]), new Uint8Array([2])] },
      ss: { SS: ["x", "y"] },
      ns: { NS: ["1", "2.5"] },
      m: { M: { n: { NULL: true }, t: { BOOL: false }, l: { L: [{ N: "1e2" }] } } },
    };
    await client.send(new PutItemCommand({ TableName, Item }));
    const { Item: found } = await client.send(new GetItemCommand({ TableName, Key: key("types", 1) }));
    expect(found).toEqual({ ...Item, m: { M: { n: { NULL: true }, t: { BOOL: false }, l: { L: [{ N: "100" }] } } } });
    const projected = await document.get({ TableName, Key: { h: "types", r: 1 }, ProjectionExpression: "m.l[0], ss" });
    expect(projected.Item).toEqual({ m: { l: [100] }, ss: new Set(["x", "y"]) });
  });

  test("cost what the formulas say, in the table and in its indexes", async () => {
    const Item = { ...key("cost", 1), g: { S: "g" }, l: { N: "1" }, pad: { S: "x".repeat(1500) } };
    const put = await client.send(new PutItemCommand({ TableName, Item, ReturnConsumedCapacity: "INDEXES" }));
    expect(put.ConsumedCapacity).toEqual({
      TableName,
      CapacityUnits: 4,
      Table: { CapacityUnits: 2 },
      GlobalSecondaryIndexes: { gsi: { CapacityUnits: 1 } },
      LocalSecondaryIndexes: { lsi: { CapacityUnits: 1 } },
    });
    const moved = await client.send(
      new UpdateItemCommand({
        TableName,
        Key: key("cost", 1),
        UpdateExpression: "SET g = :g",
        ExpressionAttributeValues: { ":g": { S: "h" } },
        ReturnConsumedCapacity: "INDEXES",
      }),
    );
    // An entry that moves is deleted and put.
    expect(moved.ConsumedCapacity).toMatchObject({
      CapacityUnits: 4,
      GlobalSecondaryIndexes: { gsi: { CapacityUnits: 2 } },
    });
    const get = { TableName, Key: key("cost", 1), ReturnConsumedCapacity: "TOTAL" as const };
    expect((await client.send(new GetItemCommand(get))).ConsumedCapacity?.CapacityUnits).toBe(0.5);
    expect(
      (await client.send(new GetItemCommand({ ...get, ConsistentRead: true }))).ConsumedCapacity?.CapacityUnits,
    ).toBe(1);
    const removed = await client.send(
      new DeleteItemCommand({
        TableName,
        Key: key("cost", 1),
        ReturnConsumedCapacity: "TOTAL",
        ReturnItemCollectionMetrics: "SIZE",
        ReturnValues: "ALL_OLD",
      }),
    );
    expect(removed.ConsumedCapacity?.CapacityUnits).toBe(4);
    expect(removed.ItemCollectionMetrics).toEqual({
      ItemCollectionKey: { h: { S: "cost" } },
      SizeEstimateRangeGB: [0, 1],
    });
    expect(removed.Attributes).toMatchObject({ g: { S: "h" } });
  });

  const invalid = "One or more parameter values were invalid: ";
  test.each<[string, Record<string, AttributeValue>]>([
    [`${invalid}Missing the key h in the item`, { r: { N: "1" } }],
    [`${invalid}Type mismatch for key r expected: N actual: S`, { h: { S: "a" }, r: { S: "1" } }],
    [
      "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: h",
      { h: { S: "" }, r: { N: "1" } },
    ],
    [`${invalid}Size of hashkey has exceeded the maximum size limit of2048 bytes`, key("x".repeat(2049), 1)],
    [`${invalid}Type mismatch for Index Key g Expected: S Actual: N IndexName: gsi`, { ...key("a", 1), g: { N: "1" } }],
    ["Item size has exceeded the maximum allowed size", { ...key("a", 1), pad: { S: "x".repeat(400 * 1024) } }],
    ["The parameter cannot be converted to a numeric value: one", { ...key("a", 1), n: { N: "one" } }],
  ])("PutItem refuses: %s", async (message, Item) => {
    expect(await refusalOf(client.send(new PutItemCommand({ TableName, Item })))).toEqual({
      name: "ValidationException",
      message,
    });
  });

  test.each<[string, object]>([
    ["The provided key element does not match the schema", { Key: { h: { S: "a" } } }],
    [
      `${invalid}Cannot update attribute r. This attribute is part of the key`,
      { UpdateExpression: "SET r = :n", ExpressionAttributeValues: { ":n": { N: "1" } } },
    ],
    [
      "ExpressionAttributeNames can only be specified when using expressions",
      { ExpressionAttributeNames: { "#a": "a" } },
    ],
    ["ExpressionAttributeValues must not be empty", { UpdateExpression: "REMOVE a", ExpressionAttributeValues: {} }],
    [
      "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}",
      { UpdateExpression: "REMOVE a", ExpressionAttributeValues: { ":b": { N: "1" } } },
    ],
    [
      'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"',
      { UpdateExpression: "REMOVE b", ExpressionAttributeNames: { a: "a" } },
    ],
    [
      "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :b",
      { UpdateExpression: "SET a = :b", ExpressionAttributeValues: { ":b": { N: "x" } } },
    ],
    [
      "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression}",
      { UpdateExpression: "REMOVE a", AttributeUpdates: { a: { Action: "DELETE" } } },
    ],
    [
      `${invalid}DELETE action with value is not supported for the type S`,
      { AttributeUpdates: { a: { Action: "DELETE", Value: { S: "x" } } } },
    ],
  ])("UpdateItem refuses: %s", async (message, more) => {
    const input = { TableName, Key: key("a", 1), ...more };
    expect(await refusalOf(client.send(new UpdateItemCommand(input)))).toEqual({
      name: "ValidationException",
      message,
    });
  });

  test("a condition that fails tells the item when asked to", async () => {
    await client.send(new PutItemCommand({ TableName, Item: { ...key("cond", 1), x: { S: "old" } } }));
    const put = (more: object) =>
      client.send(
        new PutItemCommand({
          TableName,
          Item: key("cond", 1),
          ConditionExpression: "attribute_not_exists(h)",
          ...more,
        }),
      );
    await expect(put({})).rejects.toMatchObject({
      name: "ConditionalCheckFailedException",
      message: "The conditional request failed",
    });
    await expect(put({ ReturnValuesOnConditionCheckFailure: "ALL_OLD" })).rejects.toMatchObject({
      Item: { x: { S: "old" } },
    });
    const legacy = new PutItemCommand({ TableName, Item: key("cond", 1), Expected: { x: { Value: { S: "new" } } } });
    expect((await refusalOf(client.send(legacy))).name).toBe("ConditionalCheckFailedException");
  });

  test("ReturnValues of UpdateItem", async () => {
    const update = (ReturnValues: "ALL_OLD" | "ALL_NEW" | "UPDATED_OLD" | "UPDATED_NEW") =>
      client.send(
        new UpdateItemCommand({
          TableName,
          Key: key("ret", 1),
          UpdateExpression: "ADD n :one",
          ExpressionAttributeValues: { ":one": { N: "1" } },
          ReturnValues,
        }),
      );
    expect((await update("ALL_OLD")).Attributes).toBeUndefined();
    expect((await update("UPDATED_NEW")).Attributes).toEqual({ n: { N: "2" } });
    expect((await update("UPDATED_OLD")).Attributes).toEqual({ n: { N: "2" } });
    expect((await update("ALL_NEW")).Attributes).toEqual({ ...key("ret", 1), n: { N: "4" } });
  });

  test("racing increments and conditional puts are linearizable", async () => {
    const one = { ":one": { N: "1" } };
    const add = () =>
      client.send(
        new UpdateItemCommand({
          TableName,
          Key: key("race", 1),
          UpdateExpression: "ADD n :one",
          ExpressionAttributeValues: one,
          ReturnValues: "UPDATED_NEW",
        }),
      );
    const inTransaction = () =>
      client.send(
        new TransactWriteItemsCommand({
          TransactItems: [
            {
              Update: {
                TableName,
                Key: key("race", 1),
                UpdateExpression: "ADD n :one",
                ExpressionAttributeValues: one,
              },
            },
          ],
        }),
      );
    const results = await Promise.all(Array.from({ length: 40 }, (_, at) => (at % 4 === 0 ? inTransaction() : add())));
    const seen = results.flatMap((each) => ("Attributes" in each ? [Number(each.Attributes?.["n"]?.N)] : []));
    expect(new Set(seen).size).toBe(30);
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: key("race", 1) }));
    expect(Item?.["n"]).toEqual({ N: "40" });
    const winners = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) =>
        client.send(
          new PutItemCommand({
            TableName,
            Item: { ...key("first", 1), at: { N: String(at) } },
            ConditionExpression: "attribute_not_exists(h)",
          }),
        ),
      ),
    );
    expect(winners.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("batches write and read, and refuse what comes twice", async () => {
    const puts = Array.from({ length: 25 }, (_, at) => ({ PutRequest: { Item: key("batch", at) } }));
    const written = await client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: puts } }));
    expect(written.UnprocessedItems).toEqual({});
    const Keys = Array.from({ length: 26 }, (_, at) => key("batch", at));
    const read = await client.send(
      new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys, ProjectionExpression: "r" } } }),
    );
    expect(read.Responses?.[TableName]).toHaveLength(25);
    const twice = [{ PutRequest: { Item: key("b", 1) } }, { DeleteRequest: { Key: key("b", 1) } }];
    expect(await refusalOf(client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: twice } })))).toEqual({
      name: "ValidationException",
      message: "Provided list of item keys contains duplicates",
    });
  });

  test("a transaction is all or nothing, and with a token is done once", async () => {
    const put = (h: string, more: object = {}) => ({ Put: { TableName, Item: key(h, 1), ...more } });
    const cancelled = client.send(
      new TransactWriteItemsCommand({
        TransactItems: [put("tx1"), put("race", { ConditionExpression: "attribute_not_exists(h)" })],
      }),
    );
    await expect(cancelled).rejects.toMatchObject({
      name: "TransactionCanceledException",
      message:
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]",
      CancellationReasons: [
        { Code: "None" },
        { Code: "ConditionalCheckFailed", Message: "The conditional request failed" },
      ],
    });
    expect((await client.send(new GetItemCommand({ TableName, Key: key("tx1", 1) }))).Item).toBeUndefined();
    const update = {
      Update: {
        TableName,
        Key: key("tx2", 1),
        UpdateExpression: "ADD n :n",
        ExpressionAttributeValues: { ":n": { N: "1" } },
      },
    };
    const token = { ClientRequestToken: "once", TransactItems: [update] };
    await client.send(new TransactWriteItemsCommand(token));
    await client.send(new TransactWriteItemsCommand(token));
    const { Responses } = await client.send(
      new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName, Key: key("tx2", 1) } }] }),
    );
    expect(Responses?.[0]?.Item).toMatchObject({ n: { N: "1" } });
    expect(
      (await refusalOf(client.send(new TransactWriteItemsCommand({ ...token, TransactItems: [put("other")] })))).name,
    ).toBe("IdempotentParameterMismatchException");
    expect(
      (await refusalOf(client.send(new TransactWriteItemsCommand({ TransactItems: [put("x"), put("x")] })))).message,
    ).toBe("Transaction request cannot include multiple operations on one item");
  });

  test.each<[string, object]>([
    ["Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.", {}],
    ["Query condition missed key schema element: h", { KeyConditionExpression: "r = :n" }],
    ["Query key condition not supported", { KeyConditionExpression: "h > :s" }],
    ["Invalid operator used in KeyConditionExpression: OR", { KeyConditionExpression: "h = :s OR r = :n" }],
    [`${invalid}Condition parameter type does not match schema type`, { KeyConditionExpression: "h = :n" }],
    ["The table does not have the specified index: nope", { KeyConditionExpression: "h = :s", IndexName: "nope" }],
    [
      "Consistent reads are not supported on global secondary indexes",
      { KeyConditionExpression: "g = :s", IndexName: "gsi", ConsistentRead: true },
    ],
    [
      "Filter Expression can only contain non-primary key attributes: Primary key attribute: r",
      { KeyConditionExpression: "h = :s", FilterExpression: "r = :n" },
    ],
    [
      `${invalid}Select type ALL_ATTRIBUTES is not supported for global secondary index gsi because its projection type is not ALL`,
      { KeyConditionExpression: "g = :s", IndexName: "gsi", Select: "ALL_ATTRIBUTES" },
    ],
    [
      "The provided starting key is outside query boundaries based on provided conditions",
      { KeyConditionExpression: "h = :s", ExclusiveStartKey: key("other", 1) },
    ],
  ])("Query refuses: %s", async (message, more) => {
    const text = JSON.stringify(more);
    const given = { ":s": { S: "a" }, ":n": { N: "1" } };
    const used = Object.fromEntries(Object.entries(given).filter(([name]) => text.includes(name)));
    const input = { TableName, ...(Object.keys(used).length > 0 && { ExpressionAttributeValues: used }), ...more };
    expect(await refusalOf(client.send(new QueryCommand(input)))).toEqual({ name: "ValidationException", message });
  });

  test("pages of Query and Scan are what a naive model says", async () => {
    const all = Array.from({ length: 60 }, (_, at) => ({
      h: `page${at % 3}`,
      r: at - 30,
      g: `g${at % 2}`,
      l: (at * 7) % 20,
      x: at,
    }));
    for (let at = 0; at < all.length; at += 25) {
      await document.batchWrite({
        RequestItems: { [TableName]: all.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } })) },
      });
    }
    const read = async (input: object) => {
      const found: Record<string, unknown>[] = [];
      let ExclusiveStartKey: Record<string, unknown> | undefined;
      do {
        const page = await document.query({ TableName, ...input, ...(ExclusiveStartKey && { ExclusiveStartKey }) });
        found.push(...(page.Items ?? []));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey);
      return found;
    };
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          limit: fc.integer({ min: 1, max: 30 }),
          forward: fc.boolean(),
          low: fc.integer({ min: -35, max: 30 }),
          high: fc.integer({ min: -35, max: 35 }),
          index: fc.constantFrom("lsi", "gsi", undefined),
          partition: fc.integer({ min: 0, max: 2 }),
        }),
        async ({ limit, forward, low, high, index, partition }) => {
          const [from, to] = [Math.min(low, high), Math.max(low, high)];
          const hash = index === "gsi" ? "g" : "h";
          const range = index === undefined ? "r" : "l";
          const value = index === "gsi" ? `g${partition % 2}` : `page${partition}`;
          const found = await read({
            Limit: limit,
            ScanIndexForward: forward,
            ...(index !== undefined && { IndexName: index }),
            KeyConditionExpression: `${hash} = :h AND ${range} BETWEEN :a AND :b`,
            ExpressionAttributeValues: { ":h": value, ":a": from, ":b": to },
          });
          const expected = all.filter((each) => each[hash] === value && each[range] >= from && each[range] <= to);
          expect(found.map((each) => each["r"]).toSorted()).toEqual(expected.map(({ r }) => r).toSorted());
          const order = found.map((each) => Number(each[range]) * (forward ? 1 : -1));
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 25 },
    );
    const segments = await Promise.all(
      [0, 1, 2].map((Segment) =>
        document.scan({
          TableName,
          Segment,
          TotalSegments: 3,
          FilterExpression: "begins_with(h, :p)",
          ExpressionAttributeValues: { ":p": "page" },
        }),
      ),
    );
    expect(
      segments
        .flatMap(({ Items = [] }) => Items)
        .map((each) => each["x"])
        .toSorted(),
    ).toEqual(all.map(({ x }) => x).toSorted());
    const scanned = await document.scan({ TableName, Select: "COUNT", IndexName: "gsi" });
    expect(scanned.Count).toBe(60);
  });
});

test("a page ends at 1 MB", async () => {
  const TableName = await createTable();
  const pad = { S: "x".repeat(300_000) };
  for (let at = 0; at < 5; at += 1)
    await client.send(new PutItemCommand({ TableName, Item: { ...key("a", at), pad } }));
  const input = { TableName, KeyConditionExpression: "h = :h", ExpressionAttributeValues: { ":h": { S: "a" } } };
  const page = await client.send(new QueryCommand(input));
  expect([page.Count, page.LastEvaluatedKey]).toEqual([3, key("a", 2)]);
  const { LastEvaluatedKey: ExclusiveStartKey } = page;
  expect((await client.send(new QueryCommand({ ...input, ExclusiveStartKey }))).Count).toBe(2);
});

test("an index made later has the items from before; its key may have eight attributes", async () => {
  const TableName = await createTable();
  for (let at = 0; at < 5; at += 1)
    await document.put({ TableName, Item: { h: "a", r: at, p: "p", q: at % 2, s: at, t: "t" } });
  const names = ["p", "q", "s", "t"];
  const { TableDescription } = await client.send(
    new UpdateTableCommand({
      TableName,
      AttributeDefinitions: names.map((AttributeName) => ({
        AttributeName,
        AttributeType: AttributeName === "q" || AttributeName === "s" ? "N" : "S",
      })),
      GlobalSecondaryIndexUpdates: [
        {
          Create: {
            IndexName: "many",
            KeySchema: names.map((AttributeName, at) => ({ AttributeName, KeyType: at < 2 ? "HASH" : "RANGE" })),
            Projection: { ProjectionType: "ALL" },
          },
        },
      ],
    }),
  );
  expect(TableDescription?.GlobalSecondaryIndexes?.[0]).toMatchObject({ IndexStatus: "CREATING", Backfilling: true });
  await drain();
  const query = (KeyConditionExpression: string, ExpressionAttributeValues: Record<string, unknown>) =>
    document.query({ TableName, IndexName: "many", KeyConditionExpression, ExpressionAttributeValues });
  expect(
    (await query("p = :p AND q = :q AND s > :s", { ":p": "p", ":q": 0, ":s": 0 })).Items?.map((each) => each["r"]),
  ).toEqual([2, 4]);
  expect(
    (await query("p = :p AND q = :q AND s = :s AND t = :t", { ":p": "p", ":q": 1, ":s": 3, ":t": "t" })).Count,
  ).toBe(1);
  await expect(query("p = :p AND s = :s", { ":p": "p", ":s": 0 })).rejects.toThrow(
    "Query condition missed key schema element: q",
  );
  await client.send(
    new UpdateTableCommand({ TableName, GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: "many" } }] }),
  );
  await drain();
  expect((await client.send(new DescribeTableCommand({ TableName }))).Table?.GlobalSecondaryIndexes).toBeUndefined();
});

test("provisioned tables throttle when what was saved is used up, and recover", async () => {
  const TableName = await createTable({
    BillingMode: "PROVISIONED",
    ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
  });
  const Item = { ...key("a", 1), pad: { S: "x".repeat(350 * 1024) } };
  await client.send(new PutItemCommand({ TableName, Item }));
  expect((await refusalOf(client.send(new PutItemCommand({ TableName, Item })))).name).toBe(
    "ProvisionedThroughputExceededException",
  );
  const batch = new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ PutRequest: { Item } }] } });
  expect((await refusalOf(client.send(batch))).name).toBe("ProvisionedThroughputExceededException");
  clock.advance(60_000);
  await client.send(new PutItemCommand({ TableName, Item: key("a", 2) }));
});

test("a stream has every change in its order, and what time to live deletes", async () => {
  const TableName = await createTable({
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
  });
  const { Streams } = await streams.send(new ListStreamsCommand({ TableName }));
  const StreamArn = Streams?.[0]?.StreamArn;
  const described = await streams.send(new DescribeStreamCommand({ StreamArn }));
  const ShardId = described.StreamDescription?.Shards?.[0]?.ShardId;
  await document.put({ TableName, Item: { h: "a", r: 1, b: new Uint8Array([1, 2]) } });
  await document.update({
    TableName,
    Key: { h: "a", r: 1 },
    UpdateExpression: "SET ends = :e",
    ExpressionAttributeValues: { ":e": Math.floor(clock.now() / 1000) + 30 },
  });
  await document.put({ TableName, Item: { h: "b", r: 1, ends: Math.floor(clock.now() / 1000) + 90_000 } });
  const read = async (more: object) => {
    const { ShardIterator } = await streams.send(
      new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON", ...more }),
    );
    return await streams.send(new GetRecordsCommand({ ShardIterator }));
  };
  const { Records = [] } = await read({});
  expect(Records.map(({ eventName }) => eventName)).toEqual(["INSERT", "MODIFY", "INSERT"]);
  expect(Records[0]?.dynamodb).toMatchObject({
    Keys: key("a", 1),
    NewImage: { b: { B: new Uint8Array([1, 2]) } },
    StreamViewType: "NEW_AND_OLD_IMAGES",
  });
  expect(Records[1]?.dynamodb?.OldImage).toMatchObject(key("a", 1));
  const after = { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: Records[1]?.dynamodb?.SequenceNumber };
  expect((await read(after)).Records).toHaveLength(1);
  // What was there before is found, too.
  await client.send(
    new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: "ends" } }),
  );
  await drain();
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
  expect(TimeToLiveDescription).toEqual({ TimeToLiveStatus: "ENABLED", AttributeName: "ends" });
  clock.advance(61_000);
  await drain();
  const { Items } = await client.send(new ScanCommand({ TableName }));
  expect(Items?.map((each) => each["h"])).toEqual([{ S: "b" }]);
  const last = (await read({})).Records?.at(-1);
  expect(last).toMatchObject({
    eventName: "REMOVE",
    userIdentity: { Type: "Service", PrincipalId: "dynamodb.amazonaws.com" },
  });
});

test("a table is restored as it was at a moment", async () => {
  const TableName = await createTable();
  await client.send(
    new UpdateContinuousBackupsCommand({
      TableName,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    }),
  );
  await document.put({ TableName, Item: { h: "kept", r: 1, v: "then" } });
  await document.put({ TableName, Item: { h: "gone", r: 1 } });
  clock.advance(2_000);
  const RestoreDateTime = new Date(clock.now() - 1_000);
  await document.put({ TableName, Item: { h: "kept", r: 1, v: "now" } });
  await document.delete({ TableName, Key: { h: "gone", r: 1 } });
  await document.put({ TableName, Item: { h: "later", r: 1 } });
  await client.send(
    new RestoreTableToPointInTimeCommand({ SourceTableName: TableName, TargetTableName: "restored", RestoreDateTime }),
  );
  await drain();
  const { Items = [] } = await document.scan({ TableName: "restored" });
  expect(Items.map(({ h, v }) => [h, v]).toSorted()).toEqual([
    ["gone", undefined],
    ["kept", "then"],
  ]);
});
