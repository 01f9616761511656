import { S3 } from "@aws-sdk/client-s3";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { load, prepare, type SignedTarget } from "../../bench/signed-load.ts";
import { createBlobs } from "../../src/kernel/blobs/stored-blobs.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { randomIds } from "../../src/kernel/ids.ts";
import { openLmdbStore } from "../../src/kernel/store/lmdb-store.ts";
import { findBucket, findCurrent, pushObject } from "../../src/services/s3/model.ts";
import { clientSettings } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

const Bucket = "million";
const few = 10_000;
const many = Number(process.env["CUMULET_SOAK_OBJECTS"] ?? 1_000_000);
const perFolder = 1_000;
/** How much slower anything may be with a hundred times the objects: a machine that others use is not quiet. */
const slowerMax = 2;

test("with a million objects of 1 KB putting, reading, listing and starting are as fast as with ten thousand", async () => {
  const server = await startTestServer();
  try {
    const s3 = new S3(clientSettings(server.environment));
    await s3.createBucket({ Bucket });
    s3.destroy();
    await fill(server, 0, few);
    const before = await measure(server, few);
    const began = performance.now();
    await server.kill();
    await fillStore(server.dataDir, few, many);
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

const inTransaction = 1_000;

/** What PutObject writes, by its own functions, but a thousand in a transaction: a million requests would take an hour. */
async function fillStore(dataDir: string, from: number, to: number): Promise<void> {
  const store = await openLmdbStore({ folder: join(dataDir, "store"), clock: systemClock });
  try {
    const needs = { store, folder: join(dataDir, "blobs"), clock: systemClock, ids: randomIds };
    const blobs = await createBlobs(needs);
    const push = { newVersionId: () => "null", drop: () => Promise.reject(new Error("There was an object already")) };
    for (let at = from; at < to; at += inTransaction) {
      await store.transact(async (tx) => {
        const bucket = await findBucket(tx, Bucket);
        const like = bucket && (await findCurrent(tx, bucket, keyOf(0)));
        if (!like) throw new Error("The first object is not there");
        const { versionId: _id, sequence: _sequence, kind: _kind, ...draft } = like;
        for (let each = at; each < Math.min(to, at + inTransaction); each += 1) {
          const content = { kind: "blob", blob: blobs.writeSmall(tx, body) } as const;
          await pushObject(tx, push, bucket, keyOf(each), { ...draft, content, modifiedAt: Date.now() });
        }
      });
    }
  } finally {
    await store.close();
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
