import type { Clock } from "../clock.ts";
import { type Ids, lowerAlphanumeric } from "../ids.ts";
import { blobLimits } from "../limits.ts";
import type { Store, Transaction } from "../store/store.ts";
import { BlobNotFoundError, type Blobs, BlobTooLargeError } from "./blobs.ts";
import type { BlobPlace, BlobRange } from "./blob-place.ts";
import { openFileBlobs } from "./file-blobs.ts";
import { lendingContent } from "./lending-content.ts";
import { createStoreBlobs } from "./store-blobs.ts";

/**
 * An id is a letter for the place and 40 characters, random ones but for the first nine of `s`, which are the time: what is
 * written together lies together, and a commit of many changes few pages. Small content (`s`) is a value in the store, written in the
 * transaction that retains it; other content is noted as unused before it is written: as a file (`f`), in pieces in the
 * store (`p`), or as an object of an S3-compatible store (`o`). Where content goes may change between starts; what was
 * written before stays readable where it is.
 *
 * Keys: `["blobs", "content", id]` small content; `["blobs", "unused", id]` the time after which it may be removed.
 */
const idPattern = /^[sfpo][a-z0-9]{40}$/;

const letters = { files: "f", store: "p", s3: "o" } as const;

export interface BlobNeeds {
  readonly store: Store;
  /** Where files go, or went. Nothing else may be in it. */
  readonly folder: string;
  /** Where large content goes. Default `files`, which suits processes that share a disk. */
  readonly place?: keyof typeof letters;
  /** The S3-compatible store that `place` names, or that content was written to before. */
  readonly s3?: BlobPlace;
  readonly clock: Clock;
  readonly ids: Ids;
}

export async function createBlobs(needs: BlobNeeds): Promise<Blobs> {
  const { store, clock, ids } = needs;
  const letter = letters[needs.place ?? "files"];
  const staged = createStage(clock);
  const inStore = createStoreBlobs(store);
  let inFiles: Promise<BlobPlace> | undefined;
  if (letter === "f") await openFiles();

  const newId = (place: string) => {
    if (place !== "s") return place + ids.random(40, lowerAlphanumeric);
    return place + clock.now().toString(36).padStart(9, "0") + ids.random(31, lowerAlphanumeric);
  };

  function openFiles(): Promise<BlobPlace> {
    inFiles ??= openFileBlobs(needs.folder);
    return inFiles;
  }

  /** By an id that is not `s`. */
  async function placeOf(id: string): Promise<BlobPlace> {
    if (id.startsWith("p")) return inStore;
    if (id.startsWith("f")) return filesOrStore(await openFiles(), inStore);
    if (!needs.s3) throw new Error("This content was written to an S3-compatible store, which --blobs does not name");
    return needs.s3;
  }

  async function* readLarge(id: string, range?: BlobRange, isLent?: boolean): AsyncIterable<Uint8Array> {
    yield* (await placeOf(id)).read(id, range, isLent);
  }

  async function* readChunks(id: string, range: BlobRange | undefined, isLent: boolean): AsyncIterable<Uint8Array> {
    assertId(id);
    if (id.startsWith("s")) {
      const content = await readSmall(id);
      yield range ? content.subarray(range.start, range.end) : content;
    } else yield* readLarge(id, range, isLent);
  }

  /** Bytes that are in the store, or on their way there. */
  async function readSmall(id: string): Promise<Uint8Array> {
    const content = staged.find(id) ?? (await store.read((reader) => reader.get<Uint8Array>(["blobs", "content", id])));
    if (!content) throw new BlobNotFoundError(id);
    return content;
  }

  async function removeUnused(id: string): Promise<boolean> {
    const now = clock.now();
    const removed = await store.transact(async (tx) => {
      const after = await tx.get<number>(["blobs", "unused", id]);
      if (after === undefined || after > now) return false;
      if (id.startsWith("s")) {
        tx.delete(["blobs", "content", id]);
        tx.delete(["blobs", "unused", id]);
      }
      return true;
    });
    if (!removed || id.startsWith("s")) return removed;
    await (await placeOf(id)).remove(id);
    await store.transact(async (tx) => tx.delete(["blobs", "unused", id]));
    return true;
  }

  function release(tx: Transaction, id: string): void {
    assertId(id);
    tx.set(["blobs", "unused", id], clock.now() + blobLimits.releasedMs);
  }

  return {
    release,
    remove: (tx, id) => {
      if (id.startsWith("s")) tx.delete(["blobs", "content", id]);
      else release(tx, id);
    },
    write: async (content, options = {}) => {
      const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
      const source = createSource(content instanceof Uint8Array ? [content] : content, maxBytes);
      const head = await source.takeUpTo(blobLimits.smallBytesMax);
      if (head.ended && staged.hasRoom(head.bytes.length)) {
        const id = newId("s");
        staged.add(id, head.bytes);
        return { id, bytes: head.bytes.length };
      }
      const id = newId(letter);
      try {
        await store.transact(async (tx) => tx.set(["blobs", "unused", id], clock.now() + blobLimits.unusedMsMax));
        await (await placeOf(id)).write(id, source.rest(head));
      } finally {
        await source.close();
      }
      return { id, bytes: source.bytes() };
    },
    writeSmall: (tx, content) => {
      if (content.length > blobLimits.smallBytesMax) throw new BlobTooLargeError(blobLimits.smallBytesMax);
      const id = newId("s");
      tx.set(["blobs", "content", id], content);
      return id;
    },
    read: (id, range) => lendingContent((isLent) => readChunks(id, range, isLent)),
    readSmall: async (reader, id) => {
      assertId(id);
      if (!id.startsWith("s")) return undefined;
      const content = await reader.get<Uint8Array>(["blobs", "content", id]);
      if (!content) throw new BlobNotFoundError(id);
      return content;
    },
    readAll: async (id) => {
      assertId(id);
      return id.startsWith("s") ? readSmall(id) : join(readLarge(id));
    },
    retain: (tx, id) => {
      assertId(id);
      const content = staged.find(id);
      if (content) {
        tx.set(["blobs", "content", id], content);
        tx.afterCommit(() => staged.drop(id));
      }
      tx.delete(["blobs", "unused", id]);
    },
    collect: async () => {
      let removed = 0;
      let page = await store.read((reader) => reader.range<number>({ prefix: ["blobs", "unused"] }, { limit: 500 }));
      while (page.length > 0) {
        for (const { key, value } of page) {
          if (value <= clock.now() && (await removeUnused(String(key[2])))) removed += 1;
        }
        const after = page.at(-1)?.key ?? [];
        page = await store.read((reader) =>
          reader.range<number>({ prefix: ["blobs", "unused"], after }, { limit: 500 }),
        );
      }
      return removed;
    },
  };
}

/** What was written as a file may have been moved into the store since, under its id: by `cumulet migrate`. */
function filesOrStore(files: BlobPlace, inStore: BlobPlace): BlobPlace {
  return {
    write: files.write,
    read: async function* (id, range, isLent) {
      let begun = false;
      try {
        for await (const chunk of files.read(id, range, isLent)) {
          begun = true;
          yield chunk;
        }
      } catch (error) {
        if (begun || !(error instanceof BlobNotFoundError)) throw error;
        yield* inStore.read(id, range);
      }
    },
    remove: async (id) => {
      await files.remove(id);
      await inStore.remove(id);
    },
  };
}

/** Nothing but an id of ours ever becomes part of a path. */
function assertId(id: string): void {
  if (!idPattern.test(id)) throw new BlobNotFoundError(id);
}

/** Small content between its writing and the transaction that retains it. */
function createStage(clock: Clock) {
  const contents = new Map<string, { readonly content: Uint8Array; readonly until: number }>();
  let bytes = 0;
  const drop = (id: string) => {
    bytes -= contents.get(id)?.content.length ?? 0;
    contents.delete(id);
  };
  return {
    find: (id: string) => contents.get(id)?.content,
    drop,
    add: (id: string, content: Uint8Array) => {
      contents.set(id, { content, until: clock.now() + blobLimits.unusedMsMax });
      bytes += content.length;
    },
    hasRoom: (wanted: number) => {
      for (const [id, { until }] of contents) {
        if (until > clock.now()) break;
        drop(id);
      }
      return bytes + wanted <= blobLimits.stagedBytesMax;
    },
  };
}

interface Head {
  readonly bytes: Uint8Array;
  /** Nothing follows. */
  readonly ended: boolean;
}

/** Content that is counted while it is taken. */
function createSource(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, maxBytes: number) {
  const iterator = Symbol.asyncIterator in content ? content[Symbol.asyncIterator]() : content[Symbol.iterator]();
  let bytes = 0;
  let ended = false;

  async function next(): Promise<Uint8Array | undefined> {
    const step = await iterator.next();
    if (step.done) {
      ended = true;
      return undefined;
    }
    bytes += step.value.length;
    if (bytes <= maxBytes) return step.value;
    await iterator.return?.();
    throw new BlobTooLargeError(maxBytes);
  }

  return {
    bytes: () => bytes,
    /** Stop whatever makes the content, when it has not ended. */
    close: async () => {
      if (!ended) await iterator.return?.();
    },
    takeUpTo: async (limit: number): Promise<Head> => {
      const chunks: Uint8Array[] = [];
      while (bytes <= limit) {
        const chunk = await next();
        if (!chunk) return { bytes: concat(chunks), ended: true };
        chunks.push(chunk);
      }
      return { bytes: concat(chunks), ended: false };
    },
    rest: async function* (head: Head): AsyncIterable<Uint8Array> {
      yield head.bytes;
      if (head.ended) return;
      for (let chunk = await next(); chunk; chunk = await next()) yield chunk;
    },
  };
}

async function join(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return concat(chunks);
}

/** Always new memory: what was handed in stays the caller's. */
function concat(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}
