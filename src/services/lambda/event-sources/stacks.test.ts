import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { deploy } from "../../../testing/stacks.ts";
import { fedEvents } from "../../../testing/fed-functions.ts";

let platform: TestPlatform;
let cloudformation: CloudFormationClient;
let lambda: LambdaClient;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  cloudformation = new CloudFormationClient(platform.settings);
  lambda = new LambdaClient(platform.settings);
});
afterAll(() => platform.stop());

const table = (TableName: string) => ({
  Type: "AWS::DynamoDB::Table",
  Properties: {
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    StreamSpecification: { StreamViewType: "NEW_IMAGE" },
  },
});
const StreamArn = { "Fn::GetAtt": ["Orders", "StreamArn"] };

/** A table and a function that is fed by it, as SAM describes them. */
const serverless = (more: object) => ({
  Transform: "AWS::Serverless-2016-10-31",
  Resources: {
    Orders: table("orders"),
    Others: table("others"),
    Ship: {
      Type: "AWS::Serverless::Function",
      Properties: {
        FunctionName: "ship",
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        InlineCode: 'exports.handler = async (event) => console.log("event " + JSON.stringify(event));',
        Events: {
          Ordered: {
            Type: "DynamoDB",
            Properties: { Stream: StreamArn, StartingPosition: "TRIM_HORIZON", BatchSize: 10, ...more },
          },
        },
      },
    },
  },
  Outputs: {
    Ref: { Value: { Ref: "ShipOrdered" } },
    Arn: { Value: { "Fn::GetAtt": ["ShipOrdered", "EventSourceMappingArn"] } },
    Id: { Value: { "Fn::GetAtt": ["ShipOrdered", "Id"] } },
  },
});

test("SAM's DynamoDB event: what is written to the table comes to the function, and updates change the mapping in place", async () => {
  const Filters = [{ Pattern: '{"eventName":["INSERT"]}' }];
  const created = await deploy(cloudformation, "shop", serverless({ FilterCriteria: { Filters } }));
  expect(created).toMatchObject({ status: "CREATE_COMPLETE" });
  const UUID = created.outputs["Id"] ?? "";
  expect(created.outputs).toEqual({
    Ref: UUID,
    Id: UUID,
    Arn: `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${UUID}`,
  });
  const mapping = () => lambda.send(new GetEventSourceMappingCommand({ UUID }));
  expect(await mapping()).toMatchObject({ State: "Enabled", BatchSize: 10, FilterCriteria: { Filters } });
  const { Tags } = await lambda.send(new ListTagsCommand({ Resource: created.outputs["Arn"] }));
  expect(Tags).toMatchObject({ "aws:cloudformation:logical-id": "ShipOrdered" });

  await new DynamoDBClient(platform.settings).send(
    new PutItemCommand({ TableName: "orders", Item: { id: { S: "1" }, what: { S: "tea" } } }),
  );
  const [event] = await fedEvents(platform.settings, "ship", 1);
  expect(event?.Records).toMatchObject([
    { eventName: "INSERT", dynamodb: { NewImage: { id: { S: "1" }, what: { S: "tea" } } } },
  ]);

  const updated = await deploy(
    cloudformation,
    "shop",
    serverless({
      BatchSize: 3,
      Enabled: false,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    }),
  );
  expect(updated).toMatchObject({ status: "UPDATE_COMPLETE", outputs: { Id: UUID } });
  const after = await mapping();
  expect(after).toMatchObject({
    State: "Disabled",
    BatchSize: 3,
    BisectBatchOnFunctionError: true,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
  });
  expect(after.FilterCriteria).toBeUndefined();

  expect(await deploy(cloudformation, "shop", undefined)).toMatchObject({ status: "DELETE_COMPLETE" });
  expect((await lambda.send(new ListEventSourceMappingsCommand({}))).EventSourceMappings).toEqual([]);
});

test.each<[object, string]>([
  [{ KmsKeyArn: "arn:aws:kms:us-east-1:000000000000:key/k" }, "KmsKeyArn"],
  [{ ProvisionedPollerConfig: { MinimumPollers: 1 } }, "ProvisionedPollerConfig"],
  [{ ScalingConfig: { MaximumConcurrency: 2 } }, "ScalingConfig"],
])("%j is refused by name before anything is made", async (more, property) => {
  await expect(deploy(cloudformation, "refused", serverless(more))).rejects.toThrow(property);
});

test("another stream is a new mapping, the old one goes", async () => {
  const first = await deploy(cloudformation, "moved", serverless({}));
  const second = await deploy(
    cloudformation,
    "moved",
    serverless({ Stream: { "Fn::GetAtt": ["Others", "StreamArn"] } }),
  );
  expect([first.failures, second.failures]).toEqual([[], []]);
  expect(second.outputs["Id"]).not.toBe(first.outputs["Id"]);
  const { EventSourceMappings } = await lambda.send(new ListEventSourceMappingsCommand({}));
  expect(EventSourceMappings).toMatchObject([
    { UUID: second.outputs["Id"], EventSourceArn: expect.stringContaining("table/others/stream/") },
  ]);
});
