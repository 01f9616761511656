/** Stored texts of items behind one another, as the answer of a Query or Scan begins with them. */
export interface ItemsText {
  /** @returns where it begins */
  append(source: Buffer, from: number, to: number): number;
  clear(): void;
  /** The item that was appended last. */
  textFrom(at: number): string;
  /** The answer: what else it has stands behind the items. */
  close(others: string): Buffer;
}

const firstBytes = 16 * 1024;
const opening = '{"Items":[';
const comma = 0x2c;

export function createItemsText(): ItemsText {
  let bytes = Buffer.allocUnsafe(firstBytes);
  let length = bytes.write(opening, "latin1");

  const reserve = (more: number) => {
    if (length + more <= bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(2 * bytes.length, length + more));
    bytes.copy(grown, 0, 0, length);
    bytes = grown;
  };
  return {
    append: (source, from, to) => {
      reserve(to - from + 1);
      if (length > opening.length) {
        bytes[length] = comma;
        length += 1;
      }
      const at = length;
      source.copy(bytes, at, from, to);
      length += to - from;
      return at;
    },
    clear: () => {
      length = opening.length;
    },
    textFrom: (at) => bytes.toString("utf8", at, length),
    close: (others) => {
      const ending = `],${others}}`;
      reserve(Buffer.byteLength(ending));
      return bytes.subarray(0, length + bytes.write(ending, length));
    },
  };
}
