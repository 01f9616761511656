import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createBlobs } from "../blobs/stored-blobs.ts";
import { systemClock } from "../clock.ts";
import { randomIds } from "../ids.ts";
import { openLmdbStore } from "../store/lmdb-store.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { Key, Store } from "../store/store.ts";
import { encodeValue } from "../store/values.ts";
import { backUp, checkArchive, copyPlace, type Place, restoreArchive } from "./backup.ts";
import { contentsOf } from "./contents.ts";
import { assertComplete, fillStore, findState, StoreIncompleteError } from "./incomplete.ts";

let folder: string;
let path: string;
let source: Place;
let target: Place;
const opened: Store[] = [];
const about = { clock: systemClock, program: "0.0.0" };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-backup-"));
  path = join(folder, "archive");
  source = { store: await openLmdb("source"), contents: contentsOf(join(folder, "source-blobs")) };
  target = { store: createMemoryStore(), contents: contentsOf(join(folder, "target-blobs")) };
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await rm(folder, { recursive: true, force: true });
});

async function openLmdb(name: string): Promise<Store> {
  const store = await openLmdbStore({ folder: join(folder, name), clock: systemClock });
  opened.push(store);
  return store;
}

const set = (store: Store, key: Key, value: unknown) => store.transact(async (tx) => tx.set(key, value));

async function all(store: Store) {
  const found = await store.read((reader) => reader.range({ prefix: [] }, { limit: 10_000 }));
  // As text: to compare bytes one by one takes the test's expectations a minute.
  return found.map(({ key, value }) => [key, encodeValue(value).toString("base64")]);
}

const values: readonly (readonly [Key, unknown])[] = [
  [["a", 1, true], { text: "ü€\u0000", list: [1, -2.5, null], nested: { $b: "no bytes" } }],
  [["a", 2, false], { bytes: new Uint8Array([0, 255]), big: 2n ** 80n }],
  [[new Uint8Array([0, 1]), "k"], new Uint8Array([1, 2, 3])],
  [["large"], new Uint8Array(2_000_000).fill(7)],
  [["null"], null],
];

async function fillSource(): Promise<void> {
  for (const [key, value] of values) await set(source.store, key, value);
  await source.store.transact(async (tx) => {
    for (let n = 0; n < 1_000; n += 1) tx.set(["many", n], `value ${n}`);
  });
}

const blobsOf = (place: Place, name: string) =>
  createBlobs({ store: place.store, clock: systemClock, ids: randomIds, folder: join(folder, name) });

test("what is restored is what was backed up, every kind of key and value", async () => {
  await fillSource();
  expect(await backUp(source, path, about)).toEqual({ entries: 1_005, contents: 0 });
  expect(await restoreArchive(target, path)).toEqual({ entries: 1_005, contents: 0 });
  expect(await all(target.store)).toEqual(await all(source.store));
});

test("content comes with its pointers, small and large", async () => {
  const blobs = await blobsOf(source, "source-blobs");
  const large = Buffer.alloc(700_000, "large content ");
  const ids = await Promise.all([blobs.write(Buffer.from("small")), blobs.write(large)]);
  for (const { id } of ids) {
    await source.store.transact(async (tx) => {
      blobs.retain(tx, id);
      tx.set(["pointer", id], id);
    });
  }
  await backUp(source, path, about);
  await restoreArchive(target, path);
  const restored = await blobsOf(target, "target-blobs");
  expect(Buffer.from(await restored.readAll(ids[0].id)).toString()).toBe("small");
  expect(Buffer.from(await restored.readAll(ids[1].id)).equals(large)).toBe(true);
});

test("it is a copy of one moment, whatever is written and removed meanwhile", async () => {
  const blobs = await blobsOf(source, "source-blobs");
  const { id } = await blobs.write(new Uint8Array(100_000).fill(1));
  await source.store.transact(async (tx) => {
    blobs.retain(tx, id);
    tx.set(["pair", "a"], 0);
    tx.set(["pair", "b"], 0);
  });
  const stop = new AbortController();
  const writing = (async () => {
    for (let n = 1; !stop.signal.aborted; n += 1) {
      await source.store.transact(async (tx) => {
        tx.set(["pair", "a"], n);
        tx.set(["pair", "b"], n);
        tx.set(["more", n], new Uint8Array(5_000));
      });
    }
  })();
  for (let round = 0; round < 5; round += 1) {
    await backUp(source, `${path}${round}`, about);
    await restoreArchive(target, `${path}${round}`);
    const [a, b] = await target.store.read((reader) =>
      reader.getMany([
        ["pair", "a"],
        ["pair", "b"],
      ]),
    );
    expect(a).toBe(b);
    expect((await (await blobsOf(target, "target-blobs")).readAll(id)).length).toBe(100_000);
  }
  stop.abort();
  await writing;
  // Nothing is left of what was held.
  expect((await readdir(folder)).filter((name) => name.includes("held"))).toEqual([]);
});

test("who serves the store is not copied, and neither are keys unless they are given", async () => {
  await set(source.store, ["nodes", "member", "n1"], { lease: "x" });
  await set(source.store, ["kept"], 1);
  await backUp(source, path, about);
  expect((await checkArchive(path)).files).toEqual([]);
  await restoreArchive(target, path);
  expect(await all(target.store)).toEqual([[["kept"], encodeValue(1).toString("base64")]]);
  await backUp(source, `${path}-keys`, { ...about, keys: [{ name: "server-key", text: "secret" }] });
  const { head, files } = await checkArchive(`${path}-keys`);
  expect([head.withKeys, files]).toEqual([true, [{ name: "server-key", text: "secret" }]]);
});

test("the archive is for its owner alone, and none is written over", async () => {
  await backUp(source, path, about);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await expect(backUp(source, path, about)).rejects.toThrow("EEXIST");
});

test("an archive that was cut off anywhere is refused", async () => {
  await fillSource();
  await backUp(source, path, about);
  const { size } = await stat(path);
  for (const length of [0, 5, 17, 18, 40, Math.floor(size / 2), size - 9, size - 1]) {
    const content = await readFile(path);
    const cut = join(folder, `cut-${length}`);
    await writeFile(cut, content);
    await truncate(cut, length);
    await expect(checkArchive(cut), `cut off at ${length}`).rejects.toThrow(/damaged or was cut off|is not a backup/);
  }
});

test("an archive in which one byte was changed is refused", async () => {
  await set(source.store, ["k"], "some text that is long enough to be changed somewhere");
  await backUp(source, path, about);
  const content = await readFile(path);
  // The ten bytes of the compression's own header hold nothing of ours; of the rest every bit counts.
  for (let at = 17 + 10; at < content.length; at += 3) {
    const changed = Buffer.from(content);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await writeFile(path, changed);
    await expect(checkArchive(path), `changed at ${at}`).rejects.toThrow();
  }
});

test("an archive with something behind it is refused", async () => {
  await backUp(source, path, about);
  await appendFile(path, await readFile(path));
  await expect(checkArchive(path)).rejects.toThrow();
});

test("an archive of a newer version is refused, saying so; another file too", async () => {
  await writeFile(path, "cumulet-backup 2\nxxx");
  await expect(checkArchive(path)).rejects.toThrow(/has format 2, which a newer version of the program wrote/);
  await writeFile(path, "something else");
  await expect(checkArchive(path)).rejects.toThrow(/is not a backup/);
});

test("a copy that was broken off is known for one until it is made whole", async () => {
  await set(target.store, ["old"], 1);
  const broken = fillStore(target.store, async () => {
    await set(target.store, ["new"], 1);
    throw new Error("power cut");
  });
  await expect(broken).rejects.toThrow("power cut");
  await expect(assertComplete(target.store)).rejects.toThrow(StoreIncompleteError);
  expect(await findState(target.store)).toBe("incomplete");
  await fillSource();
  await copyPlace(source, target, systemClock);
  await assertComplete(target.store);
  expect(await all(target.store)).toEqual(await all(source.store));
});

test("a store knows whether it is empty", async () => {
  expect(await findState(target.store)).toBe("empty");
  await set(target.store, ["k"], 1);
  expect(await findState(target.store)).toBe("in use");
});
