import { generateKeyPair, sign, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { bits, integer, oid, sequence, tagged } from "../der.ts";
import { inPool, type Pool } from "../model.ts";
import type { CognitoNeeds } from "../needs.ts";

interface Saved {
  readonly v: 1;
  /** Base64 of DER. */
  readonly certificate: string;
  /** PKCS #8, sealed. */
  readonly sealed: Uint8Array;
  readonly expiresAt: number;
}

const generate = promisify(generateKeyPair);
const signLater = promisify<string, Buffer, KeyObject, Buffer>(sign);
const yearMs = 365 * 86_400_000;

/**
 * The certificate of the key that a pool signs requests to SAML providers with: made when it is asked for, good for ten years, and
 * another one once it has ended.
 */
export async function signingCertificateOf(
  { store, seal, ids }: Pick<CognitoNeeds, "store" | "seal" | "ids">,
  pool: Pool,
  now: number,
): Promise<string> {
  const key = inPool("keys", pool.id, "saml");
  const known = await store.read((reader) => reader.get<Saved>(key));
  if (known && known.expiresAt > now) return known.certificate;
  const { privateKey, publicKey } = await generate("rsa", { modulusLength: 2048 });
  const expiresAt = now + 10 * yearMs;
  const certificate = await selfSigned(pool.id, { privateKey, publicKey }, ids.bytes(16), now, expiresAt);
  const made: Saved = {
    v: 1,
    certificate: certificate.toString("base64"),
    sealed: new Uint8Array(seal.seal(privateKey.export({ type: "pkcs8", format: "der" }))),
    expiresAt,
  };
  return store.transact(async (tx) => {
    const current = await tx.get<Saved>(key);
    if (current && current.expiresAt > now) return current.certificate;
    tx.set(key, made);
    return made.certificate;
  });
}

/** An X.509 certificate (RFC 5280) that its own key has signed. */
async function selfSigned(
  name: string,
  { privateKey, publicKey }: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  serial: Uint8Array,
  from: number,
  until: number,
): Promise<Buffer> {
  const sha256WithRsa = sequence(oid("2a864886f70d01010b"), tagged(0x05, Buffer.alloc(0)));
  const commonName = sequence(oid("550403"), tagged(0x0c, Buffer.from(name, "utf8")));
  const names = sequence(tagged(0x31, commonName));
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    sha256WithRsa,
    names,
    sequence(time(from), time(until)),
    names,
    publicKey.export({ type: "spki", format: "der" }),
  );
  return sequence(body, sha256WithRsa, bits(await signLater("sha256", body, privateKey)));
}

/** GeneralizedTime. RFC 5280 has UTCTime before 2050. */
function time(at: number): Buffer {
  const text = `${new Date(at).toISOString().replaceAll(/[-:T]|\.\d+Z/g, "")}Z`;
  return Number(text.slice(0, 4)) < 2050
    ? tagged(0x17, Buffer.from(text.slice(2), "latin1"))
    : tagged(0x18, Buffer.from(text, "latin1"));
}
