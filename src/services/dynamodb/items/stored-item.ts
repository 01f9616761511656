import type { Item } from "../values/attribute-value.ts";
import { itemBytes } from "../values/size.ts";

/**
 * An item as stored: its size as DynamoDB reckons it, and its text as the wire has it, so that most answers are made of stored
 * texts without looking into them.
 */
export interface StoredItem {
  readonly bytes: number;
  /** Read when first asked for, as the item is. */
  readonly text: string;
  readonly item: Item;
}

const headerBytes = 4;

export function toStored(item: Item): StoredItem {
  return { bytes: itemBytes(item), text: JSON.stringify(item), item };
}

export function encodeStored({ bytes, text }: StoredItem): Uint8Array {
  const encoded = Buffer.allocUnsafe(headerBytes + Buffer.byteLength(text));
  encoded.writeUInt32BE(bytes);
  encoded.write(text, headerBytes, "utf8");
  return encoded;
}

export function decodeStored(encoded: Uint8Array): StoredItem {
  const buffer = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  return new Decoded(buffer.readUInt32BE(), buffer);
}

/** The size and the place of the text of an item whose encoding begins there. */
export function sizeAt(source: Buffer, from: number): number {
  return source.readUInt32BE(from);
}

export function textAt(from: number): number {
  return from + headerBytes;
}

/** A class for its getters: many are made, few are looked into. */
class Decoded implements StoredItem {
  readonly bytes: number;
  readonly #encoded: Buffer;
  #text: string | undefined;
  #item: Item | undefined;

  constructor(bytes: number, encoded: Buffer) {
    this.bytes = bytes;
    this.#encoded = encoded;
  }

  get text(): string {
    this.#text ??= this.#encoded.toString("utf8", headerBytes);
    return this.#text;
  }

  get item(): Item {
    this.#item ??= toItem(this.text);
    return this.#item;
  }
}

/** An item of the text that `toStored` wrote. */
export function toItem(text: string): Item {
  return JSON.parse(text) as Item;
}
