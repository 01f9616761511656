import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetEventSourceMappingCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { setTimeout as delay } from "node:timers/promises";
import { createFunctionRole, createNodeFunction, type ClientSettings } from "./functions.ts";

/** An event as a function was handed it. */
export interface FedEvent {
  readonly Records: readonly {
    readonly eventName: string;
    readonly dynamodb: Readonly<Record<string, unknown>> & { readonly Keys: { readonly id: { readonly S: string } } };
    readonly [member: string]: unknown;
  }[];
  readonly [member: string]: unknown;
}

/** A role that may read every stream, and put failures into buckets. */
export function createReadingRole(settings: ClientSettings, name = "reads"): Promise<string> {
  const Action = ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "s3:PutObject"];
  return createFunctionRole(settings, name, [{ Effect: "Allow", Action, Resource: "*" }]);
}

/** A table `name` with the key `id`; the ARN of its stream. */
export async function createStreamedTable(settings: ClientSettings, name: string): Promise<string> {
  const dynamodb = new DynamoDBClient(settings);
  await dynamodb.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
    }),
  );
  for (;;) {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: name }));
    if (Table?.TableStatus === "ACTIVE") return Table.LatestStreamArn ?? "";
    await delay(20);
  }
}

/** A function that writes each event into its log, and then does what `next` says. */
export async function createFedFunction(
  settings: ClientSettings,
  more: { readonly name: string; readonly role: string; readonly next?: string },
): Promise<void> {
  const { name, role, next = "" } = more;
  const source = `export const handler = async (event) => { console.log("event " + JSON.stringify(event)); ${next} };`;
  await createNodeFunction(settings, { FunctionName: name, Role: role, source, Timeout: 20 });
}

/** What the function was handed, once that is so many events. */
export async function fedEvents(settings: ClientSettings, name: string, wanted: number): Promise<readonly FedEvent[]> {
  const logs = new CloudWatchLogsClient(settings);
  for (;;) {
    const asked = new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}`, filterPattern: '"event"' });
    // The log is there when the function has run.
    const { events = [] } = await logs.send(asked).catch(() => ({ events: [] }));
    const texts = events.flatMap(({ message = "" }) => {
      const at = message.indexOf('event {"Records"');
      return at === -1 ? [] : [message.slice(at + "event ".length)];
    });
    if (texts.length >= wanted) return texts.map((text): FedEvent => JSON.parse(text));
    await delay(30);
  }
}

/** Waits until a mapping has come to a state; `gone` when it is not there any more. */
export async function mappingComesTo(settings: ClientSettings, uuid: string | undefined, state: string): Promise<void> {
  const lambda = new LambdaClient(settings);
  for (;;) {
    const found = lambda.send(new GetEventSourceMappingCommand({ UUID: uuid }));
    const { State } = await found.catch(() => ({ State: "gone" }));
    if (State === state) return;
    await delay(20);
  }
}
