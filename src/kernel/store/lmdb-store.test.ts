import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { describe, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { openLmdbStore, StoreFormatError } from "./lmdb-store.ts";
import { storeCases } from "./store.cases.ts";

const newFolder = () => mkdtemp(join(tmpdir(), "cumulet-store-"));

const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe("the store on disk", () => {
  storeCases(async () => {
    const folder = await newFolder();
    const store = await openLmdbStore({ folder, clock: systemClock });
    return { store, remove: () => rm(folder, { recursive: true }) };
  });
});

describe("the folder of the store", () => {
  test("keeps what was stored", async () => {
    const folder = await newFolder();
    const first = await openLmdbStore({ folder, clock: systemClock });
    await first.transact(async (tx) => tx.set(["k"], { n: 1 }));
    await first.close();
    const second = await openLmdbStore({ folder, clock: systemClock });
    expect(await second.read((reader) => reader.get(["k"]))).toEqual({ n: 1 });
    await second.close();
    await rm(folder, { recursive: true });
  });

  test("is for its owner alone", async () => {
    const parent = await newFolder();
    const folder = join(parent, "new");
    const store = await openLmdbStore({ folder, clock: systemClock });
    expect(await mode(folder)).toBe("700");
    expect(await mode(join(folder, "data.mdb"))).toBe("600");
    expect(await mode(join(folder, "lock.mdb"))).toBe("600");
    await store.close();
    await rm(parent, { recursive: true });
  });

  test("takes little room on disk while it holds little", async () => {
    const folder = await newFolder();
    const store = await openLmdbStore({ folder, clock: systemClock });
    await store.transact(async (tx) => tx.set(["k"], 1));
    expect((await stat(join(folder, "data.mdb"))).size).toBeLessThan(1024 * 1024);
    await store.close();
    await rm(folder, { recursive: true });
  });

  test.each([
    ["a newer version of the program", "\x00format", "2"],
    ["something else", "other", "x"],
  ])("is refused when %s has written it", async (_name, key, value) => {
    const folder = await newFolder();
    const other = open<Buffer, Buffer>({ path: folder, noSubdir: false, encoding: "binary", keyEncoding: "binary" });
    await other.put(Buffer.from(key), Buffer.from(value));
    await other.close();
    await expect(openLmdbStore({ folder, clock: systemClock })).rejects.toThrow(StoreFormatError);
    await rm(folder, { recursive: true });
  });
});
