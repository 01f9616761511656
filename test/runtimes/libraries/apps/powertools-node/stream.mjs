import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";

const processor = new BatchProcessor(EventType.DynamoDBStreams);
const times = new Map();

async function record({ dynamodb }) {
  const id = dynamodb.NewImage.id.S;
  times.set(id, (times.get(id) ?? 0) + 1);
  process.stdout.write(`${JSON.stringify({ id, times: times.get(id) })}\n`);
  if (id === "bad" && times.get(id) === 1) throw new Error("a bad one");
}

export const handler = (event, context) => processPartialResponse(event, record, processor, { context });
