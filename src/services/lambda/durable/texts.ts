import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import { durableLimits } from "./limits.ts";
import { dataPrefix, type ExecutionKey } from "./model.ts";

/** A payload: short ones as they are, long ones in pieces under the execution, since the store's values have a limit. */
export type StoredText = string | { readonly id: number; readonly pieces: number; readonly bytes: number };

const pieceKey = (key: ExecutionKey, id: number, piece: number): Key => [...dataPrefix(key), "text", id, piece];

/** @param id unique within the execution */
export function writeText(tx: Transaction, key: ExecutionKey, id: number, text: string): StoredText {
  const bytes = Buffer.byteLength(text);
  if (bytes <= durableLimits.inlineBytesMax) return text;
  const encoded = Buffer.from(text);
  let pieces = 0;
  for (let at = 0; at < bytes; at += durableLimits.pieceBytes) {
    tx.set(pieceKey(key, id, pieces), new Uint8Array(encoded.subarray(at, at + durableLimits.pieceBytes)));
    pieces += 1;
  }
  return { id, pieces, bytes };
}

export async function readText(reader: Reader, key: ExecutionKey, text: StoredText): Promise<string> {
  if (typeof text === "string") return text;
  const keys = Array.from({ length: text.pieces }, (_, piece) => pieceKey(key, text.id, piece));
  const pieces = await reader.getMany<Uint8Array>(keys);
  return Buffer.concat(pieces.map((piece) => piece ?? new Uint8Array())).toString("utf8");
}

export function bytesOf(text: StoredText | undefined): number {
  if (text === undefined) return 0;
  return typeof text === "string" ? Buffer.byteLength(text) : text.bytes;
}
