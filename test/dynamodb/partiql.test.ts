import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  BatchExecuteStatementCommand,
  DynamoDBDocumentClient,
  ExecuteStatementCommand,
  ExecuteTransactionCommand,
} from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { runTool, tools } from "../../src/testing/tools.ts";

let platform: TestPlatform;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  await new DynamoDBClient(platform.settings).send(
    new CreateTableCommand({
      TableName: "Music",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["Artist", "SongTitle"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [
        { AttributeName: "Artist", KeyType: "HASH" },
        { AttributeName: "SongTitle", KeyType: "RANGE" },
      ],
    }),
  );
});
afterAll(() => platform.stop());

function environment(): Record<string, string> {
  const { endpoint, region, credentials } = platform.settings;
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}

test("the document client runs statements, alone, in batches and in transactions", async () => {
  const document = DynamoDBDocumentClient.from(new DynamoDBClient(platform.settings));
  await document.send(
    new ExecuteTransactionCommand({
      TransactStatements: ["Happy Day", "PartiQL Rocks"].map((title) => ({
        Statement: `INSERT INTO "Music" VALUE {'Artist': ?, 'SongTitle': ?, 'Awards': ?}`,
        Parameters: ["Acme Band", title, { Grammys: [2020, 2018] }],
      })),
    }),
  );
  const { Items } = await document.send(
    new ExecuteStatementCommand({
      Statement: `SELECT SongTitle, Awards.Grammys[0] FROM "Music" WHERE Artist = ? ORDER BY SongTitle DESC`,
      Parameters: ["Acme Band"],
    }),
  );
  expect(Items).toEqual([
    { SongTitle: "PartiQL Rocks", "Grammys[0]": 2020 },
    { SongTitle: "Happy Day", "Grammys[0]": 2020 },
  ]);
  const { Responses } = await document.send(
    new BatchExecuteStatementCommand({
      Statements: ["Happy Day", "Unknown"].map((title) => ({
        Statement: `SELECT * FROM "Music" WHERE Artist = ? AND SongTitle = ?`,
        Parameters: ["Acme Band", title],
      })),
    }),
  );
  expect(Responses?.map(({ Item }) => Item?.["SongTitle"])).toEqual(["Happy Day", undefined]);
});

const script = `
import boto3, os
from decimal import Decimal
client = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
resource = boto3.resource("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
add = "INSERT INTO Music VALUE {'Artist': ?, 'SongTitle': ?, 'n': ?, 'b': ?, 's': ?}"
for at in range(12):
    answer = client.execute_statement(Statement=add, Parameters=[{"S": "boto"}, {"S": "%02d" % at}, {"N": str(at)}, {"B": b"\\x00\\x01"}, {"SS": ["x", "y"]}])
    assert answer["Items"] == [], answer
try:
    client.execute_statement(Statement="INSERT INTO Music VALUE {'Artist': 'boto', 'SongTitle': '00'}")
    raise SystemExit("it was made twice")
except client.exceptions.DuplicateItemException as error:
    assert error.response["Error"]["Message"] == "Duplicate primary key exists in table", error.response
found, token = [], None
while True:
    page = client.execute_statement(Statement="SELECT n FROM Music WHERE Artist = 'boto' AND n >= 3", Limit=5, **({"NextToken": token} if token else {}))
    found += [item["n"]["N"] for item in page["Items"]]
    token = page.get("NextToken")
    if not token: break
assert found == [str(at) for at in range(3, 12)], found
items = resource.meta.client.execute_statement(Statement="SELECT * FROM Music WHERE Artist = ? AND SongTitle = ?", Parameters=["boto", "03"])["Items"]
assert items[0]["n"] == Decimal(3) and items[0]["b"].value == b"\\x00\\x01" and items[0]["s"] == {"x", "y"}, items
returned = resource.meta.client.execute_statement(Statement="UPDATE Music SET n = n + ? WHERE Artist = 'boto' AND SongTitle = '03' RETURNING MODIFIED NEW *", Parameters=[Decimal("1.5")])
assert returned["Items"] == [{"n": Decimal("4.5")}], returned
try:
    client.execute_transaction(TransactStatements=[{"Statement": "DELETE FROM Music WHERE Artist = 'boto' AND SongTitle = '03' AND n = 0"}])
    raise SystemExit("the condition held")
except client.exceptions.TransactionCanceledException as error:
    assert error.response["CancellationReasons"][0]["Code"] == "ConditionalCheckFailed", error.response
`;

test.skipIf(tools.python === undefined)(
  "boto3 runs statements, as client and resource",
  async () => {
    const { status, stderr } = await runTool(tools.python ?? "", ["-c", script], { env: environment() });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  },
  60_000,
);

const aws = (...args: string[]) =>
  runTool(tools.awsV2 ?? "", ["--endpoint-url", platform.endpoint, "dynamodb", ...args, "--output", "json"], {
    env: environment(),
  });

test.skipIf(tools.awsV2 === undefined)(
  "aws dynamodb execute-statement",
  async () => {
    const made = await aws(
      "execute-statement",
      "--statement",
      `INSERT INTO "Music" VALUE {'Artist': 'cli', 'SongTitle': ?, 'tags': <<'a'>>}`,
      "--parameters",
      '[{"S": "One"}]',
    );
    expect([made.status, JSON.parse(made.stdout)]).toEqual([0, { Items: [] }]);
    const read = await aws(
      "batch-execute-statement",
      "--statements",
      JSON.stringify([{ Statement: "SELECT tags FROM Music WHERE Artist = 'cli' AND SongTitle = 'One'" }]),
    );
    expect(JSON.parse(read.stdout)).toEqual({ Responses: [{ TableName: "Music", Item: { tags: { SS: ["a"] } } }] });
    const refused = await aws("execute-statement", "--statement", "SELECT FROM");
    expect([refused.status, refused.stderr.trim()]).toEqual([
      254,
      "An error occurred (ValidationException) when calling the ExecuteStatement operation: Statement wasn't well formed, can't be processed: Unexpected keyword",
    ]);
  },
  60_000,
);
