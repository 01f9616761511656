/** Where content is kept that is too large for the transaction that retains it. Ids are checked by the caller. */
export interface BlobPlace {
  /**
   * Durable, and to be read by every process that shares the place, when it resolves. Streams. Content that fails ends the
   * write with its error; what was written until then goes with `remove`.
   */
  write(id: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * @param isLent a chunk is the caller's only until it asks for the next
   * @throws {BlobNotFoundError}
   */
  read(id: string, range: BlobRange | undefined, isLent?: boolean): AsyncIterable<Uint8Array>;
  /** Also what an unfinished write left. Success when it is gone already. */
  remove(id: string): Promise<void>;
}

/** From `start` to before `end`. */
export interface BlobRange {
  readonly start: number;
  readonly end: number;
}

/** Content in pieces of one size, the last one shorter; each piece is memory of its own. At least one, if need be empty. */
export async function* inPieces(content: AsyncIterable<Uint8Array>, pieceBytes: number): AsyncGenerator<Buffer> {
  let piece = Buffer.allocUnsafe(pieceBytes);
  let filled = 0;
  let pieces = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length;) {
      const taken = Math.min(chunk.length - at, pieceBytes - filled);
      piece.set(chunk.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < pieceBytes) continue;
      yield piece;
      pieces += 1;
      piece = Buffer.allocUnsafe(pieceBytes);
      filled = 0;
    }
  }
  if (filled > 0 || pieces === 0) yield piece.subarray(0, filled);
}
