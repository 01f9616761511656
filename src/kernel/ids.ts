import { randomBytes, randomUUID } from "node:crypto";

/** Unguessable identifiers, handed in so that tests can make them repeatable. */
export interface Ids {
  /** A version 4 UUID, lower case. */
  uuid(): string;
  /** `length` characters drawn evenly from `alphabet` (at most 256 characters). */
  random(length: number, alphabet: string): string;
  bytes(length: number): Uint8Array;
}

export const lowerAlphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789";
export const upperAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

const pooledBytes = 4_096;

/** Asks the system for randomness many bytes at a time: asking costs more than they do. Each is given out once. */
function createRandomBytes(): (length: number) => Buffer {
  let pool = Buffer.alloc(0);
  let at = 0;
  return (length) => {
    if (length > pooledBytes) return randomBytes(length);
    if (at + length > pool.length) {
      pool = randomBytes(pooledBytes);
      at = 0;
    }
    const bytes = pool.subarray(at, at + length);
    at += length;
    return bytes;
  };
}

function createRandomIds(): Ids {
  const draw = createRandomBytes();
  return {
    uuid: () => randomUUID(),
    bytes: (length) => new Uint8Array(draw(length)),
    random: (length, alphabet) => {
      const limit = 256 - (256 % alphabet.length);
      let text = "";
      while (text.length < length) {
        for (const byte of draw(length)) {
          if (byte < limit && text.length < length) text += alphabet.charAt(byte % alphabet.length);
        }
      }
      return text;
    },
  };
}

export const randomIds: Ids = createRandomIds();
