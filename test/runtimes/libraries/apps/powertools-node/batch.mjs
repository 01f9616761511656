import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";

const processor = new BatchProcessor(EventType.SQS);

async function record({ body }) {
  if (JSON.parse(body).bad) throw new Error("a bad one");
}

export const handler = (event, context) => processPartialResponse(event, record, processor, { context });
