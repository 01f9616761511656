import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, DynamoDBDocumentClient, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";

const table = DynamoDBDocumentClient.from(new DynamoDBClient());
const TableName = process.env.TABLE;

/** The gateway has verified who asks: everybody has notes of their own. */
export const handler = async ({ routeKey, requestContext, pathParameters, body }) => {
  const owner = requestContext.authorizer.jwt.claims.sub;
  switch (routeKey) {
    case "GET /notes": {
      const { Items = [] } = await table.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: "#owner = :owner",
          ExpressionAttributeNames: { "#owner": "owner" },
          ExpressionAttributeValues: { ":owner": owner },
        }),
      );
      return Items.map(({ id, text }) => ({ id, text }));
    }
    case "POST /notes": {
      const { text } = parse(body);
      if (typeof text !== "string" || text === "") return refuse('A note is { "text": "…" }');
      const note = { id: randomUUID(), text };
      await table.send(new PutCommand({ TableName, Item: { owner, ...note } }));
      return { statusCode: 201, body: JSON.stringify(note) };
    }
    default:
      await table.send(new DeleteCommand({ TableName, Key: { owner, id: pathParameters.id } }));
      return { statusCode: 204 };
  }
};

function parse(text) {
  try {
    return JSON.parse(text ?? "") ?? {};
  } catch {
    return {};
  }
}

function refuse(message) {
  return { statusCode: 400, body: JSON.stringify({ message }) };
}
