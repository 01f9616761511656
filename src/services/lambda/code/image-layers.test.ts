import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tarOf, type TarFile } from "../../../testing/image.ts";
import { unpackLayers } from "./image-layers.ts";
import { TarError } from "./tar.ts";

let folder: string;
let root: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "layers-"));
  root = join(folder, "image");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function* inChunks(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function unpack(...layers: readonly (readonly TarFile[])[]): Promise<void> {
  return unpackLayers(
    layers.map((entries) => inChunks(tarOf(entries), 1000)),
    root,
    "1",
  );
}

const text = (path: string) => readFile(join(root, path), "utf8");

test("later layers lie over earlier ones, with modes and times, without rights to write", async () => {
  await unpack(
    [
      { path: "app/", type: "5", mode: 0o777 },
      { path: "app/a", content: "1", mode: 0o4777 },
      { path: "app/b", content: "1" },
    ],
    [{ path: "./app/b", content: "2" }],
  );
  expect([await text("app/a"), await text("app/b")]).toEqual(["1", "2"]);
  const file = await stat(join(root, "app/a"));
  expect([file.mode & 0o7777, file.mtimeMs]).toEqual([0o755, 1_700_000_000_000]);
  expect((await stat(join(root, "app"))).mode & 0o7777).toBe(0o755);
});

test("whiteouts take away what earlier layers brought, and nothing of their own", async () => {
  await unpack(
    [
      { path: "a/gone", content: "1" },
      { path: "a/kept", content: "1" },
      { path: "b/old/x", content: "1" },
    ],
    [
      { path: "b/new", content: "2" },
      { path: "a/.wh.gone" },
      { path: "b/.wh..wh..opq" },
      { path: "c/both", content: "2" },
      { path: "c/.wh.both" },
      { path: ".wh..." },
    ],
  );
  expect(await readdir(join(root, "a"))).toEqual(["kept"]);
  expect(await readdir(join(root, "b"))).toEqual(["new"]);
  expect(await text("c/both")).toBe("2");
});

test("links stay as they are, and lead inside of the image only while it is unpacked", async () => {
  await unpack(
    [
      { path: "usr/bin/", type: "5" },
      { path: "bin", type: "2", target: "/usr/bin" },
      { path: "up", type: "2", target: "../../../.." },
      { path: "bin/sh", content: "#!" },
      { path: "up/file", content: "inside" },
      { path: "hard", type: "1", target: "bin/sh" },
    ],
    [{ path: "bin/second", content: "2" }],
  );
  expect(await readlink(join(root, "bin"))).toBe("/usr/bin");
  expect(await text("usr/bin/sh")).toBe("#!");
  expect(await text("usr/bin/second")).toBe("2");
  expect(await text("file")).toBe("inside");
  expect((await stat(join(root, "hard"))).ino).toBe((await stat(join(root, "usr/bin/sh"))).ino);
});

test.each(["../../escaped", "/../escaped", "a/../../escaped"])("the path %s stays inside", async (path) => {
  await unpack([{ path, content: "x" }]);
  expect(await text("escaped")).toBe("x");
  expect(await readdir(folder)).toEqual(["image"]);
});

test.each([
  ["a hard link out of the image", [{ path: "x", type: "1", target: "../../../../etc/passwd" }]],
  [
    "a hard link to a folder",
    [
      { path: "d/", type: "5" },
      { path: "x", type: "1", target: "d" },
    ],
  ],
  [
    "a file below a file",
    [
      { path: "x", content: "1" },
      { path: "x/y", content: "1" },
    ],
  ],
  [
    "links that go round",
    [
      { path: "l", type: "2", target: "l" },
      { path: "l/y", content: "1" },
    ],
  ],
] as [string, TarFile[]][])("%s is refused, and nothing is left", async (_what, entries) => {
  await expect(unpack(entries)).rejects.toThrow(TarError);
  expect(await readdir(folder)).toEqual([]);
});

test("a link in the place of what a sandbox mounts over is replaced", async () => {
  await unpack([
    { path: "etc/resolv.conf", type: "2", target: "/run/resolv.conf" },
    { path: "tmp", type: "2", target: "/var/tmp" },
  ]);
  expect((await lstat(join(root, "etc/resolv.conf"))).isFile()).toBe(true);
  expect((await lstat(join(root, "tmp"))).isDirectory()).toBe(true);
  expect((await readdir(root)).toSorted()).toEqual(["dev", "etc", "proc", "tmp"]);
});

test("any chunks give the same, and an archive that ends early or is damaged is refused", async () => {
  const archive = tarOf([
    { path: "a/b", content: "x".repeat(2000) },
    { path: "c", content: "" },
  ]);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3000 }), fc.nat(2 * 512), async (size, cut) => {
      await rm(root, { recursive: true, force: true });
      await unpackLayers([inChunks(archive, size)], root, "1");
      expect(await text("a/b")).toBe("x".repeat(2000));
      await rm(root, { recursive: true, force: true });
      const short = inChunks(archive.subarray(0, 512 + cut), size);
      await expect(unpackLayers([short], root, "1")).rejects.toThrow(TarError);
    }),
    { numRuns: 30 },
  );
  archive[10] = 77;
  await expect(unpackLayers([inChunks(archive, 512)], root, "1")).rejects.toThrow("checksum");
});
