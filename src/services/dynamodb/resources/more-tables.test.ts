import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { S3 } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { deploy } from "../../../testing/stacks.ts";

let platform: TestPlatform;
let cloudformation: CloudFormationClient;
let dynamodb: DynamoDB;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  cloudformation = new CloudFormationClient(platform.settings);
  dynamodb = new DynamoDB(platform.settings);
});
afterAll(() => platform.stop());

/** As CDK's TableV2 writes it. */
const globalTable = (replica: object, more: object = {}) => ({
  Resources: {
    Table: {
      Type: "AWS::DynamoDB::GlobalTable",
      Properties: {
        TableName: "global",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [
          { AttributeName: "h", AttributeType: "S" },
          { AttributeName: "g", AttributeType: "S" },
        ],
        KeySchema: [{ AttributeName: "h", KeyType: "HASH" }],
        GlobalSecondaryIndexes: [
          {
            IndexName: "gsi",
            KeySchema: [{ AttributeName: "g", KeyType: "HASH" }],
            Projection: { ProjectionType: "ALL" },
            WriteOnDemandThroughputSettings: { MaxWriteRequestUnits: 50 },
          },
        ],
        Replicas: [{ Region: { Ref: "AWS::Region" }, ...replica }],
        ...more,
      },
    },
  },
  Outputs: {
    Arn: { Value: { "Fn::GetAtt": ["Table", "Arn"] } },
    Id: { Value: { "Fn::GetAtt": ["Table", "TableId"] } },
  },
});

test("a global table with its one replica in the stack's region is a table", async () => {
  const created = await deploy(
    cloudformation,
    "global",
    globalTable({
      DeletionProtectionEnabled: false,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      Tags: [{ Key: "a", Value: "b" }],
      GlobalSecondaryIndexes: [{ IndexName: "gsi", ReadOnDemandThroughputSettings: { MaxReadRequestUnits: 40 } }],
    }),
  );
  expect(created).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
  const { Table } = await dynamodb.describeTable({ TableName: "global" });
  expect(Table?.TableId).toBe(created.outputs["Id"]);
  expect(Table?.GlobalSecondaryIndexes?.[0]?.OnDemandThroughput).toEqual({
    MaxReadRequestUnits: 40,
    MaxWriteRequestUnits: 50,
  });
  expect((await dynamodb.listTagsOfResource({ ResourceArn: Table?.TableArn })).Tags).toEqual([
    { Key: "a", Value: "b" },
  ]);
  const changed = await deploy(
    cloudformation,
    "global",
    globalTable({ TableClass: "STANDARD_INFREQUENT_ACCESS" }, { StreamSpecification: { StreamViewType: "NEW_IMAGE" } }),
  );
  expect(changed).toMatchObject({ status: "UPDATE_COMPLETE", failures: [] });
  expect((await dynamodb.describeTable({ TableName: "global" })).Table).toMatchObject({
    TableClassSummary: { TableClass: "STANDARD_INFREQUENT_ACCESS" },
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
  });
  const { ContinuousBackupsDescription } = await dynamodb.describeContinuousBackups({ TableName: "global" });
  expect(ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus).toBe("DISABLED");
  expect(await deploy(cloudformation, "global", undefined)).toMatchObject({ status: "DELETE_COMPLETE" });
  await expect(dynamodb.describeTable({ TableName: "global" })).rejects.toThrow("not found");
}, 30_000);

test("replicas elsewhere are refused by name", async () => {
  const { failures } = await deploy(cloudformation, "elsewhere", globalTable({ Region: "eu-west-1" }));
  expect(JSON.stringify(failures)).toContain("A replica of AWS::DynamoDB::GlobalTable in eu-west-1");
  await expect(
    deploy(cloudformation, "insights", globalTable({ ContributorInsightsSpecification: { Enabled: true } })),
  ).rejects.toThrow("ContributorInsightsSpecification");
}, 30_000);

const importing = (S3Bucket: string) => ({
  Resources: {
    Table: {
      Type: "AWS::DynamoDB::Table",
      Properties: {
        TableName: "imported",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "h", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "h", KeyType: "HASH" }],
        StreamSpecification: { StreamViewType: "KEYS_ONLY" },
        Tags: [{ Key: "a", Value: "b" }],
        ImportSourceSpecification: {
          S3BucketSource: { S3Bucket, S3KeyPrefix: "items/" },
          InputFormat: "CSV",
        },
      },
    },
  },
});

test("a table is imported by its stack, and has what the stack says besides", async () => {
  const s3 = new S3({ ...platform.settings, forcePathStyle: true });
  await s3.createBucket({ Bucket: "imports" });
  await s3.putObject({ Bucket: "imports", Key: "items/1", Body: "h,n\na,1\nb,2\n" });
  const failed = await deploy(cloudformation, "not-imported", importing("no-such-bucket"));
  expect(JSON.stringify(failed.failures)).toContain("S3NoSuchBucket");
  const created = await deploy(cloudformation, "imported", importing("imports"));
  expect(created).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
  expect((await dynamodb.scan({ TableName: "imported" })).Count).toBe(2);
  const { Table } = await dynamodb.describeTable({ TableName: "imported" });
  expect(Table?.StreamSpecification?.StreamViewType).toBe("KEYS_ONLY");
}, 30_000);
