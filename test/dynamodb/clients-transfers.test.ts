import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { runTool, tools } from "../../src/testing/tools.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
});
afterAll(() => platform.stop());

const script = `
import boto3, gzip, json
client = boto3.client("dynamodb")
s3 = boto3.client("s3")
s3.create_bucket(Bucket="boto-transfers")
shape = dict(AttributeDefinitions=[{"AttributeName": "h", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "h", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST")
table = client.create_table(TableName="origin", **shape)["TableDescription"]
client.get_waiter("table_exists").wait(TableName="origin", WaiterConfig={"Delay": 1})
client.update_continuous_backups(TableName="origin", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
for at in range(3):
    client.put_item(TableName="origin", Item={"h": {"S": str(at)}, "b": {"B": b"\\x00\\xff"}})
backup = client.create_backup(TableName="origin", BackupName="one")["BackupDetails"]["BackupArn"]
export = client.export_table_to_point_in_time(TableArn=table["TableArn"], S3Bucket="boto-transfers", S3Prefix="p")["ExportDescription"]
client.get_waiter("export_completed").wait(ExportArn=export["ExportArn"], WaiterConfig={"Delay": 1})
done = client.describe_export(ExportArn=export["ExportArn"])["ExportDescription"]
summary = json.loads(s3.get_object(Bucket="boto-transfers", Key=done["ExportManifest"])["Body"].read())
files = s3.get_object(Bucket="boto-transfers", Key=summary["manifestFilesS3Key"])["Body"].read().decode().splitlines()
lines = [line for file in files for line in gzip.decompress(
    s3.get_object(Bucket="boto-transfers", Key=json.loads(file)["dataFileS3Key"])["Body"].read()).decode().splitlines()]
items = sorted(json.loads(line)["Item"]["h"]["S"] + json.loads(line)["Item"]["b"]["B"] for line in lines)
assert items == ["0AP8=", "1AP8=", "2AP8="], items
prefix = "/".join(done["ExportManifest"].split("/")[:-1]) + "/data/"
imported = client.import_table(S3BucketSource={"S3Bucket": "boto-transfers", "S3KeyPrefix": prefix}, InputFormat="DYNAMODB_JSON",
    InputCompressionType="GZIP", TableCreationParameters=dict(TableName="copy", **shape))["ImportTableDescription"]
client.get_waiter("import_completed").wait(ImportArn=imported["ImportArn"], WaiterConfig={"Delay": 1})
assert client.get_item(TableName="copy", Key={"h": {"S": "1"}})["Item"]["b"]["B"] == b"\\x00\\xff"
client.restore_table_from_backup(TargetTableName="restored", BackupArn=backup)
client.get_waiter("table_exists").wait(TableName="restored", WaiterConfig={"Delay": 1})
assert client.scan(TableName="restored")["Count"] == 3
names = [each["BackupName"] for page in client.get_paginator("list_backups").paginate() for each in page["BackupSummaries"]]
assert names == ["one"], names
`;

test("boto3 backs up, restores, exports and imports with its waiters and paginators", async () => {
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
