import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** The checksums of objects: "Checking object integrity", S3 User Guide. */
export const checksumAlgorithms = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5"] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

export interface Digest {
  update(chunk: Uint8Array): void;
  /** Big-endian. Once. */
  digest(): Buffer;
}

export function createDigest(algorithm: ChecksumAlgorithm): Digest {
  switch (algorithm) {
    case "CRC32":
      return createCrc32();
    case "CRC32C":
      return createCrc32c();
    case "CRC64NVME":
      return createCrc64();
    case "SHA1":
    case "SHA256":
    case "SHA512":
    case "MD5": {
      const hash = createHash(algorithm.toLowerCase());
      return { update: (chunk) => hash.update(chunk), digest: () => hash.digest() };
    }
  }
}

export type CrcAlgorithm = "CRC32" | "CRC32C" | "CRC64NVME";

export function isCrc(algorithm: ChecksumAlgorithm): algorithm is CrcAlgorithm {
  return algorithm.startsWith("CRC");
}

/** The checksum of contents one after the other, from those of each: CRCs alone can do that. */
export function combineCrcs(
  algorithm: CrcAlgorithm,
  parts: readonly { readonly checksum: Buffer; readonly bytes: number }[],
): Buffer {
  const { polynomial, bits } = polynomials[algorithm];
  // Parts are mostly of one size.
  const operators = new Map<number, readonly bigint[]>();
  let combined = 0n;
  for (const { checksum, bytes } of parts) {
    const operator = operators.get(bytes) ?? zerosOperator(polynomial, bits, BigInt(bytes));
    operators.set(bytes, operator);
    combined = multiplyBy(combined, operator) ^ toBigInt(checksum);
  }
  return toBytes(combined, bits / 8);
}

/** Reflected polynomials. */
const polynomials = {
  CRC32: { polynomial: 0xedb88320n, bits: 32 },
  CRC32C: { polynomial: 0x82f63b78n, bits: 32 },
  CRC64NVME: { polynomial: 0x9a6c9329ac4bc9b5n, bits: 64 },
} as const;

function createCrc32(): Digest {
  let value = 0;
  return {
    update: (chunk) => {
      value = crc32(chunk, value);
    },
    digest: () => toBytes(BigInt(value), 4),
  };
}

const crc32cTable = new Uint32Array(256).map((_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

function createCrc32c(): Digest {
  let value = 0xffffffff;
  return {
    update: (chunk) => {
      let next = value;
      for (let at = 0; at < chunk.length; at += 1) {
        next = (crc32cTable[(next ^ (chunk[at] ?? 0)) & 0xff] ?? 0) ^ (next >>> 8);
      }
      value = next;
    },
    digest: () => toBytes(BigInt((value ^ 0xffffffff) >>> 0), 4),
  };
}

/**
 * Two halves of 32 bits each: bigints would be fifty times slower. Eight tables, the first for a byte that is the last of what was
 * seen, the eighth for one with seven after it: eight bytes at a time ("slicing-by-8", Kounavis and Berry, 2005).
 */
const crc64Tables = (() => {
  const low = new Int32Array(8 * 256);
  const high = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ 0x9a6c9329ac4bc9b5n : value >> 1n;
    low[byte] = Number(BigInt.asIntN(32, value));
    high[byte] = Number(BigInt.asIntN(32, value >> 32n));
  }
  for (let at = 256; at < low.length; at += 1) {
    const [beforeLow, beforeHigh] = [low[at - 256] ?? 0, high[at - 256] ?? 0];
    const index = beforeLow & 0xff;
    low[at] = ((beforeLow >>> 8) | (beforeHigh << 24)) ^ (low[index] ?? 0);
    high[at] = (beforeHigh >>> 8) ^ (high[index] ?? 0);
  }
  return { low, high };
})();

function createCrc64(): Digest {
  const { low: lowTable, high: highTable } = crc64Tables;
  let low = -1;
  let high = -1;
  return {
    update: (chunk) => {
      let [nextLow, nextHigh] = [low, high];
      const eights = chunk.length - (chunk.length % 8);
      const words = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
      for (let at = 0; at < eights; at += 8) {
        const first = nextLow ^ words.getUint32(at, true);
        const second = nextHigh ^ words.getUint32(at + 4, true);
        const a = 1792 + (first & 0xff);
        const b = 1536 + ((first >>> 8) & 0xff);
        const c = 1280 + ((first >>> 16) & 0xff);
        const d = 1024 + (first >>> 24);
        const e = 768 + (second & 0xff);
        const f = 512 + ((second >>> 8) & 0xff);
        const g = 256 + ((second >>> 16) & 0xff);
        const h = second >>> 24;
        nextLow =
          (lowTable[a] ?? 0) ^
          (lowTable[b] ?? 0) ^
          (lowTable[c] ?? 0) ^
          (lowTable[d] ?? 0) ^
          (lowTable[e] ?? 0) ^
          (lowTable[f] ?? 0) ^
          (lowTable[g] ?? 0) ^
          (lowTable[h] ?? 0);
        nextHigh =
          (highTable[a] ?? 0) ^
          (highTable[b] ?? 0) ^
          (highTable[c] ?? 0) ^
          (highTable[d] ?? 0) ^
          (highTable[e] ?? 0) ^
          (highTable[f] ?? 0) ^
          (highTable[g] ?? 0) ^
          (highTable[h] ?? 0);
      }
      for (let at = eights; at < chunk.length; at += 1) {
        const index = (nextLow ^ (chunk[at] ?? 0)) & 0xff;
        nextLow = ((nextLow >>> 8) | (nextHigh << 24)) ^ (lowTable[index] ?? 0);
        nextHigh = (nextHigh >>> 8) ^ (highTable[index] ?? 0);
      }
      [low, high] = [nextLow, nextHigh];
    },
    digest: () => {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeUInt32BE(~high >>> 0, 0);
      bytes.writeUInt32BE(~low >>> 0, 4);
      return bytes;
    },
  };
}

/** The matrix, over one bit a column, that appends so many zero bytes to what a CRC has seen. */
function zerosOperator(polynomial: bigint, bits: number, bytes: bigint): readonly bigint[] {
  let operator: readonly bigint[] = Array.from({ length: bits }, (_, bit) =>
    bit === 0 ? polynomial : 1n << BigInt(bit - 1),
  );
  // One zero bit, squared three times: one zero byte.
  for (let round = 0; round < 3; round += 1) operator = square(operator);
  let result: readonly bigint[] = Array.from({ length: bits }, (_, bit) => 1n << BigInt(bit));
  for (let left = bytes; left > 0n; left >>= 1n) {
    if (left & 1n) result = result.map((column) => multiplyBy(column, operator));
    operator = square(operator);
  }
  return result;
}

function square(operator: readonly bigint[]): readonly bigint[] {
  return operator.map((column) => multiplyBy(column, operator));
}

function multiplyBy(vector: bigint, operator: readonly bigint[]): bigint {
  let sum = 0n;
  for (let bit = 0; vector >> BigInt(bit) > 0n; bit += 1) {
    if ((vector >> BigInt(bit)) & 1n) sum ^= operator[bit] ?? 0n;
  }
  return sum;
}

function toBigInt(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}

function toBytes(value: bigint, bytes: number): Buffer {
  return Buffer.from(value.toString(16).padStart(bytes * 2, "0"), "hex");
}
