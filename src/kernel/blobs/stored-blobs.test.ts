import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { describeBlobs, type PlaceUnderTest } from "../../testing/blobs-cases.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { findPostgres, noPostgres, startPostgres, type TestPostgres } from "../../testing/postgres.ts";
import { randomIds } from "../ids.ts";
import { blobLimits } from "../limits.ts";
import { createLog } from "../log.ts";
import { openLmdbStore } from "../store/lmdb-store.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import { openPostgresStore } from "../store/postgres-store.ts";
import type { Store } from "../store/store.ts";
import type { Blobs } from "./blobs.ts";
import { createStoreBlobs } from "./store-blobs.ts";
import { createBlobs } from "./stored-blobs.ts";

let folder: string;
let store: Store;
let blobs: Blobs;
const clock = createFakeClock(1_000_000);
const log = createLog("silent", () => {}, Date.now);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-blobs-"));
  store = createMemoryStore();
  blobs = await createBlobs({ store, folder, clock, ids: randomIds });
});
afterEach(() => rm(folder, { recursive: true }));

const large = Buffer.alloc(blobLimits.smallBytesMax * 3 + 17, "large content ");
const filesIn = async () => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

const placeInFiles = (): PlaceUnderTest => ({
  needs: async () => ({ folder }),
  leftovers: filesIn,
  pieceBytes: blobLimits.chunkBytes * 2,
});

const keysIn = (its: Store, kind: string) =>
  its.read((reader) => reader.range({ prefix: ["blobs", kind] }, { limit: 10 }));

const placeInStore = (its: Store): PlaceUnderTest => ({
  store: its,
  needs: async () => ({ folder, place: "store" }),
  leftovers: async () =>
    [...(await keysIn(its, "piece")), ...(await keysIn(its, "length"))].map(({ key }) => key.join("/")),
  pieceBytes: blobLimits.pieceBytes,
});

describeBlobs("files", async () => placeInFiles());

describeBlobs("the store", async () => placeInStore(createMemoryStore()));

describeBlobs("the store on disk", async () => {
  const onDisk = await openLmdbStore({ folder: join(folder, "store"), clock });
  return { ...placeInStore(onDisk), end: () => onDisk.close() };
});

const missing = (await findPostgres()) === undefined;
describe.skipIf(missing)(`on PostgreSQL${missing ? ` (${noPostgres})` : ""}`, () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  describeBlobs("the store", async () => {
    const inDatabase = await openPostgresStore({ url: await postgres.newStore(), log });
    return { ...placeInStore(inDatabase), end: () => inDatabase.close() };
  });
});

async function* twentyPieces(): AsyncIterable<Uint8Array> {
  for (let n = 0; n < 20; n += 1) yield new Uint8Array(blobLimits.pieceBytes);
}

async function* failing(): AsyncIterable<Uint8Array> {
  yield large;
  throw new Error("the client has gone");
}

test("content whose source fails leaves no file, and what it began is collected", async () => {
  await expect(blobs.write(failing())).rejects.toThrow("the client has gone");
  expect(await filesIn()).toEqual([]);
  clock.advance(blobLimits.unusedMsMax);
  expect(await blobs.collect()).toBe(1);
});

test("small content that waits for too much memory becomes files", async () => {
  const many = Math.ceil(blobLimits.stagedBytesMax / blobLimits.smallBytesMax) + 1;
  for (let n = 0; n < many; n += 1) await blobs.write(new Uint8Array(blobLimits.smallBytesMax));
  expect(await filesIn()).toHaveLength(1);
});

test("small content is written and read with its pointer, and goes with it", async () => {
  const content = Buffer.from("few bytes");
  const id = await store.transact(async (tx) => blobs.writeSmall(tx, content));
  const read = () => store.read((reader) => blobs.readSmall(reader, id));
  expect(await read()).toEqual(new Uint8Array(content));
  expect(Buffer.from(await blobs.readAll(id)).toString()).toBe("few bytes");
  await store.transact(async (tx) => blobs.remove(tx, id));
  await expect(read()).rejects.toThrow("There is no content");
  expect([await keysIn(store, "content"), await keysIn(store, "unused")]).toEqual([[], []]);
});

test("small content of a transaction that fails is not there", async () => {
  const failing = store.transact(async (tx) => {
    blobs.writeSmall(tx, Buffer.from("few bytes"));
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await keysIn(store, "content")).toEqual([]);
});

test("what is too large is not written as small, and streamed where it is read", async () => {
  await expect(store.transact(async (tx) => blobs.writeSmall(tx, large))).rejects.toThrow("larger than");
  const { id } = await blobs.write(large);
  await store.transact(async (tx) => blobs.retain(tx, id));
  expect(await store.read((reader) => blobs.readSmall(reader, id))).toBeUndefined();
  await store.transact(async (tx) => blobs.remove(tx, id));
  // Whoever has begun to read it may end.
  expect(Buffer.from(await blobs.readAll(id)).equals(large)).toBe(true);
  expect((await keysIn(store, "unused")).map(({ key }) => key[2])).toEqual([id]);
});

test("files and folders are for their owner alone", async () => {
  await blobs.write(large);
  const [file = ""] = await filesIn();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(file, "..", ".."))).mode & 0o777).toBe(0o700);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

test("content in the store needs no folder, and never has more than a few pieces under way", async () => {
  let open = 0;
  let most = 0;
  const counting: Store = {
    ...store,
    transact: async (body) => {
      most = Math.max(most, (open += 1));
      try {
        return await store.transact(body);
      } finally {
        open -= 1;
      }
    },
  };
  const inStore = await createBlobs({
    store: counting,
    folder: "/nonexistent/folder",
    place: "store",
    clock,
    ids: randomIds,
  });
  const { id, bytes } = await inStore.write(twentyPieces());
  expect(bytes).toBe(20 * blobLimits.pieceBytes);
  expect(most).toBeLessThanOrEqual(blobLimits.piecesAtOnce);
  expect(await inStore.readAll(id)).toHaveLength(bytes);
});

test("content that was a file is found in the store when it was moved there", async () => {
  const { id } = await blobs.write(large);
  const node = await createBlobs({ store, folder: join(folder, "other"), place: "store", clock, ids: randomIds });
  await createStoreBlobs(store).write(id, blobs.read(id));
  expect(Buffer.from(await node.readAll(id)).equals(large)).toBe(true);
});

test("what was written to an S3-compatible store that is named no more is an error, not missing", async () => {
  await expect(blobs.readAll(`o${"a".repeat(40)}`)).rejects.toThrow("--blobs does not name");
});
