import { createHmac } from "node:crypto";
import type { Seal } from "../../../access/server-keys.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { User } from "../model.ts";
import { equalBytes } from "../passwords/srp.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const stepMs = 30_000;

/** A secret for an authenticator app: 32 bytes in Base32, 52 characters as AWS's. */
export function drawSecret(ids: Ids): string {
  let bits = "";
  for (const byte of ids.bytes(32)) bits += byte.toString(2).padStart(8, "0");
  const groups = bits.padEnd(260, "0").match(/.{5}/g) ?? [];
  return groups.map((group) => alphabet.charAt(Number.parseInt(group, 2))).join("");
}

/**
 * The time step whose code it is (RFC 6238, SHA-1, six digits, 30 s), one step around now; undefined when it is none, or was used.
 *
 * @param lastStep codes up to this step were used: each is good once
 */
export function stepOfCode(secret: string, code: string, now: number, lastStep: number): number | undefined {
  const current = Math.floor(now / stepMs);
  let found: number | undefined;
  for (const step of [current - 1, current, current + 1]) {
    const isIt = equalBytes(Buffer.from(codeAt(secret, step)), Buffer.from(code));
    if (isIt && step > lastStep) found = step;
  }
  return found;
}

function codeAt(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", fromBase32(secret)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  return String((mac.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, "0");
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    value = ((value << 5) | alphabet.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >> bits) & 0xff);
  }
  return Buffer.from(bytes);
}

export function sealText(seal: Seal, text: string): Uint8Array {
  return new Uint8Array(seal.seal(Buffer.from(text)));
}

export function openText(seal: Seal, sealed: Uint8Array): string | undefined {
  const opened = seal.open(sealed);
  return opened && Buffer.from(opened).toString("utf8");
}

/** Whether a code is good for the user's app now: the step that is used up by it. */
export function checkTotp(seal: Seal, user: User, code: string, now: number): number | undefined {
  const secret = user.totp && openText(seal, user.totp.secret);
  return user.totp && secret !== undefined ? stepOfCode(secret, code, now, user.totp.lastStep) : undefined;
}
