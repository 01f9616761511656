import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreams, type AttributeValue } from "@aws-sdk/client-dynamodb-streams";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { setTimeout as delay } from "node:timers/promises";
import { clientSettings, type ClientSettings } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

/** What rounds of killing found: `faults` is empty where all is well. */
export interface KillRounds {
  readonly rounds: number;
  readonly acknowledged: number;
  /** Writes whose answer was lost, and of these, how many had happened. */
  readonly unanswered: number;
  readonly unansweredDone: number;
  readonly streamed: number;
  readonly items: number;
  readonly faults: readonly string[];
}

interface Item {
  readonly h: string;
  readonly r: number;
  readonly n: number;
  /** Sort key of the local index. */
  readonly l?: number;
  /** Key of the global index. */
  readonly g?: string;
  /** All that one transaction wrote bear its number. */
  readonly stamp: number;
}

type Held = Map<number, Item>;

/** What one call makes of items: all of it or nothing, unless each of its writes is by itself. */
interface Change {
  readonly apart: boolean;
  readonly writes: readonly { readonly r: number; readonly item: Item | undefined }[];
}

const TableName = "rounds";
const writersCount = 6;
const rangeCount = 12;
/** How many writes a round acknowledges at the least before the server is killed. */
const acknowledgedMin = 20;

/**
 * Starts a server, lets writers change items of their own without pause, one call after another, in every way there is; kills it
 * with SIGKILL at a random moment; starts it again and compares: each writer's items with what was acknowledged, the table with
 * its indexes, and the table with what its stream tells. So many times over on one data folder.
 */
export async function runKillRounds(
  rounds: number,
  hasEnded: (sofar: KillRounds) => void = () => {},
): Promise<KillRounds> {
  const server = await startTestServer();
  const settings = clientSettings(server.environment);
  const faults: string[] = [];
  const held = Array.from({ length: writersCount }, (): Held => new Map());
  const stream = createReplica();
  const counts = { acknowledged: 0, unanswered: 0, unansweredDone: 0 };
  let stamp = 0;
  try {
    await createTable(settings);
    for (let round = 0; round < rounds; round += 1) {
      const lost = new Map<number, Change>();
      const now = { acknowledged: 0, isOver: false };
      const writing = held.map(async (items, writer) => {
        const client = new DynamoDBClient(settings);
        const document = DynamoDBDocument.from(client, { marshallOptions: { removeUndefinedValues: true } });
        while (!now.isOver) {
          stamp += 1;
          const { change, send } = pick(document, writer, items, stamp);
          const done = await send().then(
            () => true,
            () => false,
          );
          if (!done) {
            lost.set(writer, change);
            break;
          }
          apply(items, change.writes);
          now.acknowledged += 1;
        }
        client.destroy();
      });
      while (now.acknowledged < acknowledgedMin) await delay(2);
      await delay(Math.random() * 250);
      await server.kill();
      now.isOver = true;
      await Promise.all(writing);
      await startAgain(server);

      counts.acknowledged += now.acknowledged;
      counts.unanswered += lost.size;
      const at = (text: string) => faults.push(`round ${round}: ${text}`);
      const client = new DynamoDBClient(settings);
      const found = await scan(client);
      held.forEach((items, writer) => {
        const left = toHeld(found.filter(({ h }) => h === `w${writer}`));
        const change = lost.get(writer);
        if (settle(items, change, left)) counts.unansweredDone += 1;
        const [expected, actual] = [textOf(items), textOf(left)];
        if (expected !== actual) at(`writer ${writer} has ${actual} for ${expected} after ${JSON.stringify(change)}`);
        held[writer] = left;
      });
      for (const fault of await compareIndexes(client, found)) at(fault);
      for (const fault of await stream.readOn(settings)) at(fault);
      const [table, replica] = [sorted(found), sorted(stream.items())];
      if (table !== replica) at(`the stream tells of ${replica} where the table has ${table}`);
      client.destroy();
      hasEnded({ ...counts, rounds: round + 1, streamed: stream.count(), items: found.length, faults });
    }
    const items = held.reduce((sum, each) => sum + each.size, 0);
    return { rounds, ...counts, streamed: stream.count(), items, faults };
  } finally {
    await server.stop();
  }
}

/** A machine that is busy with much else may need more time than a start is given. */
async function startAgain(server: TestServer): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await server.killAndRestart();
      return;
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

async function createTable(settings: ClientSettings): Promise<void> {
  const client = new DynamoDBClient(settings);
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "h", AttributeType: "S" },
        { AttributeName: "r", AttributeType: "N" },
        { AttributeName: "l", AttributeType: "N" },
        { AttributeName: "g", AttributeType: "S" },
      ],
      KeySchema: keySchema("h", "r"),
      LocalSecondaryIndexes: [
        { IndexName: "local", KeySchema: keySchema("h", "l"), Projection: { ProjectionType: "ALL" } },
      ],
      GlobalSecondaryIndexes: [
        { IndexName: "global", KeySchema: keySchema("g", "r"), Projection: { ProjectionType: "ALL" } },
      ],
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
    }),
  );
  client.destroy();
}

function keySchema(hash: string, range: string) {
  return [
    { AttributeName: hash, KeyType: "HASH" as const },
    { AttributeName: range, KeyType: "RANGE" as const },
  ];
}

function upTo(end: number): number {
  return Math.floor(Math.random() * end);
}

function one(item: Item | undefined, r: number): Change {
  return { apart: false, writes: [{ r, item }] };
}

/** A change of a writer's items, and the call that makes it. */
function pick(document: DynamoDBDocument, writer: number, items: Held, stamp: number) {
  const h = `w${writer}`;
  const someItem = (r: number): Item => ({
    h,
    r,
    n: upTo(1000),
    stamp,
    ...(upTo(3) > 0 && { l: upTo(5) }),
    ...(upTo(3) > 0 && { g: `g${upTo(4)}` }),
  });
  const someRanges = (count: number) =>
    [...new Set(Array.from({ length: count }, () => upTo(rangeCount)))].toSorted((a, b) => a - b);
  const r = upTo(rangeCount);
  switch (upTo(5)) {
    case 0: {
      const item = someItem(r);
      return { change: one(item, r), send: () => document.put({ TableName, Item: item }) };
    }
    case 1: {
      const before = items.get(r);
      const { l: _l, ...rest } = before ?? { h, r, n: 0 };
      const item: Item = { ...rest, n: rest.n + 1, stamp, g: `g${upTo(4)}` };
      return {
        change: one(item, r),
        send: () =>
          document.update({
            TableName,
            Key: { h, r },
            UpdateExpression: "SET g = :g, stamp = :s REMOVE l ADD n :one",
            ExpressionAttributeValues: { ":g": item.g, ":s": stamp, ":one": 1 },
          }),
      };
    }
    case 2:
      return { change: one(undefined, r), send: () => document.delete({ TableName, Key: { h, r } }) };
    case 3: {
      const writes = someRanges(4).map((range) => ({ r: range, item: upTo(4) > 0 ? someItem(range) : undefined }));
      const TransactItems = writes.map(({ r: range, item }) =>
        item ? { Put: { TableName, Item: item } } : { Delete: { TableName, Key: { h, r: range } } },
      );
      return { change: { apart: false, writes }, send: () => document.transactWrite({ TransactItems }) };
    }
    default: {
      const writes = someRanges(8).map((range) => ({ r: range, item: upTo(4) > 0 ? someItem(range) : undefined }));
      const requests = writes.map(({ r: range, item }) =>
        item ? { PutRequest: { Item: item } } : { DeleteRequest: { Key: { h, r: range } } },
      );
      return {
        change: { apart: true, writes },
        send: async () => {
          const { UnprocessedItems } = await document.batchWrite({ RequestItems: { [TableName]: requests } });
          if (Object.keys(UnprocessedItems ?? {}).length > 0) throw new Error("The table is not throttled");
        },
      };
    }
  }
}

function apply(items: Held, writes: Change["writes"]): void {
  for (const { r, item } of writes) {
    if (item) items.set(r, item);
    else items.delete(r);
  }
}

/** Takes over what a change without an answer has done, if it could have done it: all, or nothing, or each write by itself. */
function settle(items: Held, change: Change | undefined, found: Held): boolean {
  if (!change) return false;
  const parts = change.apart ? change.writes.map((write) => [write]) : [change.writes];
  let isDone = false;
  for (const writes of parts) {
    const after = new Map(items);
    apply(after, writes);
    const isSame = (side: Held) =>
      writes.every(({ r }) => JSON.stringify(ordered(side.get(r))) === JSON.stringify(ordered(found.get(r))));
    if (isSame(items) || !isSame(after)) continue;
    apply(items, writes);
    isDone = true;
  }
  return isDone;
}

function toHeld(found: readonly Item[]): Held {
  return new Map(found.map((item) => [item.r, item]));
}

function textOf(items: Held): string {
  return sorted([...items.values()]);
}

function sorted(items: readonly Item[]): string {
  return JSON.stringify(items.toSorted((a, b) => (a.h === b.h ? a.r - b.r : a.h < b.h ? -1 : 1)).map(ordered));
}

function ordered(item: Item | undefined) {
  return item && [item.h, item.r, item.n, item.l ?? null, item.g ?? null, item.stamp];
}

async function scan(client: DynamoDBClient, IndexName?: string): Promise<Item[]> {
  const document = DynamoDBDocument.from(client);
  const items: Item[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page = await document.scan({
      TableName,
      ExclusiveStartKey,
      ...(IndexName === undefined ? { ConsistentRead: true } : { IndexName }),
    });
    items.push(...(page.Items ?? []).map(toItem));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return items;
}

function toItem(found: Record<string, unknown>): Item {
  const { h, r, n, l, g, stamp } = found;
  return {
    h: String(h),
    r: Number(r),
    n: Number(n),
    stamp: Number(stamp),
    ...(l !== undefined && { l: Number(l) }),
    ...(g !== undefined && { g: String(g) }),
  };
}

/** Items here have texts and numbers only. */
function plain(image: Record<string, AttributeValue>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(image).map(([name, value]) => [name, value.S ?? value.N]));
}

async function compareIndexes(client: DynamoDBClient, found: readonly Item[]): Promise<string[]> {
  const faults: string[] = [];
  for (const [index, has] of [
    ["local", (item: Item) => item.l !== undefined],
    ["global", (item: Item) => item.g !== undefined],
  ] as const) {
    const [expected, entries] = [sorted(found.filter(has)), sorted(await scan(client, index))];
    if (expected !== entries) faults.push(`index ${index} has ${entries} for ${expected}`);
  }
  return faults;
}

/** The table as its stream tells of it: each record must go on from what the ones before have left. */
function createReplica() {
  const items = new Map<string, Item>();
  let last: string | undefined;
  let count = 0;
  return {
    items: () => [...items.values()],
    count: () => count,
    readOn: async (settings: ClientSettings): Promise<string[]> => {
      const faults: string[] = [];
      const streams = new DynamoDBStreams(settings);
      const { Streams = [] } = await streams.listStreams({ TableName });
      const StreamArn = Streams[0]?.StreamArn;
      const { StreamDescription } = await streams.describeStream({ StreamArn });
      const ShardId = StreamDescription?.Shards?.[0]?.ShardId;
      const from = last === undefined ? "TRIM_HORIZON" : "AFTER_SEQUENCE_NUMBER";
      let { ShardIterator } = await streams.getShardIterator({
        StreamArn,
        ShardId,
        ShardIteratorType: from,
        ...(last !== undefined && { SequenceNumber: last }),
      });
      for (;;) {
        const { Records = [], NextShardIterator } = await streams.getRecords({ ShardIterator });
        for (const { eventName, dynamodb } of Records) {
          const sequence = dynamodb?.SequenceNumber ?? "";
          if (last !== undefined && BigInt(sequence) <= BigInt(last)) {
            faults.push(`the stream has ${sequence} after ${last}`);
          }
          last = sequence;
          count += 1;
          const { h, r } = toItem(plain(dynamodb?.Keys ?? {}));
          const key = `${h} ${r}`;
          const before = dynamodb?.OldImage && toItem(plain(dynamodb.OldImage));
          const after = dynamodb?.NewImage && toItem(plain(dynamodb.NewImage));
          const had = items.get(key);
          if (JSON.stringify(ordered(had)) !== JSON.stringify(ordered(before))) {
            faults.push(
              `record ${sequence}, ${eventName}, goes on from ${JSON.stringify(before)}, not ${JSON.stringify(had)}`,
            );
          }
          if (after) items.set(key, after);
          else items.delete(key);
        }
        ShardIterator = NextShardIterator;
        if (Records.length === 0 || !ShardIterator) break;
      }
      streams.destroy();
      return faults;
    },
  };
}
