import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";

const table = DynamoDBDocumentClient.from(new DynamoDBClient());

/** How many notes somebody has. A change may come twice: whoever has changed something is counted anew. */
export const handler = async ({ Records }) => {
  const last = new Map(Records.map(({ dynamodb }) => [dynamodb.Keys.owner.S, dynamodb.SequenceNumber]));
  const batchItemFailures = [];
  for (const [owner, itemIdentifier] of last) {
    try {
      await count(owner);
    } catch (error) {
      console.error(error);
      batchItemFailures.push({ itemIdentifier });
    }
  }
  return { batchItemFailures };
};

async function count(owner) {
  let notes = 0;
  let ExclusiveStartKey;
  do {
    const page = await table.send(
      new QueryCommand({
        TableName: process.env.TABLE,
        Select: "COUNT",
        ConsistentRead: true,
        KeyConditionExpression: "#owner = :owner",
        ExpressionAttributeNames: { "#owner": "owner" },
        ExpressionAttributeValues: { ":owner": owner },
        ExclusiveStartKey,
      }),
    );
    notes += page.Count;
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  await table.send(new PutCommand({ TableName: process.env.TOTALS, Item: { owner, notes } }));
}
