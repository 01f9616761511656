import AWS from "aws-sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";

/** Version 2 of the SDK has left support and is still in many a function. */
let platform: TestPlatform;
let options: object;

beforeAll(async () => {
  // It says on standard error that it has left support.
  process.env["AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE"] = "1";
  platform = await startTestPlatform();
  const { endpoint, region, credentials } = platform.settings;
  options = { endpoint, region, credentials, maxRetries: 0 };
});
afterAll(() => platform.stop());

test("The AWS SDK for JavaScript, version 2, writes and reads tables, alone and with its document client", async () => {
  const dynamodb = new AWS.DynamoDB(options);
  const KeySchema = [{ AttributeName: "id", KeyType: "HASH" }];
  const AttributeDefinitions = [{ AttributeName: "id", AttributeType: "S" }];
  await dynamodb
    .createTable({ TableName: "version-2", KeySchema, AttributeDefinitions, BillingMode: "PAY_PER_REQUEST" })
    .promise();
  await dynamodb.waitFor("tableExists", { TableName: "version-2" }).promise();
  const documents = new AWS.DynamoDB.DocumentClient({ service: dynamodb });
  await documents
    .put({ TableName: "version-2", Item: { id: "a", n: 1.5, tags: documents.createSet(["x", "y"]) } })
    .promise();
  expect((await dynamodb.getItem({ TableName: "version-2", Key: { id: { S: "a" } } }).promise()).Item).toEqual({
    id: { S: "a" },
    n: { N: "1.5" },
    tags: { SS: ["x", "y"] },
  });
  const again = { TableName: "version-2", Item: { id: "a" }, ConditionExpression: "attribute_not_exists(id)" };
  await expect(documents.put(again).promise()).rejects.toMatchObject({
    code: "ConditionalCheckFailedException",
    statusCode: 400,
    message: "The conditional request failed",
  });
  await expect(documents.get({ TableName: "none", Key: { id: "a" } }).promise()).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
});

test("The AWS SDK for JavaScript, version 2, uploads in parts, copies, presigns and lists", async () => {
  const s3 = new AWS.S3({ ...options, s3ForcePathStyle: true, signatureVersion: "v4" });
  await s3.createBucket({ Bucket: "v2-files" }).promise();
  const Body = Buffer.alloc(11 * 1024 * 1024, "v2");
  await s3.upload({ Bucket: "v2-files", Key: "large", Body }, { partSize: 5 * 1024 * 1024 }).promise();
  await s3.copyObject({ Bucket: "v2-files", Key: "copy", CopySource: "v2-files/large" }).promise();
  const { Contents } = await s3.listObjectsV2({ Bucket: "v2-files" }).promise();
  expect(Contents?.map(({ Key, Size }) => [Key, Size])).toEqual([
    ["copy", Body.length],
    ["large", Body.length],
  ]);
  const url = await s3.getSignedUrlPromise("getObject", { Bucket: "v2-files", Key: "copy" });
  expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(Body)).toBe(true);
  await expect(s3.headObject({ Bucket: "v2-files", Key: "none" }).promise()).rejects.toMatchObject({ statusCode: 404 });
});
