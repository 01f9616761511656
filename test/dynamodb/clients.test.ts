import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { Entity, item, number as numberSchema, string as stringSchema, Table } from "dynamodb-toolbox";
import { GetItemCommand } from "dynamodb-toolbox/entity/actions/get";
import { PutItemCommand } from "dynamodb-toolbox/entity/actions/put";
import { Entity as ElectroEntity } from "electrodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { runTool, tools } from "../../src/testing/tools.ts";

let platform: TestPlatform;
let client: DynamoDBClient;
let document: DynamoDBDocumentClient;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", durable: true });
  client = new DynamoDBClient(platform.settings);
  document = DynamoDBDocumentClient.from(client);
  await client.send(
    new CreateTableCommand({
      TableName: "single",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["pk", "sk", "gsi1pk", "gsi1sk"].map((AttributeName) => ({
        AttributeName,
        AttributeType: "S",
      })),
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: "gsi1",
          KeySchema: [
            { AttributeName: "gsi1pk", KeyType: "HASH" },
            { AttributeName: "gsi1sk", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "ALL" },
        },
      ],
    }),
  );
});
afterAll(() => platform.stop());

test("what was acknowledged is there after a restart", async () => {
  const tasks = Array.from({ length: 20 }, (_, at) => ({ pk: { S: "durable" }, sk: { S: String(at) } }));
  const { PutItemCommand: Put } = await import("@aws-sdk/client-dynamodb");
  await Promise.all(tasks.map((Item) => client.send(new Put({ TableName: "single", Item }))));
  await platform.restart();
  const { Item } = await document.send(new GetCommand({ TableName: "single", Key: { pk: "durable", sk: "19" } }));
  expect(Item).toEqual({ pk: "durable", sk: "19" });
});

test("ElectroDB creates, queries by collection and patches", async () => {
  const tasks = new ElectroEntity(
    {
      model: { entity: "task", version: "1", service: "work" },
      attributes: {
        team: { type: "string", required: true },
        id: { type: "string", required: true },
        points: { type: "number" },
        owner: { type: "string" },
      },
      indexes: {
        primary: { pk: { field: "pk", composite: ["team"] }, sk: { field: "sk", composite: ["id"] } },
        owned: {
          index: "gsi1",
          pk: { field: "gsi1pk", composite: ["owner"] },
          sk: { field: "gsi1sk", composite: ["id"] },
        },
      },
    },
    { client: document, table: "single" },
  );
  await tasks.create({ team: "a", id: "1", points: 3, owner: "x" }).go();
  await tasks
    .put([
      { team: "a", id: "2", owner: "x" },
      { team: "b", id: "3", owner: "x" },
    ])
    .go();
  await tasks.patch({ team: "a", id: "1" }).add({ points: 2 }).go();
  expect((await tasks.query.primary({ team: "a" }).go()).data).toMatchObject([{ id: "1", points: 5 }, { id: "2" }]);
  expect((await tasks.query.owned({ owner: "x" }).gt({ id: "1" }).go()).data).toHaveLength(2);
  await expect(tasks.create({ team: "a", id: "1" }).go()).rejects.toThrow(/conditional request failed/i);
});

test("dynamodb-toolbox puts and gets", async () => {
  const table = new Table({
    name: "single",
    partitionKey: { name: "pk", type: "string" },
    sortKey: { name: "sk", type: "string" },
    documentClient: document,
  });
  const entity = new Entity({
    name: "Pokemon",
    table,
    schema: item({ pk: stringSchema().key(), sk: stringSchema().key(), level: numberSchema() }),
  });
  await entity.build(PutItemCommand).item({ pk: "p", sk: "1", level: 7 }).send();
  const { Item } = await entity.build(GetItemCommand).key({ pk: "p", sk: "1" }).send();
  expect(Item).toMatchObject({ pk: "p", sk: "1", level: 7 });
});

const script = `
import boto3, os
from decimal import Decimal
from boto3.dynamodb.conditions import Key, Attr
resource = boto3.resource("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
table = resource.create_table(TableName="boto", BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[{"AttributeName": "h", "AttributeType": "S"}, {"AttributeName": "r", "AttributeType": "N"}],
    KeySchema=[{"AttributeName": "h", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}])
table.wait_until_exists()
with table.batch_writer() as batch:
    for at in range(60):
        batch.put_item(Item={"h": "a", "r": at, "v": Decimal("1.5"), "b": b"\\x00\\x01", "s": {"x", "y"}})
found = table.query(KeyConditionExpression=Key("h").eq("a") & Key("r").between(10, 19), FilterExpression=Attr("s").contains("x"))
assert found["Count"] == 10 and found["Items"][0]["v"] == Decimal("1.5"), found
assert found["Items"][0]["b"].value == b"\\x00\\x01"
client = resource.meta.client
pages = client.get_paginator("scan").paginate(TableName="boto", PaginationConfig={"PageSize": 7})
assert sum(page["Count"] for page in pages) == 60
try:
    table.put_item(Item={"h": "a", "r": 1}, ConditionExpression=Attr("h").not_exists())
    raise SystemExit("the condition held")
except client.exceptions.ConditionalCheckFailedException as error:
    assert error.response["Error"]["Message"] == "The conditional request failed"
table.delete()
table.wait_until_not_exists()
`;

test("boto3 creates, writes in batches, queries and deletes, as resource and client", async () => {
  if (tools.python === undefined) return;
  const { endpoint, region, credentials } = platform.settings;
  const env = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  const { status, stderr } = await runTool(tools.python, ["-c", script], { env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}, 60_000);
