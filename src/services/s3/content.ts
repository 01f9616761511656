import type { Blobs } from "../../kernel/blobs/blobs.ts";
import { lendingContent } from "../../kernel/blobs/lending-content.ts";
import type { Reader, Store, Transaction } from "../../kernel/store/store.ts";
import { s3Limits } from "./limits.ts";
import { type Content, type Part, partKey, partPrefix, type StoredObject } from "./model.ts";
import type { ByteRange } from "./rules.ts";

/** The parts of an object or upload, in order. */
export async function readParts(reader: Reader, uploadId: string): Promise<readonly Part[]> {
  const entries = await reader.range<Part>({ prefix: partPrefix(uploadId) }, { limit: s3Limits.partNumberMax });
  return entries.map((entry) => entry.value);
}

/** The bytes of an object, where they are small enough to be read with it. */
export async function readSmall(reader: Reader, blobs: Blobs, object: StoredObject): Promise<Uint8Array | undefined> {
  return object.content.kind === "blob" ? blobs.readSmall(reader, object.content.blob) : undefined;
}

/**
 * The bytes of an object, a part of them when a range is given. The parts are looked up before the first byte.
 *
 * @param small what `readSmall` found
 */
export async function openContent(
  needs: { readonly store: Store; readonly blobs: Blobs },
  object: StoredObject,
  small: Uint8Array | undefined,
  range: ByteRange = { start: 0, end: object.size },
): Promise<AsyncIterable<Uint8Array> | Uint8Array> {
  if (small) return small.subarray(range.start, range.end);
  const { content } = object;
  if (content.kind === "blob") return needs.blobs.read(content.blob, range);
  const parts = await needs.store.read((reader) => readParts(reader, content.uploadId));
  return lendingContent((isLent) => readAcross(needs.blobs, parts, range, isLent));
}

async function* readAcross(
  blobs: Blobs,
  parts: readonly Part[],
  range: ByteRange,
  isLent: boolean,
): AsyncIterable<Uint8Array> {
  let offset = 0;
  for (const part of parts) {
    const start = Math.max(0, range.start - offset);
    const end = Math.min(part.size, range.end - offset);
    if (start < end) {
      const content = blobs.read(part.blob, { start, end });
      yield* isLent ? content.lent() : content;
    }
    offset += part.size;
  }
}

/** Let go of an object's bytes, in the transaction that removes the object. */
export async function releaseContent(tx: Transaction, blobs: Blobs, content: Content): Promise<void> {
  if (content.kind === "blob") blobs.remove(tx, content.blob);
  else await releaseParts(tx, blobs, content.uploadId);
}

/** Let go of the parts of an upload, or of the object that it became. */
export async function releaseParts(tx: Transaction, blobs: Blobs, uploadId: string): Promise<void> {
  for (const part of await readParts(tx, uploadId)) {
    blobs.release(tx, part.blob);
    tx.delete(partKey(uploadId, part.number));
  }
}
