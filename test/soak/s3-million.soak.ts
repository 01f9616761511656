import { S3 } from "@aws-sdk/client-s3";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { load, prepare, type SignedTarget } from "../../bench/signed-load.ts";
import { clientSettings } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

const Bucket = "million";
const few = 10_000;
const many = Number(process.env["CUMULET_SOAK_OBJECTS"] ?? 1_000_000);
const perFolder = 1_000;
/** How much slower anything may be with a hundred times the objects: a machine that others use is not quiet. */
const slowerMax = 2;

test("a million objects of 1 KB are put, read, listed and started with as fast as ten thousand", async () => {
  const server = await startTestServer();
  try {
    const s3 = new S3(clientSettings(server.environment));
    await s3.createBucket({ Bucket });
    s3.destroy();
    await fill(server, 0, few);
    const before = await measure(server, few);
    const began = performance.now();
    await fill(server, few, many);
    const perSecond = Math.round(((many - few) * 1000) / (performance.now() - began));
    const after = await measure(server, many);
    process.stdout.write(`${JSON.stringify({ few, before, many, after, filledPerSecond: perSecond })}\n`);
    for (const name of ["put", "get", "list", "folders", "start"] as const) {
      expect([name, after[name] / before[name] < slowerMax]).toEqual([name, true]);
    }
  } finally {
    await server.stop();
  }
});

function keyOf(at: number): string {
  return `folder-${String(Math.floor(at / perFolder)).padStart(5, "0")}/object-${String(at % perFolder).padStart(4, "0")}`;
}

function targetOf(server: TestServer): SignedTarget {
  const { credentials } = clientSettings(server.environment);
  return { port: server.port, pid: server.pid, credentials };
}

const body = Buffer.alloc(1024, "x");

function put(target: SignedTarget, at: number) {
  return prepare(target, { service: "s3", method: "PUT", path: `/${Bucket}/${keyOf(at)}`, body });
}

async function fill(server: TestServer, from: number, to: number): Promise<void> {
  const target = targetOf(server);
  for (let at = from; at < to; at += 5_000) {
    const count = Math.min(5_000, to - at);
    const requests = await Promise.all(Array.from({ length: count }, (_, each) => put(target, at + each)));
    await load(target, requests, { inFlight: 64, ms: Number.POSITIVE_INFINITY, count });
  }
}

/** Microseconds of the server's processor for each; `start` is milliseconds until it is ready. */
async function measure(server: TestServer, count: number) {
  const began = performance.now();
  await server.killAndRestart();
  const start = performance.now() - began;
  const target = targetOf(server);
  const some = () => Math.floor(Math.random() * count);
  const read = (path: string, query?: Readonly<Record<string, string>>) =>
    prepare(target, { service: "s3", method: "GET", path, ...(query && { query }) });
  const kinds = {
    put: { calls: 4_000, ask: () => put(target, some()) },
    get: { calls: 4_000, ask: () => read(`/${Bucket}/${keyOf(some())}`) },
    list: {
      calls: 60,
      ask: () => read(`/${Bucket}`, { "list-type": "2", prefix: `${keyOf(some()).split("/")[0]}/` }),
    },
    // Five folders, each told as one: from the first half, so that there are always so many.
    folders: {
      calls: 300,
      ask: () =>
        read(`/${Bucket}`, {
          "list-type": "2",
          delimiter: "/",
          "max-keys": "5",
          "start-after": keyOf(Math.floor(some() / 2)),
        }),
    },
  };
  const micros: Record<string, number> = {};
  for (const [name, { calls, ask }] of Object.entries(kinds)) {
    const requests = await Promise.all(Array.from({ length: Math.min(calls, 500) }, ask));
    const run = (times: number) => load(target, requests, { inFlight: 16, ms: Number.POSITIVE_INFINITY, count: times });
    // What is compiled later is not measured.
    await run(Math.ceil(calls / 4));
    micros[name] = Math.round((await run(calls)).serverMicros);
  }
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  // Pages of the store's file are the system's cache, not the server's memory.
  const memoryMiB = Math.round(Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
  return { ...(micros as Record<keyof typeof kinds, number>), start, memoryMiB };
}
