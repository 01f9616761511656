import {
  BatchExecuteStatementCommand,
  CreateTableCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  ExecuteTransactionCommand,
  PutItemCommand,
  TransactionCanceledException,
  type AttributeValue,
  type BatchStatementRequest,
  type ExecuteTransactionCommandInput,
  type ParameterizedStatement,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

let platform: TestPlatform;
let client: DynamoDBClient;
let document: DynamoDBDocument;
let tables = 0;
let T = "";

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", durable: true });
  client = new DynamoDBClient(platform.settings);
  document = DynamoDBDocument.from(client);
});
afterAll(() => platform.stop());

beforeEach(async () => {
  tables += 1;
  T = `several-${tables}`;
  await client.send(
    new CreateTableCommand({
      TableName: T,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["pk", "sk"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    }),
  );
  for (const sk of ["1", "2"]) await document.put({ TableName: T, Item: { pk: "a", sk, v: sk } });
});

type Member<M> = string | M;
const toMembers = <M extends { Statement: string | undefined }>(members: readonly Member<M>[]) =>
  members.map((each) => (typeof each === "string" ? { Statement: each } : each));

const batch = (...members: Member<BatchStatementRequest>[]) =>
  client.send(new BatchExecuteStatementCommand({ Statements: toMembers(members), ReturnConsumedCapacity: "TOTAL" }));

const transact = (members: Member<ParameterizedStatement>[], more: Partial<ExecuteTransactionCommandInput> = {}) =>
  client.send(new ExecuteTransactionCommand({ TransactStatements: toMembers(members), ...more }));

const select = (sk: string) => `SELECT * FROM "${T}" WHERE pk = 'a' AND sk = '${sk}'`;
const item = async (sk: string) => (await document.get({ TableName: T, Key: { pk: "a", sk } })).Item;

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => "none",
    (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : "none"),
  );
}

const reasonsOf = async (promise: Promise<unknown>) => {
  const error = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof TransactionCanceledException)) throw error;
  return error.CancellationReasons?.map(({ Code, Message, Item }) =>
    [Code, Message, Item].filter((each) => each !== undefined),
  );
};

const at = (number: number, message: string) =>
  `ValidationException: Validation failed in TransactStatements[${number}]: ${message}`;

describe("BatchExecuteStatement", () => {
  test("reads items by their keys, each at its own consistency", async () => {
    const { Responses, ConsumedCapacity } = await batch(
      select("1"),
      {
        Statement: `SELECT v FROM "${T}" WHERE pk = ? AND sk IN ['2']`,
        Parameters: [{ S: "a" }],
        ConsistentRead: true,
      },
      select("9"),
    );
    expect(Responses).toEqual([
      { TableName: T, Item: { pk: { S: "a" }, sk: { S: "1" }, v: { S: "1" } } },
      { TableName: T, Item: { v: { S: "2" } } },
      { TableName: T },
    ]);
    expect(ConsumedCapacity?.map(({ CapacityUnits }) => CapacityUnits)).toEqual([0.5, 1, 0.5]);
  });

  test("answers each statement that fails by itself, and goes on", async () => {
    const key = "Select statements within BatchExecuteStatement must specify the primary key in the where clause.";
    const { Responses } = await batch(
      "SLECT",
      select("1"),
      "SELECT * FROM none WHERE pk = 'a' AND sk = '1'",
      `SELECT * FROM "${T}" WHERE v = '1'`,
      `${select("1")} AND v = '1'`,
      `SELECT * FROM "${T}"."idx" WHERE pk = 'a' AND sk = '1'`,
      `SELECT * FROM "${T}" WHERE pk = 'a' AND sk = 1`,
      `SELECT * FROM "${T}" WHERE pk IN ['a', 'a'] AND sk = '1'`,
      { Statement: select("1"), Parameters: [{ S: "more" }] },
    );
    expect(Responses?.map(({ Error: error }) => error && `${error.Code}: ${error.Message}`)).toEqual([
      "ValidationError: Statement wasn't well formed, can't be processed: Expected data manipulation",
      undefined,
      "ResourceNotFound: Requested resource not found",
      ...[key, key, key].map((message) => `ValidationError: ${message}`),
      "ValidationError: The provided key element does not match the schema",
      "ValidationError: Overlapping conditions with range keys are not supported in where clause",
      "ValidationError: Number of parameters in request and statement don't match.",
    ]);
    expect(Responses?.[3]?.TableName).toBeUndefined();
  });

  test("writes, answers what RETURNING asks for, and the item whose condition did not hold", async () => {
    const { Responses } = await batch(
      `INSERT INTO "${T}" VALUE {'pk': 'a', 'sk': '3'}`,
      `INSERT INTO "${T}" VALUE {'pk': 'a', 'sk': '1'}`,
      `UPDATE "${T}" SET v = 'new' WHERE pk = 'a' AND sk = '1' RETURNING MODIFIED NEW *`,
      `UPDATE "${T}" REMOVE none WHERE pk = 'a' AND sk = '1' RETURNING MODIFIED NEW *`,
      {
        Statement: `UPDATE "${T}" SET v = 'x' WHERE pk = 'a' AND sk = '2' AND v = 'y'`,
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      },
      `DELETE FROM "${T}" WHERE pk = 'a' AND sk = '2' RETURNING ALL OLD *`,
      `EXISTS(${select("1")} AND v = '1')`,
    );
    expect(Responses).toEqual([
      { TableName: T },
      { TableName: T, Error: { Code: "DuplicateItem", Message: "Duplicate primary key exists in table" } },
      { TableName: T, Item: { v: { S: "new" } } },
      { TableName: T },
      {
        TableName: T,
        Error: {
          Code: "ConditionalCheckFailed",
          Message: "The conditional request failed",
          Item: { pk: { S: "a" }, sk: { S: "2" }, v: { S: "2" } },
        },
      },
      { TableName: T, Item: { pk: { S: "a" }, sk: { S: "2" }, v: { S: "2" } } },
      {
        Error: {
          Code: "ValidationError",
          Message: "EXISTS can only be used in ExecuteTransaction write requests.",
        },
      },
    ]);
  });

  test("tells those apart that were throttled", async () => {
    await client.send(
      new CreateTableCommand({
        TableName: `small-${T}`,
        ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
        AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      }),
    );
    const insert = (pk: string, pad: string) => ({
      Statement: `INSERT INTO "small-${T}" VALUE {'pk': ?, 'pad': ?}`,
      Parameters: [{ S: pk }, { S: pad }],
    });
    await batch(insert("a", "x".repeat(350 * 1024)));
    const message =
      "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.";
    expect((await batch(insert("b", ""))).Responses?.[0]?.Error).toEqual({
      Code: "ProvisionedThroughputExceeded",
      Message: message,
    });
    const alone = client.send(new ExecuteStatementCommand(insert("b", "")));
    expect(await refusalOf(alone)).toBe(`ProvisionedThroughputExceededException: ${message}`);
  });

  test("refuses reads beside writes, none and too many", async () => {
    expect(await refusalOf(batch(select("1"), `DELETE FROM "${T}" WHERE pk = 'a' AND sk = '1'`))).toBe(
      "ValidationException: BatchExecuteStatement API does not support both read and write operations in the same request.",
    );
    expect(await refusalOf(batch())).toMatch(/^ValidationException: .*greater than or equal to 1/);
    expect(await refusalOf(batch(...Array.from({ length: 26 }, () => select("1"))))).toMatch(
      /^ValidationException: .*less than or equal to 25/,
    );
    expect(await refusalOf(batch("x".repeat(8_193)))).toMatch(/^ValidationException: .*less than or equal to 8192/);
  });
});

describe("ExecuteTransaction", () => {
  test("writes all of it", async () => {
    const { Responses, ConsumedCapacity } = await transact(
      [
        `EXISTS(SELECT * FROM "${T}" WHERE (pk = 'a' AND sk = '2') AND nope IS MISSING)`,
        {
          Statement: `INSERT INTO "${T}" VALUE {'pk': 'a', 'sk': '3', 'v': ?}`,
          Parameters: [{ B: new Uint8Array([1]) }],
        },
        `UPDATE "${T}" SET v = 'new' WHERE pk = 'a' AND sk = '1' AND v = '1'`,
      ],
      { ReturnConsumedCapacity: "TOTAL" },
    );
    expect(Responses).toEqual([{}, {}, {}]);
    expect(ConsumedCapacity).toEqual([{ TableName: T, CapacityUnits: 6, WriteCapacityUnits: 6 }]);
    expect([await item("1"), await item("3")]).toMatchObject([{ v: "new" }, { v: new Uint8Array([1]) }]);
  });

  test("reads one moment", async () => {
    const { Responses } = await transact([
      select("1"),
      `SELECT v FROM "${T}" WHERE (sk = '2') AND pk = 'a' AND pk = 'a'`,
      select("9"),
    ]);
    expect(Responses).toEqual([
      { Item: { pk: { S: "a" }, sk: { S: "1" }, v: { S: "1" } } },
      { Item: { v: { S: "2" } } },
      {},
    ]);
  });

  test("does nothing where one of it cannot be done, and tells why", async () => {
    const old: Record<string, AttributeValue> = { pk: { S: "a" }, sk: { S: "1" }, v: { S: "1" } };
    const failed = ["ConditionalCheckFailed", "The conditional request failed"];
    expect(
      await reasonsOf(
        transact([
          `INSERT INTO "${T}" VALUE {'pk': 'a', 'sk': '3'}`,
          {
            Statement: `UPDATE "${T}" SET v = 'x' WHERE pk = 'a' AND sk = '1' AND v = 'y'`,
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          },
          `INSERT INTO "${T}" VALUE {'pk': 'a', 'sk': '2'}`,
          `UPDATE "${T}" SET v = 'x' WHERE pk = 'none' AND sk = '1'`,
          `EXISTS(SELECT * FROM "${T}" WHERE pk = 'none' AND sk = '2' AND v IS MISSING)`,
          `DELETE FROM "${T}" WHERE pk = 'none' AND sk = '3'`,
        ]),
      ),
    ).toEqual([
      ["None"],
      [...failed, old],
      ["DuplicateItem", "Duplicate primary key exists in table"],
      failed,
      failed,
      ["None"],
    ]);
    expect(await item("3")).toBeUndefined();

    const schema = ["ValidationError", "The provided key element does not match the schema"];
    expect(
      await reasonsOf(
        transact([`UPDATE "${T}" SET v = 1 WHERE pk = 'a'`, `DELETE FROM "${T}" WHERE pk = 'a' AND sk = 1`]),
      ),
    ).toEqual([schema, schema]);
    expect(await reasonsOf(transact([select("1"), `SELECT * FROM "${T}" WHERE pk = 1 AND sk = '1'`]))).toEqual([
      ["None"],
      schema,
    ]);
    expect(await reasonsOf(transact([`INSERT INTO "${T}" VALUE {'pk': 'a'}`]))).toEqual([
      ["ValidationError", "One or more parameter values were invalid: Missing the key sk in the item"],
    ]);
  });

  test("refuses what no transaction can be", async () => {
    const key = "Select statements within ExecuteTransaction must specify the primary key in the where clause.";
    const update = `UPDATE "${T}" SET v = 'x' WHERE pk = 'a' AND sk = '1'`;
    const missing = "ResourceNotFoundException: Requested resource not found";
    const cases: [Member<ParameterizedStatement>[], string][] = [
      [[select("1"), "SELECT * FROM none WHERE pk = 'a'"], missing],
      [[update, "UPDATE none SET a = 1"], missing],
      [
        [select("1"), update],
        "ValidationException: ExecuteTransaction API does not support both read and write operations in the same request.",
      ],
      [
        [select("1"), select("1")],
        "ValidationException: Transaction request cannot include multiple operations on one item",
      ],
      [[update, update], "ValidationException: Transaction request cannot include multiple operations on one item"],
      [[`SELECT * FROM "${T}" WHERE`], at(0, "Statement wasn't well formed, can't be processed: Unexpected term")],
      [[select("1"), `SELECT * FROM "${T}" WHERE pk = 'a'`], at(1, key)],
      [[`${select("1")} AND v = '1'`], at(0, key)],
      [[`${select("1")} AND pk = 'b'`], at(0, key)],
      [
        [`SELECT * FROM "${T}"."idx" WHERE pk = 'a' AND sk = '1'`],
        at(0, "Reads on indices are not supported within transactions."),
      ],
      [[update, `${update} RETURNING ALL NEW *`], at(1, "RETURNING clause is not supported in ExecuteTransaction.")],
      [[`EXISTS(${select("1")})`], at(0, "EXISTS() must contain a single item read with additional condition")],
      [
        [{ Statement: update, Parameters: [{ SS: ["a", "a"] }] }],
        "ValidationException: One or more parameter values were invalid: Input collection [a, a] contains duplicates.",
      ],
    ];
    for (const [members, message] of cases) {
      expect(await refusalOf(transact(members))).toBe(message);
    }
    expect(await refusalOf(transact([]))).toMatch(/^ValidationException: .*greater than or equal to 1/);
    expect(await item("1")).toMatchObject({ v: "1" });
  });

  test("is done once for a token, after a restart too", async () => {
    await client.send(new PutItemCommand({ TableName: T, Item: { pk: { S: "n" }, sk: { S: "1" }, n: { N: "0" } } }));
    const count = (by = 1) =>
      transact([`UPDATE "${T}" SET n = n + ${by} WHERE pk = 'n' AND sk = '1'`], {
        ClientRequestToken: `token-${T}`,
        ReturnConsumedCapacity: "TOTAL",
      });
    expect((await count()).ConsumedCapacity).toMatchObject([{ WriteCapacityUnits: 2 }]);
    await platform.restart();
    expect((await count()).ConsumedCapacity).toMatchObject([{ ReadCapacityUnits: 2 }]);
    expect(await refusalOf(count(2))).toMatch(/^IdempotentParameterMismatchException/);
    expect((await document.get({ TableName: T, Key: { pk: "n", sk: "1" } })).Item).toMatchObject({ n: 1 });
  });
});
