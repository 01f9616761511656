import { DynamoDB, type AttributeValue } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../src/testing/platform.ts";

let platform: TestPlatform;
let dynamodb: DynamoDB;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  dynamodb = new DynamoDB(platform.settings);
  await dynamodb.createTable({
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: "h", AttributeType: "S" },
      { AttributeName: "r", AttributeType: "N" },
      { AttributeName: "g", AttributeType: "S" },
    ],
    KeySchema: [
      { AttributeName: "h", KeyType: "HASH" },
      { AttributeName: "r", KeyType: "RANGE" },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: "gsi",
        KeySchema: [{ AttributeName: "g", KeyType: "HASH" }],
        Projection: { ProjectionType: "KEYS_ONLY" },
      },
    ],
    DeletionProtectionEnabled: true,
  });
  await dynamodb.updateTimeToLive({ TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: "ends" } });
});
afterAll(() => platform.stop());

const TableName = "refusals";
const Key = { h: { S: "a" }, r: { N: "1" } };
const ofHash = { KeyConditionExpression: "h = :h", ExpressionAttributeValues: { ":h": { S: "a" } } };
const keys = (count: number) => Array.from({ length: count }, (_, at) => ({ h: { S: "a" }, r: { N: `${at}` } }));
const invalid = "One or more parameter values were invalid: ";
const put = (more: Record<string, AttributeValue>) => () => dynamodb.putItem({ TableName, Item: { ...Key, ...more } });

describe("what cannot be is refused with a ValidationException, in DynamoDB's words", () => {
  test.each<[string, string, () => Promise<unknown>]>([
    [
      "PutItem",
      "ReturnValues can only be ALL_OLD or NONE",
      () => dynamodb.putItem({ TableName, Item: Key, ReturnValues: "ALL_NEW" }),
    ],
    [
      "DeleteItem",
      "ReturnValues can only be ALL_OLD or NONE",
      () => dynamodb.deleteItem({ TableName, Key, ReturnValues: "UPDATED_OLD" }),
    ],
    ["PutItem", `${invalid}Missing the key r in the item`, () => dynamodb.putItem({ TableName, Item: { h: Key.h } })],
    [
      "PutItem",
      `${invalid}Type mismatch for key r expected: N actual: S`,
      () => dynamodb.putItem({ TableName, Item: { ...Key, r: { S: "1" } } }),
    ],
    ["PutItem", `${invalid}Type mismatch for Index Key g Expected: S Actual: N IndexName: gsi`, put({ g: { N: "1" } })],
    [
      "PutItem",
      "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: h",
      () => dynamodb.putItem({ TableName, Item: { ...Key, h: { S: "" } } }),
    ],
    ["PutItem", "Item size has exceeded the maximum allowed size", put({ x: { S: "x".repeat(409_600) } })],
    ["PutItem", "The parameter cannot be converted to a numeric value: one", put({ x: { N: "one" } })],
    [
      "PutItem",
      "Number overflow. Attempting to store a number with magnitude larger than supported range",
      put({ x: { N: "1e126" } }),
    ],
    [
      "PutItem",
      "Number underflow. Attempting to store a number with magnitude smaller than supported range",
      put({ x: { N: "1e-131" } }),
    ],
    ["PutItem", "Attempting to store more than 38 significant digits in a Number", put({ x: { N: "1".repeat(39) } })],
    ["PutItem", `${invalid}An string set  may not be empty`, put({ x: { SS: [] } })],
    ["PutItem", `${invalid}Input collection [a, a] contains duplicates.`, put({ x: { SS: ["a", "a"] } })],
    ["PutItem", "Input collection contains duplicates", put({ x: { NS: ["1", "1.0"] } })],
    ["PutItem", `${invalid}Null attribute value types must have the value of true`, put({ x: { NULL: false } })],
    [
      "GetItem",
      "The provided key element does not match the schema",
      () => dynamodb.getItem({ TableName, Key: { h: Key.h } }),
    ],
    [
      "GetItem",
      "The provided key element does not match the schema",
      () => dynamodb.getItem({ TableName, Key: { ...Key, r: { S: "1" } } }),
    ],
    [
      "UpdateItem",
      `${invalid}Cannot update attribute h. This attribute is part of the key`,
      () =>
        dynamodb.updateItem({
          TableName,
          Key,
          UpdateExpression: "SET h = :v",
          ExpressionAttributeValues: { ":v": { S: "b" } },
        }),
    ],
    [
      "UpdateItem",
      "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression}",
      () =>
        dynamodb.updateItem({
          TableName,
          Key,
          UpdateExpression: "REMOVE x",
          AttributeUpdates: { x: { Action: "DELETE" } },
        }),
    ],
    [
      "PutItem",
      "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}",
      () =>
        dynamodb.putItem({
          TableName,
          Item: Key,
          ConditionExpression: "attribute_exists(h)",
          ExpressionAttributeValues: { ":x": { S: "x" } },
        }),
    ],
    [
      "PutItem",
      "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}",
      () =>
        dynamodb.putItem({
          TableName,
          Item: Key,
          ConditionExpression: "attribute_exists(h)",
          ExpressionAttributeNames: { "#x": "x" },
        }),
    ],
    [
      "GetItem",
      "ExpressionAttributeNames can only be specified when using expressions",
      () => dynamodb.getItem({ TableName, Key, ExpressionAttributeNames: { "#x": "x" } }),
    ],
    [
      "Query",
      "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
      () => dynamodb.query({ TableName }),
    ],
    [
      "Query",
      "The table does not have the specified index: none",
      () => dynamodb.query({ TableName, IndexName: "none", ...ofHash }),
    ],
    [
      "Query",
      "Consistent reads are not supported on global secondary indexes",
      () =>
        dynamodb.query({
          TableName,
          IndexName: "gsi",
          ConsistentRead: true,
          KeyConditionExpression: "g = :h",
          ExpressionAttributeValues: ofHash.ExpressionAttributeValues,
        }),
    ],
    [
      "Query",
      "Query condition missed key schema element: h",
      () =>
        dynamodb.query({
          TableName,
          KeyConditionExpression: "r = :r",
          ExpressionAttributeValues: { ":r": { N: "1" } },
        }),
    ],
    [
      "Query",
      "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
      () => dynamodb.query({ TableName, ...ofHash, Select: "SPECIFIC_ATTRIBUTES" }),
    ],
    [
      "Query",
      `${invalid}ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName`,
      () => dynamodb.query({ TableName, ...ofHash, Select: "ALL_PROJECTED_ATTRIBUTES" }),
    ],
    [
      "Query",
      "Cannot specify the ProjectionExpression when choosing to get only the Count",
      () => dynamodb.query({ TableName, ...ofHash, Select: "COUNT", ProjectionExpression: "h" }),
    ],
    [
      "Query",
      "The provided starting key is invalid: The provided key element does not match the schema",
      () => dynamodb.query({ TableName, ...ofHash, ExclusiveStartKey: { h: Key.h } }),
    ],
    [
      "Scan",
      "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
      () => dynamodb.scan({ TableName, TotalSegments: 2 }),
    ],
    [
      "Scan",
      "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
      () => dynamodb.scan({ TableName, Segment: 0 }),
    ],
    [
      "Scan",
      "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2",
      () => dynamodb.scan({ TableName, Segment: 2, TotalSegments: 2 }),
    ],
    [
      "Scan",
      "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
      () => dynamodb.scan({ TableName, Limit: 0 }),
    ],
    [
      "BatchGetItem",
      "Provided list of item keys contains duplicates",
      () => dynamodb.batchGetItem({ RequestItems: { [TableName]: { Keys: [Key, Key] } } }),
    ],
    [
      "BatchWriteItem",
      "Provided list of item keys contains duplicates",
      () =>
        dynamodb.batchWriteItem({
          RequestItems: { [TableName]: [{ PutRequest: { Item: Key } }, { DeleteRequest: { Key } }] },
        }),
    ],
    [
      "TransactWriteItems",
      "Transaction request cannot include multiple operations on one item",
      () =>
        dynamodb.transactWriteItems({
          TransactItems: [{ Put: { TableName, Item: Key } }, { Delete: { TableName, Key } }],
        }),
    ],
    [
      "TransactWriteItems",
      "TransactItems can only contain one of Check, Put, Update or Delete",
      () =>
        dynamodb.transactWriteItems({
          TransactItems: [{ Put: { TableName, Item: Key }, Delete: { TableName, Key } }],
        }),
    ],
    [
      "DeleteTable",
      "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
      () => dynamodb.deleteTable({ TableName }),
    ],
    [
      "UpdateTimeToLive",
      "TimeToLive is active on a different AttributeName: current AttributeName is ends",
      () =>
        dynamodb.updateTimeToLive({ TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: "other" } }),
    ],
    [
      "UpdateTimeToLive",
      "TimeToLive is already enabled",
      () => dynamodb.updateTimeToLive({ TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: "ends" } }),
    ],
    [
      "GetItem",
      "TableName must be at least 3 characters long and at most 255 characters long",
      () => dynamodb.getItem({ TableName: "ab", Key }),
    ],
    [
      "UpdateTable",
      "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required",
      () => dynamodb.updateTable({ TableName }),
    ],
  ])("%s: %s", async (_operation, message, send) => {
    await expect(send()).rejects.toMatchObject({
      name: "ValidationException",
      message,
      $metadata: { httpStatusCode: 400 },
    });
  });

  test("batches and transactions have as many parts as they may have", async () => {
    await expect(dynamodb.batchGetItem({ RequestItems: { [TableName]: { Keys: keys(101) } } })).rejects.toMatchObject({
      name: "ValidationException",
    });
    const requests = keys(26).map((Item) => ({ PutRequest: { Item } }));
    await expect(dynamodb.batchWriteItem({ RequestItems: { [TableName]: requests } })).rejects.toMatchObject({
      name: "ValidationException",
    });
    const TransactItems = keys(101).map((each) => ({ Delete: { TableName, Key: each } }));
    await expect(dynamodb.transactWriteItems({ TransactItems })).rejects.toThrow(
      "Member must have length less than or equal to 100",
    );
  });
});
