import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  getDiffieHellman,
  hkdfSync,
} from "node:crypto";
import { timingSafeEqual } from "node:crypto";
import { bits, integer, oid, sequence, tagged } from "../der.ts";

/**
 * SRP-6a as Cognito speaks it: group 15 of RFC 3526, SHA-256, and a key of 16 bytes derived with HKDF. Source: what the official
 * client libraries calculate (`amazon-cognito-identity-js`, Amplify).
 */

const prime = getDiffieHellman("modp15").getPrime();
const generator = Buffer.from([2]);
const N = toInteger(prime);
const modulusBytes = prime.length;

/** H(N | g), as the clients hash it: N with a leading zero byte. */
const k = toInteger(sha256(Buffer.concat([Buffer.from([0]), prime, generator])));

export interface Verifier {
  readonly salt: Uint8Array;
  /** g^x mod N */
  readonly verifier: Uint8Array;
}

/** @param identity `{part of the pool's id after _}{user name}`, or device group key and device key */
export async function createVerifier(identity: string, password: string, salt: Uint8Array): Promise<Verifier> {
  return { salt, verifier: await power(generator, privateExponent(identity, password, salt)) };
}

/** Whether a password is the one of a verifier. Takes the same time for all. */
export async function matchesVerifier(identity: string, password: string, known: Verifier): Promise<boolean> {
  const made = await power(generator, privateExponent(identity, password, known.salt));
  return equalBytes(padded(made), padded(known.verifier));
}

/** x = H(salt | H(identity ":" password)). */
function privateExponent(identity: string, password: string, salt: Uint8Array): Buffer {
  const inner = sha256(Buffer.from(`${identity}:${password}`, "utf8"));
  return sha256(Buffer.concat([padHex(toInteger(salt)), inner]));
}

/** The server's public value B = k·v + g^b mod N. */
export async function publicValue(verifier: Uint8Array, secret: Uint8Array): Promise<bigint> {
  return (k * toInteger(verifier) + toInteger(await power(generator, secret))) % N;
}

/** Whether a client's public value may be used at all: A mod N must not be 0. */
export function isPublicValue(hex: string): boolean {
  if (!/^[0-9a-fA-F]{1,1540}$/.test(hex)) return false;
  const value = BigInt(`0x${hex}`);
  return value % N !== 0n && value % N !== 1n && value % N !== N - 1n;
}

/** The key that client and server share when the client knows the password: HKDF of S = (A·v^u)^b. */
export async function sharedKey(exchange: {
  readonly clientPublic: string;
  readonly serverPublic: bigint;
  readonly serverSecret: Uint8Array;
  readonly verifier: Uint8Array;
}): Promise<Buffer | undefined> {
  const A = BigInt(`0x${exchange.clientPublic}`);
  const u = sha256(Buffer.concat([padHex(A), padHex(exchange.serverPublic)]));
  if (toInteger(u) === 0n) return undefined;
  const vu = toInteger(await power(exchange.verifier, u));
  const base = ((A % N) * vu) % N;
  if (base <= 1n || base === N - 1n) return undefined;
  const S = toInteger(await power(toBytes(base), exchange.serverSecret));
  return Buffer.from(hkdfSync("sha256", padHex(S), padHex(toInteger(u)), "Caldera Derived Key", 16));
}

/** What the client signs with the key: who signs in, the server's secret block, and the time. */
export function claimSignature(key: Uint8Array, identity: string, secretBlock: Uint8Array, timestamp: string): Buffer {
  return createHmac("sha256", key)
    .update(Buffer.concat([Buffer.from(identity, "utf8"), secretBlock, Buffer.from(timestamp, "utf8")]))
    .digest();
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** As the clients write integers before they hash them: bytes, with a zero in front where the first bit is set. */
export function padHex(value: bigint): Buffer {
  const hex = value.toString(16);
  const even = hex.length % 2 === 1 ? `0${hex}` : hex;
  return Buffer.from(/^[89a-fA-F]/.test(even) ? `00${even}` : even, "hex");
}

export function toInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function toBytes(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, "hex");
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.alloc(Math.max(0, modulusBytes - bytes.length)), bytes]);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

// base^exponent mod N by OpenSSL, beside the event loop: a Diffie-Hellman agreement is just that, and three times as fast as with
// integers of JavaScript.
function power(base: Uint8Array, exponent: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    diffieHellman({ privateKey: privateKeyOf(exponent), publicKey: publicKeyOf(base) }, (error, secret) => {
      if (error) reject(error);
      else resolve(secret);
    });
  });
}

function privateKeyOf(exponent: Uint8Array) {
  const key = sequence(integer(Buffer.from([0])), algorithm, tagged(0x04, integer(exponent)));
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

function publicKeyOf(value: Uint8Array) {
  const key = sequence(algorithm, bits(integer(value)));
  return createPublicKey({ key, format: "der", type: "spki" });
}

// PKCS #3 keys in DER.
const algorithm = sequence(oid("2a864886f70d010301"), sequence(integer(prime), integer(generator)));
