import { createHmac, hash, timingSafeEqual } from "node:crypto";
import { accessLimits } from "../limits.ts";
import { createLru } from "../lru.ts";

/** What a signature is scoped to: `20150830/us-east-1/iam/aws4_request`. */
export interface CredentialScope {
  /** `YYYYMMDD` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export function toScopeText(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

/** Signs text that stands for bytes. */
export interface SigningKey {
  /** The hex HMAC-SHA256. */
  sign(text: string): string;
}

/** Derives signing keys, remembering the latest: four HMACs are saved on nearly every request. */
export type SigningKeys = (secretAccessKey: string, scope: CredentialScope) => SigningKey;

export function createSigningKeys(): SigningKeys {
  const known = createLru<SigningKey>(accessLimits.signingKeysMax);
  // A scope is one object while the header that names it is remembered.
  const latest = new WeakMap<CredentialScope, { readonly secret: string; readonly key: SigningKey }>();
  const find = (secret: string, scope: CredentialScope) => {
    const name = `${secret}\n${toScopeText(scope)}`;
    const found = known.get(name);
    if (found) return found;
    const key = createSigningKey(derive(secret, scope));
    known.set(name, key);
    return key;
  };
  return (secret, scope) => {
    const found = latest.get(scope);
    if (found?.secret === secret) return found.key;
    const key = find(secret, scope);
    latest.set(scope, { secret, key });
    return key;
  };
}

function derive(secret: string, scope: CredentialScope): Buffer {
  const dateKey = hmac(`AWS4${secret}`, scope.date);
  const regionKey = hmac(dateKey, scope.region);
  return hmac(hmac(regionKey, scope.service), "aws4_request");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text, "latin1").digest();
}

const blockBytes = 64;
const hashBytes = 32;

/**
 * RFC 2104 by two hashes, each in one call, with the key's two blocks made ahead: Node makes an object of three for each HMAC, which
 * costs twice as much.
 */
function createSigningKey(key: Buffer): SigningKey {
  const inner = Buffer.alloc(blockBytes, 0x36);
  const outer = Buffer.alloc(blockBytes + hashBytes, 0x5c);
  key.forEach((byte, at) => {
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  });
  return {
    sign: (text) => {
      const message = Buffer.allocUnsafe(blockBytes + text.length);
      message.set(inner);
      message.write(text, blockBytes, "latin1");
      outer.write(hash("sha256", message, "binary"), blockBytes, "latin1");
      return hash("sha256", outer, "hex");
    },
  };
}

/** Compares in a time that does not depend on where they differ. */
export function isSignature(key: SigningKey, stringToSign: string, signature: string): boolean {
  if (signature.length !== 64) return false;
  return timingSafeEqual(Buffer.from(key.sign(stringToSign), "latin1"), Buffer.from(signature, "latin1"));
}

/** Whether a text could be a signature or the hash of a body: 64 hex digits. */
export function isHexHash(text: string): boolean {
  if (text.length !== 64) return false;
  for (let at = 0; at < 64; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 48 || code > 102 || (code > 57 && code < 97)) return false;
  }
  return true;
}
