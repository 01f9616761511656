import type { Reader, Transaction } from "../store/store.ts";
import type { LendingContent } from "./lending-content.ts";

/**
 * Content by unguessable id: write, sync, then commit the pointer in a store transaction. Content whose pointer was
 * never committed, or has been dropped, is collected later. Bytes only; names, sizes and meaning are the caller's.
 */
export interface Blobs {
  /**
   * Write content. Resolves when it is safe to commit its id: it is on disk, or, when it is small, goes there in the
   * transaction that retains it. Streams; never holds more than a few chunks in memory.
   *
   * @throws {BlobTooLargeError} as soon as more than `maxBytes` came; nothing is kept.
   */
  write(
    content: AsyncIterable<Uint8Array> | Uint8Array,
    options?: { readonly maxBytes?: number },
  ): Promise<WrittenBlob>;
  /**
   * Write small content in the transaction that commits its pointer: at most `blobLimits.smallBytesMax`.
   *
   * @returns its id
   */
  writeSmall(tx: Transaction, content: Uint8Array): string;
  /** Stream bytes `start` (inclusive) to `end` (exclusive); the whole by default. Throws when the id is unknown. */
  read(id: string, range?: { readonly start: number; readonly end: number }): LendingContent;
  /** The whole content in memory. For content known to be small. */
  readAll(id: string): Promise<Uint8Array>;
  /**
   * Small content in the snapshot in which its pointer was found: it is there whatever happens meanwhile. Undefined for
   * content that is elsewhere, which `read` streams.
   */
  readSmall(reader: Reader, id: string): Promise<Uint8Array | undefined>;
  /** Mark as unused, in the transaction that drops the pointer. Removed after a grace period. */
  release(tx: Transaction, id: string): void;
  /**
   * As `release`, of content that is read by `readSmall` wherever it is small: then nobody can have its id and not yet its
   * bytes, and it goes at once.
   */
  remove(tx: Transaction, id: string): void;
  /**
   * Mark as used, in the transaction that commits the pointer, by the process that wrote it and within
   * `blobLimits.unusedMsMax`. Without this the content is collected as an orphan.
   */
  retain(tx: Transaction, id: string): void;
  /** Remove what has been unused for long enough; how many were removed. Safe at any time, in any process. */
  collect(): Promise<number>;
}

export interface WrittenBlob {
  readonly id: string;
  readonly bytes: number;
}

export class BlobTooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`The content is larger than ${maxBytes} bytes`);
    this.name = "BlobTooLargeError";
  }
}

export class BlobNotFoundError extends Error {
  constructor(id: string) {
    super(`There is no content with the id ${JSON.stringify(id)}`);
    this.name = "BlobNotFoundError";
  }
}
