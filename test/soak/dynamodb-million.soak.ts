import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { readFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { expect, test } from "vitest";
import { clientSettings } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

const TableName = "million";
const few = 10_000;
const many = Number(process.env["CUMULET_SOAK_ITEMS"] ?? 1_000_000);
/** Items with one partition key: what a Query reads. */
const perPartition = 100;
/** How much slower anything may be with a hundred times the items: a machine that others use is not quiet. */
const slowerMax = 2;

interface Speeds {
  /** CPU milliseconds of the server for each. */
  readonly put: number;
  readonly query: number;
  readonly scan: number;
  /** CPU milliseconds from its start to being ready. */
  readonly start: number;
  readonly memoryMiB: number;
}

test("a million items are put, queried, scanned and started with as fast as ten thousand", async () => {
  const server = await startTestServer();
  try {
    const client = new DynamoDBClient(clientSettings(server.environment));
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [
          { AttributeName: "h", AttributeType: "S" },
          { AttributeName: "r", AttributeType: "N" },
        ],
        KeySchema: [
          { AttributeName: "h", KeyType: "HASH" },
          { AttributeName: "r", KeyType: "RANGE" },
        ],
      }),
    );
    await fill(client, 0, few);
    const before = await measure(server, client, few);
    const began = performance.now();
    await fill(client, few, many);
    const perSecond = Math.round(((many - few) * 1000) / (performance.now() - began));
    const after = await measure(server, client, many);
    process.stdout.write(`${JSON.stringify({ few, before, many, after, filledPerSecond: perSecond })}\n`);
    for (const name of ["put", "query", "scan", "start"] as const) {
      expect([name, after[name] / before[name] < slowerMax]).toEqual([name, true]);
    }
    client.destroy();
  } finally {
    await server.stop();
  }
});

function itemOf(at: number) {
  return {
    h: { S: `p${Math.floor(at / perPartition)}` },
    r: { N: String(at % perPartition) },
    text: { S: "x".repeat(200) },
    at: { N: String(at) },
  };
}

async function fill(client: DynamoDBClient, from: number, to: number): Promise<void> {
  let next = from;
  const run = async () => {
    while (next < to) {
      const first = next;
      next = Math.min(to, first + 25);
      let requests: WriteRequest[] = [];
      for (let at = first; at < next; at += 1) requests.push({ PutRequest: { Item: itemOf(at) } });
      while (requests.length > 0) {
        const { UnprocessedItems } = await client.send(
          new BatchWriteItemCommand({ RequestItems: { [TableName]: requests } }),
        );
        requests = UnprocessedItems?.[TableName] ?? [];
      }
    }
  };
  await Promise.all(Array.from({ length: 16 }, run));
}

async function measure(server: TestServer, client: DynamoDBClient, count: number): Promise<Speeds> {
  await server.killAndRestart();
  const start = (await ticksOf(server)) * 10;
  const some = () => Math.floor(Math.random() * count);
  const query = () =>
    client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "h = :h",
        ExpressionAttributeValues: { ":h": { S: `p${Math.floor(some() / perPartition)}` } },
      }),
    );
  const put = () => client.send(new PutItemCommand({ TableName, Item: itemOf(some()) }));
  const scan = () => client.send(new ScanCommand({ TableName, Limit: 500, ExclusiveStartKey: keyOf(some()) }));
  // What is compiled later is not measured.
  await cpuOf(server, 1_000, put);
  await cpuOf(server, 300, query);
  return {
    put: await cpuOf(server, 4_000, put),
    query: await cpuOf(server, 1_000, query),
    scan: await cpuOf(server, 200, scan),
    start,
    memoryMiB: await memoryOf(server),
  };
}

function keyOf(at: number) {
  const { h, r } = itemOf(at);
  return { h, r };
}

/** The server's own CPU time for each of so many calls, sixteen at once. */
async function cpuOf(server: TestServer, calls: number, call: () => Promise<unknown>): Promise<number> {
  const before = await ticksOf(server);
  let left = calls;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (left > 0) {
        left -= 1;
        await call();
      }
    }),
  );
  return Number((((await ticksOf(server)) - before) * 10) / calls);
}

/** Hundredths of a second in user and kernel mode; source: proc(5), stat. Of the server and the processes it runs in. */
async function ticksOf(server: TestServer): Promise<number> {
  let ticks = 0;
  for (const pid of await familyOf(server.pid)) {
    // What it starts may have ended meanwhile.
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks;
}

async function memoryOf(server: TestServer): Promise<number> {
  let kibibytes = 0;
  for (const pid of await familyOf(server.pid)) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    // Pages of the store's file are the system's cache, not the server's memory.
    kibibytes += Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return Math.round(kibibytes / 1024);
}

async function familyOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const children = text.trim().split(" ").filter(Boolean).map(Number);
  const below = await Promise.all(children.map(familyOf));
  return [pid, ...below.flat()];
}
