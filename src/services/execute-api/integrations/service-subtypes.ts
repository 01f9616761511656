import type { ServiceSubtype } from "../port.ts";

const sqsMessage = {
  QueueUrl: "text",
  MessageBody: "text",
  DelaySeconds: "number",
  MessageAttributes: "json",
  MessageDeduplicationId: "text",
  MessageGroupId: "text",
  MessageSystemAttributes: "json",
} as const;
const sqsReceive = {
  QueueUrl: "text",
  AttributeNames: "json",
  MaxNumberOfMessages: "number",
  MessageAttributeNames: "json",
  ReceiveRequestAttemptId: "text",
  VisibilityTimeout: "number",
  WaitTimeSeconds: "number",
} as const;
const event = {
  Detail: "text",
  DetailType: "text",
  Source: "text",
  EventBusName: "text",
  Resources: "json",
  Time: "time",
  TraceHeader: "text",
} as const;
const kinesisRecord = {
  StreamName: "text",
  Data: "base64",
  PartitionKey: "text",
  SequenceNumberForOrdering: "text",
  ExplicitHashKey: "text",
} as const;
const configuration = {
  Application: "text",
  Environment: "text",
  Configuration: "text",
  ClientId: "text",
  ClientConfigurationVersion: "text",
} as const;
const execution = { StateMachineArn: "text", Name: "text", Input: "text" } as const;
const stop = { ExecutionArn: "text", Cause: "text", Error: "text" } as const;

/** Source: "Integration subtype reference". Every one has the optional parameter `Region` besides. */
export const serviceSubtypes: ReadonlyMap<string, ServiceSubtype> = new Map<string, ServiceSubtype>([
  [
    "EventBridge-PutEvents",
    {
      service: "events",
      action: "PutEvents",
      parameters: event,
      required: ["Detail", "DetailType", "Source"],
      entryOf: "Entries",
    },
  ],
  ["SQS-SendMessage", of("sqs", "SendMessage", sqsMessage, ["QueueUrl", "MessageBody"])],
  ["SQS-ReceiveMessage", of("sqs", "ReceiveMessage", sqsReceive, ["QueueUrl"])],
  [
    "SQS-DeleteMessage",
    of("sqs", "DeleteMessage", { QueueUrl: "text", ReceiptHandle: "text" }, ["QueueUrl", "ReceiptHandle"]),
  ],
  ["SQS-PurgeQueue", of("sqs", "PurgeQueue", { QueueUrl: "text" }, ["QueueUrl"])],
  [
    "AppConfig-GetConfiguration",
    {
      ...of("appconfig", "GetConfiguration", configuration, Object.keys(configuration).slice(0, 4)),
      get: {
        path: "/applications/{Application}/environments/{Environment}/configurations/{Configuration}",
        query: { client_id: "ClientId", client_configuration_version: "ClientConfigurationVersion" },
      },
    },
  ],
  ["Kinesis-PutRecord", of("kinesis", "PutRecord", kinesisRecord, ["StreamName", "Data", "PartitionKey"])],
  ["StepFunctions-StartExecution", of("states", "StartExecution", execution, ["StateMachineArn"])],
  [
    "StepFunctions-StartSyncExecution",
    of("states", "StartSyncExecution", { ...execution, TraceHeader: "text" }, ["StateMachineArn"]),
  ],
  ["StepFunctions-StopExecution", of("states", "StopExecution", stop, ["ExecutionArn"])],
]);

function of(
  service: string,
  action: string,
  parameters: ServiceSubtype["parameters"],
  required: readonly string[],
): ServiceSubtype {
  return { service, action, parameters, required };
}

/** The request of an operation that is one by its path, as AppConfig's are; undefined for those that take JSON. */
export function subtypeTarget(
  { get }: ServiceSubtype,
  values: ReadonlyMap<string, string>,
): { readonly path: string; readonly query: string } | undefined {
  if (get === undefined) return undefined;
  const path = get.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(values.get(name) ?? ""));
  const query = new URLSearchParams();
  for (const [name, parameter] of Object.entries(get.query)) {
    const value = values.get(parameter);
    if (value !== undefined) query.set(name, value);
  }
  return { path, query: query.toString() };
}

/** The operation's input, as its service's JSON; undefined where a value is not what the parameter is. */
export function subtypeInput(subtype: ServiceSubtype, values: ReadonlyMap<string, string>): string | undefined {
  const input: Record<string, unknown> = {};
  for (const [name, text] of values) {
    const kind = subtype.parameters[name];
    if (kind === undefined) continue;
    const value = convert(kind, text);
    if (value === undefined) return undefined;
    input[name] = value;
  }
  return JSON.stringify(subtype.entryOf === undefined ? input : { [subtype.entryOf]: [input] });
}

function convert(kind: ServiceSubtype["parameters"][string], text: string): unknown {
  switch (kind) {
    case "text":
      return text;
    case "base64":
      return Buffer.from(text, "utf8").toString("base64");
    case "time": {
      // JSON protocols write moments in seconds.
      const at = Date.parse(text);
      return Number.isNaN(at) ? undefined : at / 1000;
    }
    case "number":
      return /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
    case "json":
      try {
        return JSON.parse(text);
      } catch {
        return undefined;
      }
  }
}
