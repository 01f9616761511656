import { IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account, policy, refusal, startAccessTest, type AccessTest } from "../../../testing/access.ts";
import { createFunctionRole } from "../../../testing/functions.ts";
import {
  createFedFunction,
  createReadingRole,
  createStreamedTable,
  mappingComesTo,
} from "../../../testing/fed-functions.ts";

let access: AccessTest;
let lambda: sdk.LambdaClient;
let role: string;
let stream: string;
const functionArn = `arn:aws:lambda:us-east-1:${account}:function`;
const unknown = "00000000-0000-4000-8000-000000000000";

beforeAll(async () => {
  access = await startAccessTest({ sandbox: "process" });
  const { settings } = access.platform;
  lambda = new sdk.LambdaClient(settings);
  role = await createReadingRole(settings);
  await createFedFunction(settings, { name: "fed", role });
  stream = await createStreamedTable(settings, "source");
});
afterAll(() => access.stop());

const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:${account}:${resource}`;
const filters = (...patterns: string[]) => ({ Filters: patterns.map((Pattern) => ({ Pattern })) });
const to = (Destination: string) => ({ OnFailure: { Destination } });

function create(more: Partial<sdk.CreateEventSourceMappingCommandInput> = {}) {
  return lambda.send(
    new sdk.CreateEventSourceMappingCommand({
      FunctionName: "fed",
      EventSourceArn: stream,
      StartingPosition: "LATEST",
      Enabled: false,
      ...more,
    }),
  );
}

async function remove(UUID: string | undefined): Promise<void> {
  await mappingComesTo(access.platform.settings, UUID, "Disabled");
  await lambda.send(new sdk.DeleteEventSourceMappingCommand({ UUID }));
  await mappingComesTo(access.platform.settings, UUID, "gone");
}

test("a mapping is answered with all its defaults, and goes from state to state", async () => {
  const { $metadata, ...created } = await create({ FunctionName: `${functionArn}:fed:$LATEST`, Enabled: true });
  expect($metadata.httpStatusCode).toBe(202);
  const { UUID } = created;
  const answer = {
    UUID: expect.stringMatching(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/),
    StartingPosition: "LATEST",
    BatchSize: 100,
    MaximumBatchingWindowInSeconds: 0,
    ParallelizationFactor: 1,
    EventSourceArn: stream,
    FunctionArn: `${functionArn}:fed`,
    LastModified: expect.any(Date),
    LastProcessingResult: "No records processed",
    State: "Creating",
    StateTransitionReason: "User action",
    DestinationConfig: { OnFailure: {} },
    MaximumRecordAgeInSeconds: -1,
    BisectBatchOnFunctionError: false,
    MaximumRetryAttempts: -1,
    TumblingWindowInSeconds: 0,
    FunctionResponseTypes: [],
    EventSourceMappingArn: `arn:aws:lambda:us-east-1:${account}:event-source-mapping:${UUID}`,
  };
  expect(created).toEqual(answer);
  await mappingComesTo(access.platform.settings, UUID, "Enabled");

  const { $metadata: _, ...updated } = await lambda.send(
    new sdk.UpdateEventSourceMappingCommand({
      UUID,
      Enabled: false,
      BatchSize: 7,
      MaximumBatchingWindowInSeconds: 5,
      ParallelizationFactor: 2,
      MaximumRecordAgeInSeconds: 60,
      MaximumRetryAttempts: 3,
      BisectBatchOnFunctionError: true,
      TumblingWindowInSeconds: 30,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      FilterCriteria: { Filters: [{ Pattern: '{"eventName":["INSERT"]}' }] },
      MetricsConfig: { Metrics: ["EventCount"] },
    }),
  );
  const changed = {
    ...answer,
    BatchSize: 7,
    MaximumBatchingWindowInSeconds: 5,
    ParallelizationFactor: 2,
    MaximumRecordAgeInSeconds: 60,
    MaximumRetryAttempts: 3,
    BisectBatchOnFunctionError: true,
    TumblingWindowInSeconds: 30,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    FilterCriteria: { Filters: [{ Pattern: '{"eventName":["INSERT"]}' }] },
    MetricsConfig: { Metrics: ["EventCount"] },
  };
  expect(updated).toEqual({ ...changed, State: "Disabling" });
  await mappingComesTo(access.platform.settings, UUID, "Disabled");

  const cleared = await lambda.send(new sdk.UpdateEventSourceMappingCommand({ UUID, FilterCriteria: {} }));
  expect(cleared).toMatchObject({ State: "Updating", BatchSize: 7 });
  expect(cleared.FilterCriteria).toBeUndefined();
  await mappingComesTo(access.platform.settings, UUID, "Disabled");

  expect(await lambda.send(new sdk.DeleteEventSourceMappingCommand({ UUID }))).toMatchObject({
    UUID,
    State: "Deleting",
  });
  await mappingComesTo(access.platform.settings, UUID, "gone");
});

describe("CreateEventSourceMapping refuses", () => {
  const invalid = "InvalidParameterValueException";
  const kafka = { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["a:9092"] } };
  test.each<[Partial<sdk.CreateEventSourceMappingCommandInput>, string, string]>([
    [{ FunctionName: "missing" }, invalid, "Function does not exist"],
    [{ FunctionName: "fed:missing" }, invalid, "Function does not exist"],
    [{ FunctionName: "111111111111:function:fed" }, invalid, "Function does not exist"],
    [{ EventSourceArn: undefined }, invalid, "Unrecognized event source."],
    [{ EventSourceArn: arn("dynamodb", "table/source") }, invalid, "Unrecognized event source."],
    [{ EventSourceArn: arn("s3", "bucket") }, invalid, "Unrecognized event source."],
    [{ EventSourceArn: arn("sqs", "q") }, "NotImplemented", "The event source sqs of CreateEventSourceMapping"],
    [{ EventSourceArn: arn("kinesis", "stream/s") }, "NotImplemented", "The event source kinesis of"],
    [{ EventSourceArn: arn("kafka", "cluster/c/1") }, "NotImplemented", "The event source kafka of"],
    [{ EventSourceArn: undefined, SelfManagedEventSource: kafka }, "NotImplemented", "SelfManagedEventSource of"],
    [
      { EventSourceArn: arn("dynamodb", "table/source/stream/2020-01-01T00:00:00.000") },
      invalid,
      `Stream not found: ${arn("dynamodb", "table/source/stream/2020-01-01T00:00:00.000")}`,
    ],
    [
      { StartingPosition: undefined },
      invalid,
      "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
    ],
    [
      { StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp: new Date() },
      invalid,
      "Unsupported starting position for arn type: arn:aws:dynamodb:",
    ],
    [{ StartingPositionTimestamp: new Date() }, invalid, "StartingPositionTimestamp is for"],
    [{ BatchSize: 10_001 }, "ValidationException", "less than or equal to 10000"],
    [{ ParallelizationFactor: 11 }, "ValidationException", "less than or equal to 10"],
    [{ TumblingWindowInSeconds: 901 }, "ValidationException", "less than or equal to 900"],
    [{ MaximumRecordAgeInSeconds: 59 }, invalid, "MaximumRecordAgeInSeconds is -1, or between 60 and 604800."],
    [{ FilterCriteria: filters("{") }, invalid, "Invalid filter pattern definition."],
    [{ FilterCriteria: filters('{"a":"b"}') }, invalid, "Invalid filter pattern definition."],
    [{ FilterCriteria: { Filters: [{}] } }, invalid, "Invalid filter pattern definition."],
    [{ FilterCriteria: filters(...Array.from({ length: 6 }, () => '{"a":[1]}')) }, invalid, "at most 5 filters"],
    [{ KMSKeyArn: arn("kms", "key/k") }, "NotImplemented", "KMSKeyArn of CreateEventSourceMapping"],
    [
      { ScalingConfig: { MaximumConcurrency: 2 } },
      invalid,
      "ScalingConfig is not supported for DynamoDB event sources.",
    ],
    [{ ProvisionedPollerConfig: { MinimumPollers: 1 } }, invalid, "ProvisionedPollerConfig is not supported for"],
    [{ LoggingConfig: { SystemLogLevel: "INFO" } }, invalid, "LoggingConfig is not supported for"],
    [{ Topics: ["t1"] }, invalid, "Topics is not supported for"],
    [{ Queues: ["q"] }, invalid, "Queues is not supported for"],
    [{ MetricsConfig: { Metrics: ["ErrorCount"] } }, invalid, "The metrics ErrorCount are for Kafka event sources."],
    [
      { DestinationConfig: to(arn("sqs", "q")) },
      "NotImplemented",
      "The destination sqs in DestinationConfig.OnFailure",
    ],
    [
      { DestinationConfig: to(arn("sns", "t")) },
      "NotImplemented",
      "The destination sns in DestinationConfig.OnFailure",
    ],
    [{ DestinationConfig: to(`${functionArn}:fed`) }, invalid, "is invalid."],
    [{ DestinationConfig: { OnSuccess: { Destination: "arn:aws:s3:::b" } } }, invalid, "OnSuccess is not supported."],
    [{ Tags: { "aws:x": "y" } }, invalid, "System tags cannot be added or updated"],
  ])("%j", async (more, name, message) => {
    const refused = await refusal(create(more));
    expect(refused).toMatchObject({ name, message: expect.stringContaining(message) });
  });

  test("a role that may not read the stream, or not put into the bucket", async () => {
    const { settings } = access.platform;
    const blind = await createFunctionRole(settings, "blind");
    await createFedFunction(settings, { name: "blind", role: blind });
    expect(await refusal(create({ FunctionName: "blind" }))).toMatchObject({
      name: "InvalidParameterValueException",
      message: `Cannot access stream ${stream}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.`,
    });
    const read = policy({ Effect: "Allow", Action: "dynamodb:*", Resource: stream });
    const named = { RoleName: "blind", PolicyName: "read", PolicyDocument: read };
    await new IAMClient(settings).send(new PutRolePolicyCommand(named));
    const DestinationConfig = { OnFailure: { Destination: "arn:aws:s3:::failures" } };
    expect(await refusal(create({ FunctionName: "blind", DestinationConfig }))).toMatchObject({
      message: "The provided execution role does not have permissions to call PutObject on S3",
    });
  });

  test("a second mapping of the same source and function", async () => {
    const { UUID } = await create();
    expect(await refusal(create())).toEqual({
      name: "ResourceConflictException",
      status: 409,
      message: `The event source arn (" ${stream} ") and function (" fed ") provided mapping already exists. Please update or delete the existing mapping with UUID ${UUID}`,
    });
    await remove(UUID);
    await remove((await create()).UUID);
  });
});

test("a mapping that is not there is told so", async () => {
  const UUID = unknown;
  const Resource = `arn:aws:lambda:us-east-1:${account}:event-source-mapping:${UUID}`;
  const asked = [
    () => lambda.send(new sdk.GetEventSourceMappingCommand({ UUID })),
    () => lambda.send(new sdk.UpdateEventSourceMappingCommand({ UUID, BatchSize: 1 })),
    () => lambda.send(new sdk.DeleteEventSourceMappingCommand({ UUID })),
    () => lambda.send(new sdk.ListTagsCommand({ Resource })),
  ];
  for (const ask of asked) {
    expect(await refusal(ask())).toEqual({
      name: "ResourceNotFoundException",
      status: 404,
      message: "The resource you requested does not exist.",
    });
  }
});

test("a mapping that is on its way to another state is in use", async () => {
  const { UUID } = await create();
  await mappingComesTo(access.platform.settings, UUID, "Disabled");
  // Both at once: one of them comes first.
  const both = await Promise.allSettled([
    lambda.send(new sdk.UpdateEventSourceMappingCommand({ UUID, BatchSize: 2 })),
    lambda.send(new sdk.DeleteEventSourceMappingCommand({ UUID })),
  ]);
  for (const each of both) {
    if (each.status === "fulfilled") continue;
    expect(String(each.reason)).toMatch(
      /Cannot (update|delete) the event source mapping because it is in use\.|The resource you requested does not exist\./,
    );
  }
  if (both[1].status === "rejected") await remove(UUID);
  else await mappingComesTo(access.platform.settings, UUID, "gone");
});

test("ListEventSourceMappings chooses by source and function, and pages to the end", async () => {
  const { settings } = access.platform;
  const other = await createStreamedTable(settings, "other");
  await lambda.send(new sdk.PublishVersionCommand({ FunctionName: "fed" }));
  const made = [
    await create(),
    await create({ EventSourceArn: other }),
    await create({ FunctionName: "fed:1" }),
    await create({ FunctionName: "fed:1", EventSourceArn: other }),
  ].map(({ UUID }) => UUID);
  const list = async (more: sdk.ListEventSourceMappingsCommandInput) => {
    const { EventSourceMappings = [], NextMarker } = await lambda.send(new sdk.ListEventSourceMappingsCommand(more));
    return { ids: EventSourceMappings.map(({ UUID }) => UUID), NextMarker };
  };
  expect((await list({})).ids).toEqual(made.toSorted());
  expect((await list({ FunctionName: "fed" })).ids).toEqual([made[0], made[1]].toSorted());
  expect((await list({ FunctionName: "fed:1", EventSourceArn: other })).ids).toEqual([made[3]]);
  expect((await list({ FunctionName: "unknown" })).ids).toEqual([]);
  const paged: unknown[] = [];
  let Marker: string | undefined;
  do {
    const { ids, NextMarker } = await list({ MaxItems: 3, ...(Marker !== undefined && { Marker }) });
    paged.push(...ids);
    Marker = NextMarker;
  } while (Marker !== undefined);
  expect(paged).toEqual(made.toSorted());
  await Promise.all(made.map(remove));
});

test("tags are kept, and policies may ask which function a mapping is for", async () => {
  const { UUID, EventSourceMappingArn: Resource } = await create({ Tags: { a: "1" } });
  await lambda.send(new sdk.TagResourceCommand({ Resource, Tags: { b: "2" } }));
  await lambda.send(new sdk.UntagResourceCommand({ Resource, TagKeys: ["a"] }));
  expect((await lambda.send(new sdk.ListTagsCommand({ Resource }))).Tags).toEqual({ b: "2" });

  const keys = await access.createUser(
    "mapper",
    policy({
      Effect: "Allow",
      Action: "lambda:*EventSourceMapping",
      Resource: "*",
      Condition: { StringEquals: { "lambda:FunctionArn": `${functionArn}:fed` } },
    }),
  );
  const as = new sdk.LambdaClient({ ...access.platform.settings, credentials: keys });
  expect(await as.send(new sdk.GetEventSourceMappingCommand({ UUID }))).toMatchObject({ UUID });
  const moved = as.send(new sdk.UpdateEventSourceMappingCommand({ UUID, FunctionName: "blind" }));
  expect(await refusal(moved)).toMatchObject({ name: "AccessDeniedException" });
  const made = as.send(
    new sdk.CreateEventSourceMappingCommand({
      FunctionName: "blind",
      EventSourceArn: stream,
      StartingPosition: "LATEST",
    }),
  );
  expect(await refusal(made)).toMatchObject({ name: "AccessDeniedException" });
  await remove(UUID);
});
