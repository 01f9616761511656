import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";
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

/** Derives signing keys, remembering the latest: four HMACs are saved on nearly every request. */
export type SigningKeys = (secretAccessKey: string, scope: CredentialScope) => KeyObject;

export function createSigningKeys(): SigningKeys {
  const known = createLru<KeyObject>(accessLimits.signingKeysMax);
  return (secret, scope) => {
    const name = `${secret}\n${toScopeText(scope)}`;
    const found = known.get(name);
    if (found) return found;
    const key = createSecretKey(derive(secret, scope));
    known.set(name, key);
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

/** Compares in a time that does not depend on where they differ. */
export function isSignature(key: KeyObject, stringToSign: string, signature: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(signature)) return false;
  const expected = createHmac("sha256", key).update(stringToSign, "latin1").digest();
  return timingSafeEqual(expected, Buffer.from(signature, "hex"));
}
