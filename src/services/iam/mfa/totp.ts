import { createHmac, timingSafeEqual } from "node:crypto";

/** Time steps of RFC 6238 as authenticators have them: SHA-1, six digits, 30 seconds. */
const stepMs = 30_000;

export function stepAt(now: number): number {
  return Math.floor(now / stepMs);
}

/** The first of `steps` whose code this is; undefined when it is of none. */
export function findStep(seed: Uint8Array, code: string, steps: readonly number[]): number | undefined {
  const given = Buffer.from(code);
  let found: number | undefined;
  // All are looked at, so that the time taken does not tell which it was.
  for (const step of steps) {
    const expected = Buffer.from(codeOf(seed, step));
    if (given.length === expected.length && timingSafeEqual(given, expected)) found ??= step;
  }
  return found;
}

/** Steps around one, nearest last seen first: `from` before it to `to` after it. */
export function stepsAround(step: number, before: number, after: number): readonly number[] {
  return Array.from({ length: before + after + 1 }, (_, index) => step - before + index).filter((each) => each >= 0);
}

/** HOTP of RFC 4226, section 5.3. */
export function codeOf(seed: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", seed).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 0xf;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648, without padding: what is typed into an authenticator. */
export function toBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += base32.charAt((value >>> bits) & 31);
    }
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + base32.charAt((value << (5 - bits)) & 31) : text;
}
