import { readFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { expect, test } from "vitest";
import { prepare, sendAll, sendOnce, type Prepared, type SignedTarget } from "../../bench/signed-load.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

const TableName = "million";
const few = 10_000;
const many = Number(process.env["CUMULET_SOAK_ITEMS"] ?? 1_000_000);
/** Items with one partition key: what a Query reads. */
const perPartition = 100;
const inFlight = 16;
/** How much slower anything may be with a hundred times the items: a machine that others use is not quiet. */
const slowerMax = 2;

interface Speeds {
  /** CPU milliseconds of the server for each. */
  readonly put: number;
  readonly get: number;
  readonly query: number;
  readonly scan: number;
  readonly list: number;
  /** CPU milliseconds from its start to being ready. */
  readonly start: number;
  readonly memoryMiB: number;
}

test("a million items are put, got, queried, scanned and started with as fast as ten thousand", async () => {
  const server = await startTestServer();
  try {
    const { status, body } = await sendOnce(
      toTarget(server),
      await ask(server, "CreateTable", {
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
    expect([status, body]).toEqual([200, expect.any(String)]);
    await fill(server, 0, few);
    const before = await measure(server, few);
    const began = performance.now();
    const ticks = await ticksOf(server);
    await fill(server, few, many);
    const filled = {
      perSecond: Math.round(((many - few) * 1000) / (performance.now() - began)),
      serverMicrosEach: Math.round((((await ticksOf(server)) - ticks) * 10_000) / (many - few)),
    };
    const after = await measure(server, many);
    process.stdout.write(`${JSON.stringify({ few, before, many, after, filled })}\n`);
    for (const name of ["put", "get", "query", "scan", "list", "start"] as const) {
      expect([name, after[name] / before[name] < slowerMax]).toEqual([name, true]);
    }
  } finally {
    await server.stop();
  }
});

function toTarget({ port, pid, environment }: TestServer): SignedTarget {
  return {
    port,
    pid,
    credentials: {
      accessKeyId: environment["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"] ?? "",
    },
  };
}

/** Signed as it is sent: a signature is good for five minutes. */
function ask(server: TestServer, operation: string, input: object): Promise<Prepared> {
  return prepare(toTarget(server), {
    service: "dynamodb",
    method: "POST",
    path: "/",
    headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": `DynamoDB_20120810.${operation}` },
    body: JSON.stringify(input),
  });
}

function itemOf(at: number) {
  return {
    ...keyOf(at),
    text: { S: "x".repeat(200) },
    at: { N: String(at) },
  };
}

function keyOf(at: number) {
  return { h: { S: `p${Math.floor(at / perPartition)}` }, r: { N: String(at % perPartition) } };
}

async function fill(server: TestServer, from: number, to: number): Promise<void> {
  let next = from;
  // Tables on demand without a maximum leave nothing unprocessed.
  await sendAll(toTarget(server), inFlight, () => {
    if (next >= to) return undefined;
    const first = next;
    next = Math.min(to, first + 25);
    const puts = Array.from({ length: next - first }, (_, each) => ({ PutRequest: { Item: itemOf(first + each) } }));
    return ask(server, "BatchWriteItem", { RequestItems: { [TableName]: puts } });
  });
}

async function measure(server: TestServer, count: number): Promise<Speeds> {
  await server.killAndRestart();
  const start = (await ticksOf(server)) * 10;
  const some = () => Math.floor(Math.random() * count);
  const query = () =>
    ask(server, "Query", {
      TableName,
      KeyConditionExpression: "h = :h",
      ExpressionAttributeValues: { ":h": { S: `p${Math.floor(some() / perPartition)}` } },
    });
  const put = () => ask(server, "PutItem", { TableName, Item: itemOf(some()) });
  const get = () => ask(server, "GetItem", { TableName, Key: keyOf(some()) });
  const scan = () => ask(server, "Scan", { TableName, Limit: 500, ExclusiveStartKey: keyOf(some()) });
  const list = () => ask(server, "ListTables", {});
  // What is compiled later is not measured.
  for (const kind of [put, get, query, scan, list]) await cpuOf(server, 2_000, kind);
  return {
    put: await cpuOf(server, 5_000, put),
    get: await cpuOf(server, 5_000, get),
    query: await cpuOf(server, 3_000, query),
    scan: await cpuOf(server, 1_000, scan),
    list: await cpuOf(server, 2_000, list),
    start,
    memoryMiB: await memoryOf(server),
  };
}

/** The server's own CPU time for each of so many calls. */
async function cpuOf(server: TestServer, calls: number, call: () => Promise<Prepared>): Promise<number> {
  const before = await ticksOf(server);
  let left = calls;
  await sendAll(toTarget(server), inFlight, () => (left-- > 0 ? call() : undefined));
  return Number(((((await ticksOf(server)) - before) * 10) / calls).toFixed(3));
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
