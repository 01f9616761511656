import type { OperationModel } from "../../wire/model.ts";

/*
 * Operations on what resources hold: CloudTrail's event history does not have them, and neither does ours. Source: "Logging
 * data events" in the CloudTrail user guide.
 */
const dataOperations: Readonly<Record<string, readonly string[]>> = {
  lambda: ["Invoke", "InvokeAsync", "InvokeWithResponseStream"],
  dynamodb: [
    "BatchExecuteStatement",
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "ExecuteStatement",
    "ExecuteTransaction",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
  ],
  dynamodbstreams: ["GetRecords", "GetShardIterator"],
  kinesis: ["GetRecords", "GetShardIterator", "PutRecord", "PutRecords", "SubscribeToShard"],
  sqs: [
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "DeleteMessage",
    "DeleteMessageBatch",
    "GetQueueUrl",
    "ReceiveMessage",
    "SendMessage",
    "SendMessageBatch",
  ],
  sns: ["Publish", "PublishBatch"],
  events: ["PutEvents"],
  cloudwatch: ["PutMetricData", "GetMetricData"],
  logs: ["PutLogEvents", "StartLiveTail"],
  "cognito-identity": [
    "GetCredentialsForIdentity",
    "GetId",
    "GetOpenIdToken",
    "GetOpenIdTokenForDeveloperIdentity",
    "UnlinkIdentity",
  ],
  ecr: ["UploadLayerPart"],
  xray: ["PutTraceSegments", "PutTelemetryRecords"],
};

/** Of S3's operations without a key: those that are about objects all the same. */
const objectOperations = new Set([
  "CreateSession",
  "DeleteObjects",
  "HeadBucket",
  "ListMultipartUploads",
  "ListObjectVersions",
  "ListObjects",
  "ListObjectsV2",
]);

export function isDataEvent(service: string, operation: OperationModel): boolean {
  if (service === "apigatewaymanagementapi") return true;
  if (service === "s3")
    return objectOperations.has(operation.name) || operation.input?.memberByName.has("Key") === true;
  return Object.hasOwn(dataOperations, service) && (dataOperations[service]?.includes(operation.name) ?? false);
}

/** Source: the members `readOnly` of the events that the services' guides show. */
export function isReadOnly(service: string, operation: string): boolean {
  if (service === "sts") return true;
  return /^(Get|List|Describe|Lookup|Head|Query|Search|BatchGet|BatchCheck|Test|Validate|Estimate|Simulate|Filter|Preview|Check|Decode)/.test(
    operation,
  );
}
