import { mkdtemp, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { blobLimits } from "../limits.ts";
import type { BlobPlace } from "./blob-place.ts";
import { openFileBlobs } from "./file-blobs.ts";

const { chunkBytes } = blobLimits;
let folder: string;
let files: BlobPlace;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-lending-"));
  files = await openFileBlobs(folder);
});
afterAll(() => rm(folder, { recursive: true }));

async function written(id: string, bytes: number): Promise<Buffer> {
  const content = randomBytes(bytes);
  await files.write(
    id,
    (async function* () {
      yield content;
    })(),
  );
  return content;
}

/** As one who sends: what is lent is looked at later, and before the next is asked for. */
async function readLent(id: string, range?: { readonly start: number; readonly end: number }): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const chunk of files.read(id, range, true)) {
    await new Promise((resolve) => setImmediate(resolve));
    copies.push(Buffer.from(chunk));
  }
  return Buffer.concat(copies);
}

test.each([1, chunkBytes - 1, chunkBytes, chunkBytes + 1, chunkBytes * 3, chunkBytes * 4 + 17])(
  "content of %i bytes is lent whole, and any part of it",
  async (bytes) => {
    const id = `f${String(bytes).padStart(40, "a")}`;
    const content = await written(id, bytes);
    expect((await readLent(id)).equals(content)).toBe(true);
    const range = { start: Math.floor(bytes / 3), end: bytes - Math.floor(bytes / 5) };
    expect((await readLent(id, range)).equals(content.subarray(range.start, range.end))).toBe(true);
    expect((await readLent(id, { start: 0, end: bytes + 10 })).equals(content)).toBe(true);
  },
);

test("many that read at once, among them some that stop, have each their own content", async () => {
  const ids = Array.from({ length: 12 }, (_, at) => `f${String(at).padStart(40, "b")}`);
  const contents = await Promise.all(ids.map((id, at) => written(id, chunkBytes * (1 + (at % 4)) + at)));
  for (let round = 0; round < 4; round += 1) {
    const found = await Promise.all(
      ids.map(async (id, at) => {
        if (at % 3 !== 0) return readLent(id);
        for await (const chunk of files.read(id, undefined, true)) {
          const first = Buffer.from(chunk);
          await new Promise((resolve) => setImmediate(resolve));
          // Still the caller's own.
          return first.equals(chunk) && contents[at]?.subarray(0, chunk.length).equals(chunk)
            ? contents[at]
            : undefined;
        }
        return undefined;
      }),
    );
    expect(found.map((each, at) => each !== undefined && contents[at]?.equals(each))).toEqual(ids.map(() => true));
  }
});
