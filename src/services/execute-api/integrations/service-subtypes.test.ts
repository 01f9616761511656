import { expect, test } from "vitest";
import { serviceSubtypes, subtypeInput, subtypeTarget } from "./service-subtypes.ts";

const words = (text: string) => text.split(" ").filter((word) => word !== "");

// Source: "Integration subtype reference for HTTP APIs": required parameters, then optional ones, besides `Region`.
test.each([
  ["EventBridge-PutEvents", "Detail DetailType Source", "Time EventBusName Resources TraceHeader"],
  [
    "SQS-SendMessage",
    "QueueUrl MessageBody",
    "DelaySeconds MessageAttributes MessageDeduplicationId MessageGroupId MessageSystemAttributes",
  ],
  [
    "SQS-ReceiveMessage",
    "QueueUrl",
    "AttributeNames MaxNumberOfMessages MessageAttributeNames ReceiveRequestAttemptId VisibilityTimeout WaitTimeSeconds",
  ],
  ["SQS-DeleteMessage", "ReceiptHandle QueueUrl", ""],
  ["SQS-PurgeQueue", "QueueUrl", ""],
  ["AppConfig-GetConfiguration", "Application Environment Configuration ClientId", "ClientConfigurationVersion"],
  ["Kinesis-PutRecord", "StreamName Data PartitionKey", "SequenceNumberForOrdering ExplicitHashKey"],
  ["StepFunctions-StartExecution", "StateMachineArn", "Name Input"],
  ["StepFunctions-StartSyncExecution", "StateMachineArn", "Name Input TraceHeader"],
  ["StepFunctions-StopExecution", "ExecutionArn", "Cause Error"],
])("%s takes %s, and may take %s", (name, required, optional) => {
  const subtype = serviceSubtypes.get(name);
  expect(subtype?.required.toSorted()).toEqual(words(required).toSorted());
  expect(Object.keys(subtype?.parameters ?? {}).toSorted()).toEqual(
    [...words(required), ...words(optional)].toSorted(),
  );
});

test("there are the ten that AWS has", () => expect(serviceSubtypes.size).toBe(10));

const inputOf = (name: string, values: Record<string, string>) => {
  const subtype = serviceSubtypes.get(name);
  const text = subtype && subtypeInput(subtype, new Map(Object.entries(values)));
  return text === undefined ? undefined : JSON.parse(text);
};

test("parameters are written as their services' JSON has them; what they are not is no request", () => {
  expect(
    inputOf("EventBridge-PutEvents", {
      Detail: "{}",
      DetailType: "t",
      Source: "s",
      Time: "2026-11-22T00:00:00Z",
      Resources: '["r"]',
    }),
  ).toEqual({ Entries: [{ Detail: "{}", DetailType: "t", Source: "s", Time: 1_795_305_600, Resources: ["r"] }] });
  expect(inputOf("SQS-SendMessage", { QueueUrl: "q", MessageBody: "b", DelaySeconds: "5" })).toEqual({
    QueueUrl: "q",
    MessageBody: "b",
    DelaySeconds: 5,
  });
  expect(inputOf("Kinesis-PutRecord", { StreamName: "s", Data: "d", PartitionKey: "p" })).toMatchObject({
    Data: "ZA==",
  });
  expect(inputOf("SQS-SendMessage", { QueueUrl: "q", MessageBody: "b", DelaySeconds: "soon" })).toBeUndefined();
  expect(inputOf("EventBridge-PutEvents", { Time: "soon" })).toBeUndefined();
  expect(inputOf("EventBridge-PutEvents", { Resources: "r" })).toBeUndefined();
});

test("an operation that is one by its path is asked by that", () => {
  const subtype = serviceSubtypes.get("AppConfig-GetConfiguration");
  const values = { Application: "a/b", Environment: "e", Configuration: "c", ClientId: "me & you" };
  expect(subtype && subtypeTarget(subtype, new Map(Object.entries(values)))).toEqual({
    path: "/applications/a%2Fb/environments/e/configurations/c",
    query: "client_id=me+%26+you",
  });
});
