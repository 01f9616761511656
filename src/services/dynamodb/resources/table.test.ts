import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ListTagsOfResourceCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { deploy } from "../../../testing/stacks.ts";

let platform: TestPlatform;
let cloudformation: CloudFormationClient;
let client: DynamoDBClient;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  cloudformation = new CloudFormationClient(platform.settings);
  client = new DynamoDBClient(platform.settings);
});
afterAll(() => platform.stop());

const index = (name: string) => ({
  IndexName: name,
  KeySchema: [{ AttributeName: "g", KeyType: "HASH" }],
  Projection: { ProjectionType: "ALL" },
});
const template = (more: object) => ({
  Resources: {
    Table: {
      Type: "AWS::DynamoDB::Table",
      Properties: {
        TableName: "orders",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [
          { AttributeName: "h", AttributeType: "S" },
          { AttributeName: "g", AttributeType: "S" },
        ],
        KeySchema: [{ AttributeName: "h", KeyType: "HASH" }],
        GlobalSecondaryIndexes: [index("first")],
        ...more,
      },
    },
  },
  Outputs: { Arn: { Value: { "Fn::GetAtt": ["Table", "Arn"] } } },
});

test("a table is created, changed in place and deleted by its stack", async () => {
  const created = await deploy(
    cloudformation,
    "orders",
    template({
      StreamSpecification: { StreamViewType: "NEW_IMAGE" },
      TimeToLiveSpecification: { AttributeName: "ends", Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      Tags: [{ Key: "a", Value: "b" }],
    }),
  );
  expect(created).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
  const ResourceArn = created.outputs["Arn"];
  expect((await client.send(new ListTagsOfResourceCommand({ ResourceArn }))).Tags).toContainEqual({
    Key: "a",
    Value: "b",
  });
  const changed = await deploy(
    cloudformation,
    "orders",
    template({ GlobalSecondaryIndexes: [index("second"), index("third")], DeletionProtectionEnabled: false }),
  );
  expect(changed).toMatchObject({ status: "UPDATE_COMPLETE", failures: [] });
  const { Table } = await client.send(new DescribeTableCommand({ TableName: "orders" }));
  expect(Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName)).toEqual(["second", "third"]);
  expect(Table?.StreamSpecification).toBeUndefined();
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: "orders" }));
  expect(TimeToLiveDescription?.TimeToLiveStatus).toBe("DISABLED");
  expect(await deploy(cloudformation, "orders", undefined)).toMatchObject({ status: "DELETE_COMPLETE" });
  await expect(client.send(new DescribeTableCommand({ TableName: "orders" }))).rejects.toThrow("not found");
}, 30_000);

test("what a table cannot do is refused before anything is created", async () => {
  const refused = deploy(cloudformation, "global", template({ WarmThroughput: { ReadUnitsPerSecond: 1 } }));
  await expect(refused).rejects.toThrow("WarmThroughput");
});

test("SAM's SimpleTable is a table with one key", async () => {
  const deployed = await deploy(cloudformation, "simple", {
    Transform: "AWS::Serverless-2016-10-31",
    Resources: { Things: { Type: "AWS::Serverless::SimpleTable", Properties: { TableName: "things" } } },
  });
  expect(deployed).toMatchObject({ status: "CREATE_COMPLETE" });
  const { Table } = await client.send(new DescribeTableCommand({ TableName: "things" }));
  expect(Table?.KeySchema).toEqual([{ AttributeName: "id", KeyType: "HASH" }]);
}, 30_000);
