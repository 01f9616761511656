import { generateKeyPair, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";
import type { Ids } from "../../kernel/ids.ts";

/** The certificate that the gateway shows to backends, in PEM. */
export interface ClientCertificateRecord {
  readonly id: string;
  readonly description?: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly certificatePem: string;
  /** PEM, sealed with the server's key. */
  readonly sealedKey: Uint8Array;
  readonly tags: Readonly<Record<string, string>>;
}

const yearMs = 365 * 24 * 60 * 60 * 1000;

/** A new key, and a certificate of its own for it. AWS: RSA of 2048 bits, valid for a year. Source: RFC 5280. */
export async function generateClientCertificate(
  ids: Ids,
  now: number,
): Promise<Pick<ClientCertificateRecord, "certificatePem" | "expiresAt"> & { readonly privateKeyPem: string }> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const expiresAt = now + yearMs;
  const certificate = writeCertificate(ids.random(16, "0123456789abcdef"), publicKey, privateKey, now, expiresAt);
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    certificatePem: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----`,
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    expiresAt,
  };
}

function writeCertificate(serial: string, publicKey: KeyObject, privateKey: KeyObject, from: number, until: number) {
  const algorithm = sequence(Buffer.from("06092a864886f70d01010b0500", "hex"));
  const name = sequence(
    nameOf("550406", 0x13, "US"),
    nameOf("55040a", 0x0c, "Cumulet"),
    nameOf("550403", 0x0c, "ApiGateway"),
  );
  const basicConstraints = sequence(
    Buffer.from("0603551d13", "hex"),
    Buffer.from("0101ff", "hex"),
    element(0x04, sequence()),
  );
  const signed = sequence(
    element(0xa0, Buffer.from("020102", "hex")),
    // Positive, and without a zero at its beginning.
    element(0x02, Buffer.from(`5a${serial}`, "hex")),
    algorithm,
    name,
    sequence(timeOf(from), timeOf(until)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    element(0xa3, sequence(basicConstraints)),
  );
  const signature = sign("sha256", signed, privateKey);
  return sequence(signed, algorithm, element(0x03, Buffer.concat([Buffer.of(0), signature])));
}

function nameOf(type: string, tag: number, value: string): Buffer {
  const attribute = sequence(element(0x06, Buffer.from(type, "hex")), element(tag, Buffer.from(value, "utf8")));
  return element(0x31, attribute);
}

/** UTCTime, which goes up to 2049. */
function timeOf(epochMs: number): Buffer {
  const text = new Date(epochMs).toISOString().replaceAll(/[-:T]/g, "").slice(2, 14);
  return element(0x17, Buffer.from(`${text}Z`, "ascii"));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x1_00 ? [0x81, length] : [0x82, Math.floor(length / 0x1_00), length % 0x1_00];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}
