import { blobLimits } from "../limits.ts";
import type { Key, Store } from "../store/store.ts";
import { type BlobPlace, inPieces } from "./blob-place.ts";
import { BlobNotFoundError } from "./blobs.ts";

const pieceKey = (id: string, n: number): Key => ["blobs", "piece", id, n];
const lengthKey = (id: string): Key => ["blobs", "length", id];

/**
 * Content as values of the store, for nodes that share nothing else: pieces of one size under `["blobs", "piece", id, n]`,
 * each in a transaction of its own, and when all are there `["blobs", "length", id]`, without which there is no content.
 */
export function createStoreBlobs(store: Store): BlobPlace {
  const { pieceBytes } = blobLimits;
  const lengthOf = (id: string) => store.read((reader) => reader.get<number>(lengthKey(id)));

  async function readPiece(id: string, n: number): Promise<Uint8Array> {
    const piece = await store.read((reader) => reader.get<Uint8Array>(pieceKey(id, n)));
    // Removed while it was read.
    if (!piece) throw new BlobNotFoundError(id);
    return piece;
  }

  /** What a write that did not end left; how many pieces it was is not known, and to look for them is to read them. */
  async function removePieces(id: string): Promise<void> {
    for (;;) {
      const found = await store.transact(async (tx) => {
        const pieces = await tx.range({ prefix: ["blobs", "piece", id] }, { limit: blobLimits.piecesAtOnce });
        for (const { key } of pieces) tx.delete(key);
        return pieces.length;
      });
      if (found < blobLimits.piecesAtOnce) return;
    }
  }

  return {
    write: async (id, content) => {
      let pieces = 0;
      let bytes = 0;
      const underWay = new Set<Promise<void>>();
      try {
        for await (const piece of inPieces(content, pieceBytes)) {
          const key = pieceKey(id, pieces);
          pieces += 1;
          bytes += piece.length;
          const writing = store.transact(async (tx) => tx.set(key, piece)).then(() => void underWay.delete(writing));
          // Awaited below; until then its failure is nobody's.
          writing.catch(() => {});
          underWay.add(writing);
          if (underWay.size >= blobLimits.piecesAtOnce) await Promise.race(underWay);
        }
        await Promise.all(underWay);
      } finally {
        // Nothing may be written after this write has failed.
        await Promise.allSettled(underWay);
      }
      await store.transact(async (tx) => tx.set(lengthKey(id), bytes));
    },
    read: async function* (id, range) {
      const length = await lengthOf(id);
      if (length === undefined) throw new BlobNotFoundError(id);
      const start = range?.start ?? 0;
      const end = Math.min(range?.end ?? length, length);
      for (let at = start; at < end;) {
        const n = Math.floor(at / pieceBytes);
        const from = n * pieceBytes;
        const piece = await readPiece(id, n);
        yield piece.subarray(at - from, Math.min(piece.length, end - from));
        at = from + pieceBytes;
      }
    },
    remove: async (id) => {
      const length = await lengthOf(id);
      if (length === undefined) return removePieces(id);
      const pieces = Math.max(1, Math.ceil(length / pieceBytes));
      for (let first = 0; first < pieces; first += blobLimits.removedAtOnce) {
        await store.transact(async (tx) => {
          const beyond = Math.min(pieces, first + blobLimits.removedAtOnce);
          for (let n = first; n < beyond; n += 1) tx.delete(pieceKey(id, n));
        });
      }
      await store.transact(async (tx) => tx.delete(lengthKey(id)));
    },
  };
}
