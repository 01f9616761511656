import { X509Certificate } from "node:crypto";
import type * as s3 from "@aws-sdk/client-s3";
import { AwsError } from "../../../aws/error.ts";
import type { CallAs, ClientOf } from "../../../wire/service.ts";
import type { TruststoreSource } from "./domain.ts";
import { badRequest } from "./errors.ts";
import { domainLimits as limits } from "./limits.ts";

/** The authorities that clients of a domain are trusted by, and what is wrong with some of them. */
export interface Truststore {
  /** PEM: only those that can be used. */
  readonly bundle: string;
  readonly warnings: readonly string[];
}

export type S3Client = (as: CallAs) => ClientOf<typeof s3>;

/**
 * Reads a truststore from S3, as whoever asks.
 *
 * @throws {AwsError} BadRequestException
 */
export async function readTruststore(
  client: ClientOf<typeof s3>,
  { uri, version }: TruststoreSource,
  now: number,
): Promise<Truststore> {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.{1,1024})$/.exec(uri);
  const [, Bucket, Key] = match ?? [];
  if (Bucket === undefined || Key === undefined) throw badRequest("Invalid truststoreUri: it must be s3://bucket/key");
  const chunks: Uint8Array[] = [];
  try {
    const { Body = [] } = await client.GetObject({ Bucket, Key, VersionId: version });
    let bytes = 0;
    for await (const chunk of Body instanceof Uint8Array ? [Body] : Body) {
      bytes += chunk.length;
      if (bytes > limits.truststoreBytesMax) throw badRequest("The truststore is larger than 1 MB");
      chunks.push(chunk);
    }
  } catch (error) {
    if (!(error instanceof AwsError) || error.code === "BadRequestException") throw error;
    throw badRequest(`The truststore ${uri} could not be read: ${error.message}`);
  }
  return parseTruststore(Buffer.concat(chunks).toString("latin1"), now);
}

const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * AWS: certificates that cannot be used are warned of, and the others trusted.
 *
 * @throws {AwsError} BadRequestException where there is none to trust
 */
export function parseTruststore(text: string, now: number): Truststore {
  const blocks = text.match(block) ?? [];
  if (blocks.length > limits.truststoreCertificatesMax) {
    throw badRequest(`The truststore has more than ${limits.truststoreCertificatesMax} certificates`);
  }
  const trusted: string[] = [];
  const warnings: string[] = [];
  for (const [index, pem] of blocks.entries()) {
    const problem = problemOf(pem, now);
    if (problem !== undefined) warnings.push(`Certificate ${index + 1} in the truststore ${problem}`);
    // One that has expired may be replaced by name; clients below it are refused until then.
    if (problem === undefined) trusted.push(pem);
  }
  if (trusted.length === 0) throw badRequest("The truststore holds no valid certificates in PEM");
  return { bundle: `${trusted.join("\n")}\n`, warnings };
}

function problemOf(pem: string, now: number): string | undefined {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return "could not be parsed";
  }
  const name = certificate.subject.replaceAll("\n", ",");
  if (certificate.validToDate.getTime() <= now) return `(${name}) has expired`;
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  if (asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) < 2048) {
    return `(${name}) has a key that is too short`;
  }
  return undefined;
}
