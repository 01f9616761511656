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

export const randomIds: Ids = {
  uuid: () => randomUUID(),
  bytes: (length) => new Uint8Array(randomBytes(length)),
  random: (length, alphabet) => {
    const limit = 256 - (256 % alphabet.length);
    let text = "";
    while (text.length < length) {
      for (const byte of randomBytes(length)) {
        if (byte < limit && text.length < length) text += alphabet.charAt(byte % alphabet.length);
      }
    }
    return text;
  },
};
