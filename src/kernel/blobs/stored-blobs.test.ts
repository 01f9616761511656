import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFakeClock, type FakeClock } from "../../testing/fake-clock.ts";
import { randomIds } from "../ids.ts";
import { blobLimits } from "../limits.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";
import { BlobNotFoundError, type Blobs, BlobTooLargeError } from "./blobs.ts";
import { createBlobs } from "./stored-blobs.ts";

let folder: string;
let store: Store;
let clock: FakeClock;
let blobs: Blobs;
const newProcess = () => createBlobs({ store, folder, clock, ids: randomIds });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-blobs-"));
  store = createMemoryStore();
  clock = createFakeClock(1_000_000);
  blobs = await newProcess();
});
afterEach(() => rm(folder, { recursive: true }));

const small = Buffer.from("small content");
const large = Buffer.alloc(blobLimits.smallBytesMax * 3 + 17, "large content ");
const retain = (id: string) => store.transact(async (tx) => blobs.retain(tx, id));
const release = (id: string) => store.transact(async (tx) => blobs.release(tx, id));
const filesIn = async () => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

async function* inChunks(content: Buffer, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

async function* failing(): AsyncIterable<Uint8Array> {
  yield large;
  throw new Error("the client has gone");
}

async function readRange(id: string, range?: { start: number; end: number }): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of blobs.read(id, range)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe.each([
  ["small", small],
  ["large", large],
  ["empty", Buffer.alloc(0)],
])("%s content", (_name, content) => {
  test("comes back whole and in parts, before and after it is retained", async () => {
    const { id, bytes } = await blobs.write(inChunks(content, 10_000));
    expect(bytes).toBe(content.length);
    expect(Buffer.from(await blobs.readAll(id)).equals(content)).toBe(true);
    await retain(id);
    expect(Buffer.from(await blobs.readAll(id)).equals(content)).toBe(true);
    expect(await readRange(id)).toBe(content.toString());
    expect(await readRange(id, { start: 3, end: 8 })).toBe(content.subarray(3, 8).toString());
  });

  test("is there for another process once it is retained", async () => {
    const { id } = await blobs.write(content);
    await retain(id);
    const other = await newProcess();
    expect(Buffer.from(await other.readAll(id)).equals(content)).toBe(true);
  });

  test("is kept when it is retained, and collected some time after it is released", async () => {
    const { id } = await blobs.write(content);
    await retain(id);
    clock.advance(blobLimits.unusedMsMax * 2);
    expect(await blobs.collect()).toBe(0);
    await release(id);
    expect(await blobs.collect()).toBe(0);
    expect(Buffer.from(await blobs.readAll(id)).equals(content)).toBe(true);
    clock.advance(blobLimits.releasedMs);
    expect(await blobs.collect()).toBe(1);
    await expect(blobs.readAll(id)).rejects.toThrow(BlobNotFoundError);
    expect(await filesIn()).toEqual([]);
  });

  test("is refused as soon as it is longer than allowed, and nothing stays", async () => {
    let closed = false;
    async function* endless(): AsyncIterable<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(1000);
      } finally {
        closed = true;
      }
    }
    await expect(blobs.write(endless(), { maxBytes: content.length + 1 })).rejects.toThrow(BlobTooLargeError);
    expect(closed).toBe(true);
    expect(await filesIn()).toEqual([]);
  });
});

test("content that is exactly as long as allowed is taken", async () => {
  expect((await blobs.write(large, { maxBytes: large.length })).bytes).toBe(large.length);
});

test("content that was never retained is collected as an orphan", async () => {
  const { id } = await blobs.write(large);
  expect(await filesIn()).toHaveLength(1);
  clock.advance(blobLimits.unusedMsMax - 1);
  expect(await blobs.collect()).toBe(0);
  clock.advance(1);
  expect(await (await newProcess()).collect()).toBe(1);
  expect(await filesIn()).toEqual([]);
  await expect(blobs.readAll(id)).rejects.toThrow(BlobNotFoundError);
});

test("content whose source fails leaves no file, and what it began is collected", async () => {
  await expect(blobs.write(failing())).rejects.toThrow("the client has gone");
  expect(await filesIn()).toEqual([]);
  clock.advance(blobLimits.unusedMsMax);
  expect(await blobs.collect()).toBe(1);
});

test("a transaction that fails retains nothing", async () => {
  const { id } = await blobs.write(large);
  const failing = store.transact(async (tx) => {
    blobs.retain(tx, id);
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  clock.advance(blobLimits.unusedMsMax);
  expect(await blobs.collect()).toBe(1);
});

test("small content that waits for too much memory becomes files", async () => {
  const many = Math.ceil(blobLimits.stagedBytesMax / blobLimits.smallBytesMax) + 1;
  for (let n = 0; n < many; n += 1) await blobs.write(new Uint8Array(blobLimits.smallBytesMax));
  expect(await filesIn()).toHaveLength(1);
});

test("files and folders are for their owner alone", async () => {
  await blobs.write(large);
  const [file = ""] = await filesIn();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(file, "..", ".."))).mode & 0o777).toBe(0o700);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

test.each([
  "",
  "../../etc/passwd",
  "f../../../../../../../../../../../../etc/passwd",
  "f" + "a".repeat(40),
  "f/" + "a".repeat(39),
])("an id that was not given out is not found: %s", async (id) => {
  await expect(blobs.readAll(id)).rejects.toThrow(BlobNotFoundError);
  await expect(readRange(id)).rejects.toThrow(BlobNotFoundError);
});
