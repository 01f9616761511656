import {
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type AttributeValue,
} from "@aws-sdk/client-dynamodb";
import { performance } from "node:perf_hooks";
import type { ClientSettings } from "../../src/testing/functions.ts";
import type { Model, Recorded } from "../../src/testing/linearizability.ts";

/** What clients do to a few items, each of which is a number `n` or is not there. */
export type ItemInput =
  | { readonly do: "create"; readonly key: number; readonly n: number }
  | { readonly do: "swap"; readonly key: number; readonly from: number; readonly n: number }
  | { readonly do: "add"; readonly key: number; readonly n: number }
  | { readonly do: "delete"; readonly key: number }
  | { readonly do: "get"; readonly key: number }
  /** One less here, one more there; not where there would be less than none, or one of them is not there. */
  | { readonly do: "move"; readonly from: number; readonly to: number }
  /** Creates both or none. */
  | { readonly do: "createBoth"; readonly keys: readonly [number, number]; readonly n: number }
  | { readonly do: "getBoth"; readonly keys: readonly [number, number] };

/** What they are told: a number or null for none; whether a condition held. */
export type ItemOutput = number | null | boolean | readonly (number | null)[];

type Items = readonly (number | null)[];

export const keyCount = 3;

/** Items as they would be if one call happened after another. */
export const itemsModel: Model<Items, ItemInput, ItemOutput> = {
  initial: Array.from({ length: keyCount }, () => null),
  step: (state, input, output) => {
    const expected = expectedOf(state, input);
    if (output !== undefined && JSON.stringify(output) !== JSON.stringify(expected)) return undefined;
    return afterOf(state, input);
  },
  key: (state) => state.join(","),
};

function valueAt(state: Items, key: number): number | null {
  return state[key] ?? null;
}

function expectedOf(state: Items, input: ItemInput): ItemOutput {
  switch (input.do) {
    case "create":
      return valueAt(state, input.key) === null;
    case "swap":
      return valueAt(state, input.key) === input.from;
    case "add":
      return (valueAt(state, input.key) ?? 0) + input.n;
    case "delete":
    case "get":
      return valueAt(state, input.key);
    case "move":
      return (valueAt(state, input.from) ?? 0) > 0 && valueAt(state, input.to) !== null;
    case "createBoth":
      return input.keys.every((key) => valueAt(state, key) === null);
    case "getBoth":
      return input.keys.map((key) => valueAt(state, key));
  }
}

function afterOf(state: Items, input: ItemInput): Items {
  const holds = expectedOf(state, input);
  switch (input.do) {
    case "create":
    case "swap":
      return holds === true ? state.with(input.key, input.n) : state;
    case "add":
      return state.with(input.key, (valueAt(state, input.key) ?? 0) + input.n);
    case "delete":
      return state.with(input.key, null);
    case "move":
      if (holds !== true) return state;
      return state
        .with(input.from, (valueAt(state, input.from) ?? 0) - 1)
        .with(input.to, (valueAt(state, input.to) ?? 0) + 1);
    case "createBoth":
      return holds === true ? input.keys.reduce<Items>((items, key) => items.with(key, input.n), state) : state;
    case "get":
    case "getBoth":
      return state;
  }
}

/** Lets clients of their own connections race on the items of a new table, and tells what each was told. */
export async function raceOnItems(
  settings: ClientSettings,
  race: { readonly clients: number; readonly callsEach: number; readonly random: () => number },
): Promise<Recorded<ItemInput, ItemOutput>[]> {
  const { clients, callsEach, random } = race;
  const TableName = `race-${Math.floor(random() * 1e12)}`;
  const first = new DynamoDBClient(settings);
  await first.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "k", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "k", KeyType: "HASH" }],
    }),
  );
  const history: Recorded<ItemInput, ItemOutput>[] = [];
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = new DynamoDBClient(settings);
      for (let at = 0; at < callsEach; at += 1) {
        const input = pickInput(random);
        const begin = performance.now();
        const output = await perform(client, TableName, input);
        const end = performance.now();
        history.push(output === undefined ? { begin, input } : { begin, end, input, output });
      }
      client.destroy();
    }),
  );
  first.destroy();
  return history;
}

function pickInput(random: () => number): ItemInput {
  const upTo = (end: number) => Math.floor(random() * end);
  const key = upTo(keyCount);
  const other = (key + 1 + upTo(keyCount - 1)) % keyCount;
  const n = upTo(5);
  switch (upTo(10)) {
    case 0:
    case 1:
      return { do: "create", key, n };
    case 2:
      return { do: "swap", key, from: upTo(5), n };
    case 3:
    case 4:
      return { do: "add", key, n: n - 2 };
    case 5:
      return { do: "delete", key };
    case 6:
      return { do: "get", key };
    case 7:
      return { do: "createBoth", keys: [key, other], n };
    case 8:
      return { do: "getBoth", keys: [key, other] };
    default:
      return { do: "move", from: key, to: other };
  }
}

/** Undefined where the answer does not tell whether it was done. */
async function perform(client: DynamoDBClient, TableName: string, input: ItemInput): Promise<ItemOutput | undefined> {
  try {
    return await send(client, TableName, input);
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "ConditionalCheckFailedException" || name === "TransactionCanceledException") return false;
    return undefined;
  }
}

async function send(client: DynamoDBClient, TableName: string, input: ItemInput): Promise<ItemOutput> {
  switch (input.do) {
    case "create":
      await client.send(
        new PutItemCommand({
          TableName,
          Item: itemOf(input.key, input.n),
          ConditionExpression: "attribute_not_exists(k)",
        }),
      );
      return true;
    case "swap":
      await client.send(
        new PutItemCommand({
          TableName,
          Item: itemOf(input.key, input.n),
          ConditionExpression: "n = :from",
          ExpressionAttributeValues: { ":from": { N: String(input.from) } },
        }),
      );
      return true;
    case "add": {
      const { Attributes } = await client.send(
        new UpdateItemCommand({
          TableName,
          Key: keyOf(input.key),
          UpdateExpression: "ADD n :n",
          ExpressionAttributeValues: { ":n": { N: String(input.n) } },
          ReturnValues: "UPDATED_NEW",
        }),
      );
      return numberOf(Attributes) ?? 0;
    }
    case "delete": {
      const { Attributes } = await client.send(
        new DeleteItemCommand({ TableName, Key: keyOf(input.key), ReturnValues: "ALL_OLD" }),
      );
      return numberOf(Attributes);
    }
    case "get": {
      const { Item } = await client.send(
        new GetItemCommand({ TableName, Key: keyOf(input.key), ConsistentRead: true }),
      );
      return numberOf(Item);
    }
    case "move": {
      const add = (key: number, n: number, ConditionExpression: string, values: Record<string, AttributeValue>) => ({
        Update: {
          TableName,
          Key: keyOf(key),
          UpdateExpression: "ADD n :n",
          ConditionExpression,
          ExpressionAttributeValues: { ":n": { N: String(n) }, ...values },
        },
      });
      await client.send(
        new TransactWriteItemsCommand({
          TransactItems: [
            add(input.from, -1, "n > :none", { ":none": { N: "0" } }),
            add(input.to, 1, "attribute_exists(k)", {}),
          ],
        }),
      );
      return true;
    }
    case "createBoth":
      await client.send(
        new TransactWriteItemsCommand({
          TransactItems: input.keys.map((key) => ({
            Put: { TableName, Item: itemOf(key, input.n), ConditionExpression: "attribute_not_exists(k)" },
          })),
        }),
      );
      return true;
    case "getBoth": {
      const { Responses = [] } = await client.send(
        new TransactGetItemsCommand({
          TransactItems: input.keys.map((key) => ({ Get: { TableName, Key: keyOf(key) } })),
        }),
      );
      return Responses.map(({ Item }) => numberOf(Item));
    }
  }
}

function keyOf(key: number) {
  return { k: { S: String(key) } };
}

function itemOf(key: number, n: number) {
  return { ...keyOf(key), n: { N: String(n) } };
}

function numberOf(item: Record<string, AttributeValue> | undefined): number | null {
  return item?.["n"]?.N === undefined ? null : Number(item["n"].N);
}
