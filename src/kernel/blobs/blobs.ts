/**
 * Content by unguessable id: write, sync, then commit the pointer in a store transaction. Content whose pointer was
 * never committed, or has been dropped, is collected later. Bytes only; names, sizes and meaning are the caller's.
 */
export interface Blobs {
  /**
   * Write content. Resolves when it is durable on disk; the id can then be committed. Streams; never holds more than a
   * few chunks in memory.
   *
   * @throws {BlobTooLargeError} as soon as more than `maxBytes` came; nothing is kept.
   */
  write(
    content: AsyncIterable<Uint8Array> | Uint8Array,
    options?: { readonly maxBytes?: number },
  ): Promise<WrittenBlob>;
  /** Stream bytes `start` (inclusive) to `end` (exclusive); the whole by default. Throws when the id is unknown. */
  read(id: string, range?: { readonly start: number; readonly end: number }): AsyncIterable<Uint8Array>;
  /** The whole content in memory. For content known to be small. */
  readAll(id: string): Promise<Uint8Array>;
  /** Mark as unused, in the transaction that drops the pointer. Removed after a grace period. */
  release(tx: import("../store/store.ts").Transaction, id: string): void;
  /** Mark as used, in the transaction that commits the pointer. Without this the content is collected as an orphan. */
  retain(tx: import("../store/store.ts").Transaction, id: string): void;
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
