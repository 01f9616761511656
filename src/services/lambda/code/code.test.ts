import { mkdtemp, readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { strToU8, zipSync } from "fflate";
import { afterEach, beforeEach, expect, test } from "vitest";
import { unpack } from "./unpack.ts";
import { readZip } from "./zip.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "unpack-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const fileMode = 0o100000;
const linkMode = 0o120000;

function zip(files: Readonly<Record<string, string>>, mode: number = fileMode | 0o644): Uint8Array {
  const attrs = (mode << 16) >>> 0;
  return zipSync(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [name, [strToU8(text), { os: 3, attrs }]])),
  );
}

/** One entry under any name at all, also such as writers refuse. */
function rawZip(name: string, content: string, more: { mode?: number; size?: number; crc?: number } = {}): Uint8Array {
  const data = deflateRawSync(content);
  const path = Buffer.from(name);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(path.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(3 << 8, 4);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(more.crc ?? crc32(content), 16);
  central.writeUInt32LE(data.length, 20);
  central.writeUInt32LE(more.size ?? Buffer.byteLength(content), 24);
  central.writeUInt16LE(path.length, 28);
  central.writeUInt32LE(((more.mode ?? fileMode | 0o644) << 16) >>> 0, 38);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(local.length + path.length + data.length, 16);
  return Buffer.concat([local, path, data, central, path, end]);
}

function unpackAll(...archives: readonly Uint8Array[]): Promise<string> {
  const target = join(folder, "out");
  return unpack(
    archives.flatMap((archive) => readZip(archive, 1000)),
    target,
    "1",
  ).then(() => target);
}

test("files, folders and modes are unpacked, without write permission for others", async () => {
  const target = await unpackAll(zip({ "a.txt": "a", "deep/er/b.txt": "b" }, fileMode | 0o777));
  expect(await readFile(join(target, "deep/er/b.txt"), "utf8")).toBe("b");
  expect((await stat(join(target, "a.txt"))).mode & 0o777).toBe(0o755);
  expect((await stat(join(target, "deep"))).mode & 0o777).toBe(0o755);
  expect(await readdir(folder)).toEqual(["out"]);
});

test("a file that the archive gives no mode is readable", async () => {
  const target = await unpackAll(zipSync({ a: strToU8("a") }));
  expect((await stat(join(target, "a"))).mode & 0o777).toBe(0o644);
});

test("a link inside of the package stays a link", async () => {
  const target = await unpackAll(
    zip({ "lib/real": "r" }),
    rawZip("bin/link", "../lib/real", { mode: linkMode | 0o777 }),
  );
  expect(await readlink(join(target, "bin/link"))).toBe("../lib/real");
  expect(await readFile(join(target, "bin/link"), "utf8")).toBe("r");
});

test.each(["../evil", "/evil", "a/../../evil", "a\0b"])("the path %j is refused", (name) => {
  expect(() => readZip(rawZip(name, "x"), 10)).toThrow("not allowed");
});

test.each(["/etc/passwd", "../../etc/passwd", "..", "a/../../b", ""])(
  "a link to %j is refused, and nothing is left",
  async (to) => {
    await expect(unpackAll(rawZip("link", to, { mode: linkMode | 0o777 }))).rejects.toThrow("leaves the package");
    expect(await readdir(folder)).toEqual([]);
  },
);

test("nothing is written through a link", async () => {
  const link = rawZip("dir", "..", { mode: linkMode | 0o777 });
  await expect(unpackAll(link, zip({ "dir/file": "x" }))).rejects.toThrow("not a folder");
});

test("content that is larger than the archive says, or other than its checksum, is refused", async () => {
  await expect(unpackAll(rawZip("bomb", "x".repeat(10_000), { size: 10 }))).rejects.toThrow("does not inflate");
  await expect(unpackAll(rawZip("wrong", "x", { crc: 1 }))).rejects.toThrow("checksum");
});

test("what unpacks, unpacks as it was packed", async () => {
  const name = fc.string({ unit: fc.constantFrom("a", "b", "ü", " ", "-"), minLength: 1, maxLength: 5 });
  const files = fc.dictionary(name, fc.string(), { maxKeys: 5, noNullPrototype: true });
  await fc.assert(
    fc.asyncProperty(files, async (given) => {
      const entries = readZip(zip(given), 1000);
      const read = await Promise.all(
        entries.map(async (entry) => [entry.path, Buffer.from(await entry.read()).toString("utf8")] as const),
      );
      expect(Object.fromEntries(read)).toEqual(given);
    }),
    { numRuns: 100 },
  );
});

test("bytes that are no archive are refused, and never fail otherwise", async () => {
  const valid = zip({ "index.js": "exports.handler = 1" });
  const damage = fc.tuple(fc.nat(valid.length - 1), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(
      fc.array(damage, { minLength: 1, maxLength: 5 }),
      fc.nat(valid.length),
      async (changes, length) => {
        const bytes = Uint8Array.from(valid);
        for (const [at, value] of changes) bytes[at] = value;
        for (const archive of [bytes, bytes.subarray(0, length)]) {
          try {
            for (const entry of readZip(archive, 100)) await entry.read();
          } catch (error) {
            expect((error as Error).constructor.name).toBe("ZipError");
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});
