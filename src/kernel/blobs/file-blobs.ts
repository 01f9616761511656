import { chmod, type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { blobLimits } from "../limits.ts";
import type { BlobPlace } from "./blob-place.ts";
import { BlobNotFoundError } from "./blobs.ts";
import { type ChunkBuffers, createChunkBuffers } from "./lending-content.ts";

/**
 * Content as files below a folder, two levels deep by the first characters of the id; nothing is left of a write that
 * failed. The folder is made when absent, for this user alone.
 */
export async function openFileBlobs(folder: string): Promise<BlobPlace> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const buffers = createChunkBuffers(blobLimits.chunkBytes, blobLimits.chunksKept);
  const pathOf = (id: string) => join(folder, id.slice(1, 3), id.slice(3, 5), id);

  return {
    write: async (id, content) => {
      const path = pathOf(id);
      const unfinished = `${path}.unfinished`;
      await makeFolders(folder, dirname(path));
      const file = await open(unfinished, "wx", 0o600);
      try {
        try {
          await writeAll(file, content);
          await file.datasync();
        } finally {
          await file.close();
        }
        await rename(unfinished, path);
        await syncFolder(dirname(path));
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
    },
    read: async function* (id, range, isLent = false) {
      const file = await openExisting(pathOf(id), id);
      const { start, end } = range ?? { start: 0, end: Number.POSITIVE_INFINITY };
      try {
        yield* isLent ? lentChunksOf(file, start, end, buffers) : chunksOf(file, start, end);
      } finally {
        await file.close();
      }
    },
    remove: async (id) => {
      await rm(pathOf(id), { force: true });
      await rm(`${pathOf(id)}.unfinished`, { force: true });
    },
  };
}

async function* chunksOf(file: FileHandle, start: number, end: number): AsyncIterable<Uint8Array> {
  let position = start;
  while (position < end) {
    // Each chunk its own memory: whoever receives it may keep it while the next is read.
    const buffer = Buffer.allocUnsafeSlow(Math.min(blobLimits.chunkBytes, end - position));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead);
  }
}

/** The next chunk is read while the caller has one. */
async function* lentChunksOf(
  file: FileHandle,
  start: number,
  end: number,
  buffers: ChunkBuffers,
): AsyncIterable<Uint8Array> {
  const readAt = (buffer: Buffer, position: number) => {
    const reading = file.read(buffer, 0, Math.min(buffer.length, end - position), position);
    // Awaited when the caller asks for it, if ever.
    reading.catch(() => {});
    return reading;
  };
  let position = start;
  let buffer = buffers.take();
  let other: Buffer | undefined;
  let reading = readAt(buffer, position);
  for (;;) {
    const { bytesRead } = await reading;
    position += bytesRead;
    const chunk = buffer;
    const isLast = bytesRead === 0 || position >= end;
    if (!isLast) {
      [buffer, other] = [other ?? buffers.take(), buffer];
      reading = readAt(buffer, position);
    }
    if (bytesRead > 0) yield chunk.subarray(0, bytesRead);
    if (isLast) break;
  }
  // Only here has the caller asked beyond the last chunk: who stops before may still be sending one.
  buffers.give(buffer);
  if (other) buffers.give(other);
}

async function writeAll(file: FileHandle, content: AsyncIterable<Uint8Array>): Promise<void> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes < blobLimits.chunkBytes) continue;
    await writeChunks(file, waiting, bytes);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) await writeChunks(file, waiting, bytes);
}

async function writeChunks(file: FileHandle, chunks: readonly Uint8Array[], bytes: number): Promise<void> {
  let { bytesWritten: written } = await file.writev([...chunks]);
  if (written === bytes) return;
  // A full disk, for one, takes a part and says why with the rest.
  const all = Buffer.concat(chunks);
  while (written < bytes) written += (await file.write(all, written, bytes - written)).bytesWritten;
}

async function openExisting(path: string, id: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw new BlobNotFoundError(id);
    throw error;
  }
}

/** Make the folders between, and have their names on disk before anything is put into them. */
async function makeFolders(root: string, folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let parent = dirname(folder); ; parent = dirname(parent)) {
    await syncFolder(parent);
    if (parent === root || parent === dirname(parent)) return;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
