import { S3, S3ServiceException } from "@aws-sdk/client-s3";
import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createBlobs } from "../../src/kernel/blobs/stored-blobs.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { randomIds } from "../../src/kernel/ids.ts";
import { blobLimits } from "../../src/kernel/limits.ts";
import { openLmdbStore } from "../../src/kernel/store/lmdb-store.ts";
import type { Key, Store } from "../../src/kernel/store/store.ts";
import { clientSettings } from "../../src/testing/functions.ts";
import { startTestServer } from "../../src/testing/server.ts";

/** What rounds of killing found: `faults` is empty where all is well. */
export interface KillRounds {
  readonly rounds: number;
  readonly acknowledged: number;
  /** Writes whose answer was lost, and of these, how many had happened. */
  readonly unanswered: number;
  readonly unansweredDone: number;
  readonly objects: number;
  /** Contents on disk at the end, once what is unused was collected. */
  readonly files: number;
  readonly faults: readonly string[];
}

/** The SHA-256 of each object, by key. */
type Held = Map<string, string>;

interface Change {
  readonly key: string;
  /** Undefined: deleted. */
  readonly hash: string | undefined;
}

const Bucket = "rounds";
const writersCount = 6;
const keysCount = 8;
const acknowledgedMin = 12;
const partBytes = 5 * 1024 * 1024;

/**
 * Starts a server, lets writers put, copy, upload in parts and delete objects of their own without pause; kills it with SIGKILL at a
 * random moment; starts it again, and reads everything: each object must have the hash of a write that was acknowledged, or of the
 * one whose answer was lost. So many times over on one data folder; at the end every content on disk must be some object's.
 */
export async function runKillRounds(rounds: number): Promise<KillRounds> {
  const server = await startTestServer();
  const settings = { ...clientSettings(server.environment), maxAttempts: 1 };
  const faults: string[] = [];
  const held = Array.from({ length: writersCount }, (): Held => new Map());
  const counts = { acknowledged: 0, unanswered: 0, unansweredDone: 0 };
  try {
    await new S3(settings).createBucket({ Bucket });
    for (let round = 0; round < rounds; round += 1) {
      const lost = new Map<number, Change>();
      const now = { acknowledged: 0, isOver: false };
      const writing = held.map(async (objects, writer) => {
        const s3 = new S3(settings);
        while (!now.isOver) {
          const { change, send } = pick(s3, writer, objects);
          const done = await send().then(
            () => true,
            (error: unknown) => {
              // An answer that is a refusal is no lost answer.
              if (error instanceof S3ServiceException) faults.push(`round ${round}: ${error.name} ${error.message}`);
              return false;
            },
          );
          if (!done) {
            lost.set(writer, change);
            break;
          }
          apply(objects, change);
          now.acknowledged += 1;
        }
        s3.destroy();
      });
      while (now.acknowledged < acknowledgedMin && faults.length === 0) await delay(2);
      await delay(Math.random() * 250);
      await server.kill();
      now.isOver = true;
      await Promise.all(writing);
      await server.killAndRestart();

      counts.acknowledged += now.acknowledged;
      counts.unanswered += lost.size;
      const s3 = new S3(settings);
      const found = await readAll(s3);
      for (const [writer, objects] of held.entries()) {
        const change = lost.get(writer);
        if (change && settle(objects, change, found)) counts.unansweredDone += 1;
        for (const key of keysOf(writer)) {
          if (objects.get(key) === found.get(key)) continue;
          faults.push(`round ${round}: ${key} is ${found.get(key)}, not ${objects.get(key)}`);
        }
      }
      s3.destroy();
    }
    const s3 = new S3(settings);
    await abortAll(s3);
    s3.destroy();
    await server.kill();
    const content = await compareContent(server.dataDir);
    return {
      rounds,
      ...counts,
      objects: held.reduce((sum, objects) => sum + objects.size, 0),
      files: content.files,
      faults: [...faults, ...content.faults],
    };
  } finally {
    await server.stop();
  }
}

function keysOf(writer: number): readonly string[] {
  return Array.from({ length: keysCount }, (_, at) => `writer ${writer}/${at}`);
}

function upTo(end: number): number {
  return Math.floor(Math.random() * end);
}

function hashOf(...contents: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const each of contents) hash.update(each);
  return hash.digest("hex");
}

/** A change of a writer's objects, and the calls that make it. */
function pick(s3: S3, writer: number, objects: Held): { readonly change: Change; send(): Promise<unknown> } {
  const Key = keysOf(writer)[upTo(keysCount)] ?? "";
  const at = { Bucket, Key };
  switch (upTo(8)) {
    case 0:
      return { change: { key: Key, hash: undefined }, send: () => s3.deleteObject(at) };
    case 1: {
      const [source, hash] = [...objects].at(upTo(objects.size)) ?? [];
      if (source === undefined || source === Key) break;
      const CopySource = `${Bucket}/${encodeURIComponent(source)}`;
      return { change: { key: Key, hash }, send: () => s3.copyObject({ ...at, CopySource }) };
    }
    case 2: {
      const parts = [randomBytes(partBytes), randomBytes(1 + upTo(100_000))];
      return {
        change: { key: Key, hash: hashOf(...parts) },
        send: async () => {
          const { UploadId } = await s3.createMultipartUpload(at);
          // As one who has changed their mind, now and then.
          if (upTo(4) === 0) {
            await s3.uploadPart({ ...at, UploadId, PartNumber: 3, Body: randomBytes(100_000) });
            await s3.abortMultipartUpload({ ...at, UploadId });
            return await s3.putObject({ ...at, Body: Buffer.concat(parts) });
          }
          const Parts = await Promise.all(
            parts.map(async (Body, index) => {
              const { ETag } = await s3.uploadPart({ ...at, UploadId, PartNumber: index + 1, Body });
              return { ETag, PartNumber: index + 1 };
            }),
          );
          return await s3.completeMultipartUpload({ ...at, UploadId, MultipartUpload: { Parts } });
        },
      };
    }
    default:
  }
  // Half of them small enough for the store, half of them files.
  const body = randomBytes(upTo(2) === 0 ? 1 + upTo(2_000) : blobLimits.smallBytesMax + upTo(500_000));
  return { change: { key: Key, hash: hashOf(body) }, send: () => s3.putObject({ ...at, Body: body }) };
}

function apply(objects: Held, { key, hash }: Change): void {
  if (hash === undefined) objects.delete(key);
  else objects.set(key, hash);
}

/** Takes over what a change without an answer has done. */
function settle(objects: Held, change: Change, found: Held): boolean {
  if (objects.get(change.key) === found.get(change.key) || change.hash !== found.get(change.key)) return false;
  apply(objects, change);
  return true;
}

async function readAll(s3: S3): Promise<Held> {
  const found: Held = new Map();
  const { Contents = [] } = await s3.listObjectsV2({ Bucket });
  for (const { Key = "", Size } of Contents) {
    const body = await (await s3.getObject({ Bucket, Key })).Body?.transformToByteArray();
    found.set(Key, body?.length === Size ? hashOf(body ?? new Uint8Array()) : `torn: ${body?.length} of ${Size} bytes`);
  }
  return found;
}

async function abortAll(s3: S3): Promise<void> {
  const { Uploads = [] } = await s3.listMultipartUploads({ Bucket });
  for (const { Key, UploadId } of Uploads) await s3.abortMultipartUpload({ Bucket, Key, UploadId });
}

/** A day and more later: what no object holds is collected, and nothing else is. */
async function compareContent(
  dataDir: string,
): Promise<{ readonly files: number; readonly faults: readonly string[] }> {
  const folder = join(dataDir, "blobs");
  const clock = { ...systemClock, now: () => Date.now() + blobLimits.unusedMsMax + blobLimits.releasedMs };
  const store = await openLmdbStore({ folder: join(dataDir, "store"), clock });
  try {
    const blobs = await createBlobs({ store, folder, clock, ids: randomIds });
    await blobs.collect();
    const kept = new Set<string>();
    for await (const value of valuesBelow(store, ["s3"])) {
      for (const [, id = ""] of JSON.stringify(value).matchAll(/"blob":"(\w+)"/g)) kept.add(id);
    }
    const small = new Set<string>();
    for await (const [id] of keysBelow(store, ["blobs", "content"])) small.add(String(id));
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
    const there = new Set([...small, ...files]);
    return {
      files: files.size,
      faults: [
        ...[...kept].filter((id) => !there.has(id)).map((id) => `the content ${id} of an object is not there`),
        ...[...files].filter((id) => !kept.has(id)).map((id) => `the content ${id} is no object's`),
        ...[...small].filter((id) => !kept.has(id)).map((id) => `the content ${id} in the store is no object's`),
      ],
    };
  } finally {
    await store.close();
  }
}

async function* valuesBelow(store: Store, prefix: Key): AsyncIterable<unknown> {
  for await (const { value } of entriesBelow(store, prefix)) yield value;
}

async function* keysBelow(store: Store, prefix: Key): AsyncIterable<Key> {
  for await (const { key } of entriesBelow(store, prefix)) yield key.slice(prefix.length);
}

async function* entriesBelow(store: Store, prefix: Key) {
  for (let after: Key | undefined; ;) {
    const range = after ? { prefix, after } : { prefix };
    const page = await store.read((reader) => reader.range(range, { limit: 500 }));
    yield* page;
    after = page.at(-1)?.key;
    if (!after || page.length < 500) return;
  }
}
