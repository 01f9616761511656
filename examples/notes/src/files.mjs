import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";

const table = DynamoDBDocumentClient.from(new DynamoDBClient());

/** `OWNER/name.txt` becomes a note of its owner's. An event may come twice; the note is then written twice as the same. */
export const handler = async ({ Records }) => {
  for (const { s3 } of Records) {
    const key = decodeURIComponent(s3.object.key.replaceAll("+", " "));
    const [owner, ...name] = key.split("/");
    const text = `A file: ${name.join("/")} (${s3.object.size} bytes)`;
    await table.send(new PutCommand({ TableName: process.env.TABLE, Item: { owner, id: key, text } }));
  }
};
