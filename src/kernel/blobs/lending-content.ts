/**
 * Content that can be read through memory that is used again and again: large content then leaves nothing behind for the garbage
 * collector, which looks through the whole heap each time that so many bytes outside of it have come and gone.
 */
export interface LendingContent extends AsyncIterable<Uint8Array> {
  /** As the iterator, but a chunk is the caller's only until it asks for the next, or for the end. */
  lent(): AsyncIterable<Uint8Array>;
}

export function lendingContent(read: (isLent: boolean) => AsyncIterable<Uint8Array>): LendingContent {
  return { [Symbol.asyncIterator]: () => read(false)[Symbol.asyncIterator](), lent: () => read(true) };
}

export function isLending(content: object): content is LendingContent {
  return "lent" in content && typeof content.lent === "function";
}

/** Memory for chunks that are lent. */
export interface ChunkBuffers {
  take(): Buffer;
  /** Nobody looks at it any more. */
  give(buffer: Buffer): void;
}

export function createChunkBuffers(bytes: number, keptMax: number): ChunkBuffers {
  const free: Buffer[] = [];
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(bytes),
    give: (buffer) => {
      if (free.length < keptMax) free.push(buffer);
    },
  };
}
