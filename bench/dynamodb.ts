import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignatureV4 } from "@smithy/signature-v4";
import { freePort, startProcess, untilAnswers, type Started } from "./process.ts";

/**
 * PutItem, GetItem, Query of 100 and TransactWriteItems: the same requests, signed, from the same client with 32 connections,
 * against Cumulet (durable commits) and dynalite (LevelDB on disk, not synced). `node bench/dynamodb.ts [seconds]`.
 */
const seconds = Number(process.argv[2] ?? "5");
const connections = 32;

interface Target {
  readonly name: string;
  readonly port: number;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly started: Started;
}

async function startSelf(dataDir: string): Promise<Target> {
  const port = await freePort();
  const args = ["src/main.ts", "start", "--port", String(port), "--data", dataDir, "--workers", "1"];
  const started = startProcess(process.execPath, args, { env: { CUMULET_LOG: "warn" } });
  await untilAnswers(`http://127.0.0.1:${port}/_cumulet/health`, 60);
  const text = await readFile(join(dataDir, "credentials"), "utf8");
  const value = (name: string) => new RegExp(`^${name}\\s*=\\s*(\\S+)`, "m").exec(text)?.[1] ?? "";
  const credentials = { accessKeyId: value("aws_access_key_id"), secretAccessKey: value("aws_secret_access_key") };
  return { name: "Cumulet", port, credentials, started };
}

async function startDynalite(dataDir: string): Promise<Target> {
  const port = await freePort();
  const args = [
    "bench/peers/node_modules/dynalite/cli.js",
    "--port",
    String(port),
    "--path",
    dataDir,
    "--createTableMs",
    "0",
  ];
  const started = startProcess(process.execPath, args, { quiet: true });
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  return { name: "dynalite", port, credentials: { accessKeyId: "a", secretAccessKey: "b" }, started };
}

/** SHA-256 as the signer wants it. */
class Sha256 {
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", toBytes(secret));
  }

  update(chunk: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(toBytes(chunk));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }

  reset(): void {}
}

function toBytes(chunk: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof chunk === "string") return Buffer.from(chunk);
  return ArrayBuffer.isView(chunk) ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.from(chunk);
}

type Prepared = { readonly headers: Record<string, string>; readonly body: string };

async function prepare(target: Target, operation: string, input: object): Promise<Prepared> {
  const body = JSON.stringify(input);
  const signer = new SignatureV4({
    service: "dynamodb",
    region: "us-east-1",
    credentials: target.credentials,
    sha256: Sha256,
  });
  const signed = await signer.sign({
    method: "POST",
    protocol: "http:",
    hostname: "127.0.0.1",
    port: target.port,
    path: "/",
    query: {},
    headers: {
      host: `127.0.0.1:${target.port}`,
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `DynamoDB_20120810.${operation}`,
      "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
    },
    body,
  });
  return { headers: { ...signed.headers, "content-length": String(Buffer.byteLength(body)) }, body };
}

function send(target: Target, agent: Agent, { headers, body }: Prepared): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port: target.port, method: "POST", path: "/", headers, agent },
      (answer) => {
        answer.resume();
        answer.once("end", () => resolve(answer.statusCode ?? 0));
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}

/** Processor time that a process has used, microseconds: what other work on the machine does not change. */
function processorMicros(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

interface Measured {
  readonly perSecond: number;
  readonly serverMicros: number;
}

async function measure(target: Target, requests: readonly Prepared[]): Promise<Measured> {
  const used = processorMicros(target.started.pid);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let done = 0;
  let failed = 0;
  let next = 0;
  const until = performance.now() + seconds * 1000;
  const from = performance.now();
  const run = async () => {
    while (performance.now() < until) {
      const prepared = requests[next % requests.length];
      next += 1;
      if (!prepared) return;
      if ((await send(target, agent, prepared)) === 200) done += 1;
      else failed += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, run));
  agent.destroy();
  if (failed > 0) throw new Error(`${failed} requests to ${target.name} failed`);
  const perSecond = Math.round((done * 1000) / (performance.now() - from));
  return { perSecond, serverMicros: Math.round((processorMicros(target.started.pid) - used) / done) };
}

const keyOf = (h: number, r: number) => ({ h: { S: `h${h}` }, r: { N: String(r) } });
const itemOf = (h: number, r: number) => ({ ...keyOf(h, r), name: { S: "x".repeat(100) }, count: { N: "12345" } });

async function bench(target: Target): Promise<Record<string, Measured>> {
  const agent = new Agent({ keepAlive: true });
  const once = async (operation: string, input: object) => {
    const status = await send(target, agent, await prepare(target, operation, input));
    if (status !== 200) throw new Error(`${operation} answered ${status} at ${target.name}`);
  };
  const TableName = "bench";
  await once("CreateTable", {
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
  });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  for (let at = 0; at < 100; at += 25) {
    const puts = Array.from({ length: 25 }, (_, each) => ({ PutRequest: { Item: itemOf(0, at + each) } }));
    await once("BatchWriteItem", { RequestItems: { [TableName]: puts } });
  }
  const many = (operation: string, input: (at: number) => object) =>
    Promise.all(Array.from({ length: 500 }, (_, at) => prepare(target, operation, input(at))));
  const results: Record<string, Measured> = {
    PutItem: await measure(target, await many("PutItem", (at) => ({ TableName, Item: itemOf(1 + (at % 50), at) }))),
    GetItem: await measure(target, await many("GetItem", (at) => ({ TableName, Key: keyOf(0, at % 100) }))),
    "Query of 100": await measure(target, [
      await prepare(target, "Query", {
        TableName,
        KeyConditionExpression: "h = :h",
        ExpressionAttributeValues: { ":h": { S: "h0" } },
      }),
    ]),
  };
  if (target.name === "Cumulet") {
    const put = (at: number, r: number) => ({ Put: { TableName, Item: itemOf(100 + at, r) } });
    const writes = await many("TransactWriteItems", (at) => ({ TransactItems: [put(at, 1), put(at, 2)] }));
    results["TransactWrite of 2"] = await measure(target, writes);
  }
  agent.destroy();
  return results;
}

const rows: Record<string, Record<string, Measured>> = {};
for (const start of [startSelf, startDynalite]) {
  const dataDir = await mkdtemp(join(tmpdir(), "cumulet-bench-"));
  const target = await start(dataDir);
  try {
    rows[target.name] = await bench(target);
  } finally {
    await target.started.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
process.stdout.write(
  `Requests a second, ${connections} connections, ${seconds} s each:\n${JSON.stringify(rows, null, 2)}\n`,
);
