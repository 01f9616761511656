import {
  BatchExecuteStatementCommand,
  CreateTableCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  ExecuteTransactionCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { account, policy, startAccessTest, statement, type AccessTest } from "../../../testing/access.ts";

let access: AccessTest;
const table = `arn:aws:dynamodb:us-east-1:${account}:table/orders`;
let users = 0;

beforeAll(async () => {
  access = await startAccessTest({ sandbox: "process" });
  const root = new DynamoDBClient(access.platform.settings);
  await root.send(
    new CreateTableCommand({
      TableName: "orders",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["pk", "g"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      GlobalSecondaryIndexes: [
        {
          IndexName: "idx",
          KeySchema: [{ AttributeName: "g", KeyType: "HASH" }],
          Projection: { ProjectionType: "ALL" },
        },
      ],
    }),
  );
  for (const pk of ["mine", "other"]) {
    await root.send(new PutItemCommand({ TableName: "orders", Item: { pk: { S: pk }, g: { S: "x" }, v: { S: pk } } }));
  }
});
afterAll(() => access.stop());

const told = async (sent: Promise<unknown>) =>
  await sent.then(
    () => "done",
    (error: unknown) => (error instanceof Error ? `${error.name} ${error.message}` : "?").replace(/ User: \S+/, ""),
  );

/** Somebody who may do this; runs a statement, and tells how that went. */
async function somebody(...statements: readonly object[]) {
  users += 1;
  const credentials = await access.createUser(`user-${users}`, policy(...statements));
  const client = new DynamoDBClient({ ...access.platform.settings, credentials });
  return {
    client,
    run: (Statement: string) => told(client.send(new ExecuteStatementCommand({ Statement }))),
    transact: (...texts: string[]) =>
      told(
        client.send(new ExecuteTransactionCommand({ TransactStatements: texts.map((Statement) => ({ Statement })) })),
      ),
  };
}

const select = "SELECT * FROM orders WHERE pk = 'mine'";
const insert = (pk: string) => `INSERT INTO orders VALUE {'pk': '${pk}'}`;
const update = "UPDATE orders SET v = 'mine' WHERE pk = 'mine'";
const remove = "DELETE FROM orders WHERE pk = 'gone'";
const denied = (action: string, resource = table) =>
  `AccessDeniedException is not authorized to perform: dynamodb:${action} on resource: ${resource} because no identity-based policy allows the dynamodb:${action} action`;

test("each statement asks for its own action, and no other lets it through", async () => {
  const none = await somebody(statement(["dynamodb:PutItem", "dynamodb:Query", "dynamodb:ExecuteStatement"]));
  expect(await none.run(select)).toBe(denied("PartiQLSelect"));
  expect(await none.run(insert("n"))).toBe(denied("PartiQLInsert"));
  expect(await none.run(update)).toBe(denied("PartiQLUpdate"));
  expect(await none.run(remove)).toBe(denied("PartiQLDelete"));
  expect(await none.run("SELECT * FROM orders.idx WHERE g = 'x'")).toBe(denied("PartiQLSelect", `${table}/index/idx`));
  expect(await none.run("SELECT * FROM nothing")).toBe(denied("PartiQLSelect", table.replace("orders", "nothing")));

  const all = await somebody(statement("dynamodb:PartiQL*", [table, `${table}/index/*`]));
  for (const text of [select, insert("all"), update, remove, "SELECT * FROM orders.idx WHERE g = 'x'"]) {
    expect(await all.run(text), text).toBe("done");
  }
});

test("full table scans may be denied", async () => {
  const reader = await somebody(statement("dynamodb:PartiQLSelect", table), {
    ...statement("dynamodb:PartiQLSelect", table),
    Effect: "Deny",
    Condition: { Bool: { "dynamodb:FullTableScan": ["true"] } },
  });
  expect(await reader.run(select)).toBe("done");
  expect(await reader.run("SELECT * FROM orders WHERE pk IN ['mine', 'other']")).toBe("done");
  for (const where of ["", "WHERE v = 'mine'", "WHERE pk > 'a'", "WHERE pk = 'mine' OR v = 'mine'"]) {
    expect(await reader.run(`SELECT * FROM orders ${where}`), where).toMatch(/explicit deny/);
  }
});

test("leading keys and attributes are those of the statement", async () => {
  const owner = await somebody({
    ...statement("dynamodb:PartiQL*", table),
    Condition: {
      "ForAllValues:StringEquals": {
        "dynamodb:LeadingKeys": ["mine"],
        "dynamodb:Attributes": ["pk", "v"],
      },
      Null: { "dynamodb:LeadingKeys": "false" },
    },
  });
  expect(await owner.run("SELECT v FROM orders WHERE pk = 'mine'")).toBe("done");
  expect(await owner.run(update)).toBe("done");
  for (const text of [
    "SELECT v FROM orders WHERE pk = 'other'",
    "SELECT v FROM orders WHERE pk IN ['mine', 'other']",
    "SELECT g FROM orders WHERE pk = 'mine'",
    "SELECT v FROM orders WHERE pk = 'mine' AND g = 'x'",
    "SELECT v FROM orders",
    "UPDATE orders SET v = g WHERE pk = 'mine'",
    "UPDATE orders SET v = 'x' WHERE pk = 'other'",
    "UPDATE orders SET v = 'x' WHERE pk = 'mine' AND pk = 'other'",
    "DELETE FROM orders WHERE pk = 'other'",
    insert("other"),
  ]) {
    expect(await owner.run(text), text).toMatch(/^AccessDenied/);
  }
  // Nor is the other's item told by a condition that names both.
  expect(await owner.transact("EXISTS(SELECT * FROM orders WHERE pk = 'other' AND pk = 'mine' AND v = 'x')")).toMatch(
    /^AccessDenied/,
  );
});

test("transactions are told from single statements", async () => {
  const only = { StringEquals: { "dynamodb:EnclosingOperation": ["ExecuteTransaction"] } };
  const within = await somebody({ ...statement("dynamodb:PartiQL*", table), Condition: only });
  expect(await within.run(select)).toMatch(/^AccessDenied/);
  expect(await within.transact(select)).toBe("done");
  expect(await within.transact("EXISTS(SELECT * FROM orders WHERE pk = 'mine' AND v = 'mine')", remove)).toBe("done");
  const without = await somebody(statement("dynamodb:PartiQL*", table), {
    ...statement("dynamodb:PartiQL*", table),
    Effect: "Deny",
    Condition: only,
  });
  expect(await without.run(select)).toBe("done");
  expect(await without.transact(select)).toMatch(/explicit deny/);
  const updater = await somebody(statement("dynamodb:PartiQLUpdate", table));
  expect(await updater.transact(update, remove)).toBe(denied("PartiQLDelete"));
});

test("a batch answers AccessDenied for those of its statements that are", async () => {
  const { client } = await somebody(statement(["dynamodb:PartiQLUpdate"], table));
  const { Responses } = await client.send(
    new BatchExecuteStatementCommand({ Statements: [update, remove].map((Statement) => ({ Statement })) }),
  );
  expect(Responses?.[0]).toEqual({ TableName: "orders" });
  expect(Responses?.[1]).toMatchObject({ Error: { Code: "AccessDenied" } });
  expect(Responses?.[1]?.Error?.Message).toContain("is not authorized to perform: dynamodb:PartiQLDelete");
});
