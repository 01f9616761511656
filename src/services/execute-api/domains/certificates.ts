import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseArn } from "../../../aws/arn.ts";
import type { CertificateUpload, Place } from "./domain.ts";
import { covers } from "./domain-names.ts";
import { badRequest, notCovered } from "./errors.ts";
import { domainLimits as limits } from "./limits.ts";

/** A certificate with its key, both PEM, and what changes when either does. */
export interface CertificatePair {
  readonly chain: string;
  readonly key: string;
}

/**
 * Certificates that the operator has put in a folder: `{folder}/{account}/{name}.crt` and `.key` are what
 * `arn:aws:acm:{region}:{account}:certificate/{name}` names.
 */
export interface CertificateFolder {
  /** Undefined when the ARN names no files of the account. */
  read(arn: string, account: string): Promise<CertificatePair | undefined>;
  /** Changes when a file does; undefined when one is not there. */
  stampOf(arn: string, account: string): Promise<string | undefined>;
}

export function openCertificateFolder(folder: string): CertificateFolder {
  const filesOf = (text: string, account: string) => {
    const arn = parseArn(text);
    const name = /^certificate\/([\w-]{1,128})$/.exec(arn?.resource ?? "")?.[1];
    if (arn?.service !== "acm" || arn.account !== account || !/^\d{12}$/.test(account) || !name) return undefined;
    return { certificate: join(folder, account, `${name}.crt`), key: join(folder, account, `${name}.key`) };
  };
  return {
    read: async (arn, account) => {
      const files = filesOf(arn, account);
      if (files === undefined) return undefined;
      const [chain, key] = await Promise.all([textOf(files.certificate), textOf(files.key)]);
      return chain === undefined || key === undefined ? undefined : { chain, key };
    },
    stampOf: async (arn, account) => {
      const files = filesOf(arn, account);
      if (files === undefined) return undefined;
      try {
        const stamps = await Promise.all([stat(files.certificate), stat(files.key)]);
        return stamps.map(({ ino, mtimeMs, size }) => `${ino} ${mtimeMs} ${size}`).join(" ");
      } catch {
        return undefined;
      }
    },
  };
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch {
    return undefined;
  }
}

/** @throws {AwsError} BadRequestException for a certificate that cannot serve the domain name */
export async function checkNamed(
  folder: CertificateFolder,
  arn: string,
  place: Place,
  domainName: string,
  now: number,
): Promise<void> {
  const parsed = parseArn(arn);
  if (parsed?.service !== "acm" || !parsed.resource.startsWith("certificate/")) {
    throw badRequest(`Invalid certificate ARN: ${arn}`);
  }
  const pair = await folder.read(arn, place.account);
  if (pair === undefined) {
    throw badRequest(
      `The certificate ${arn} does not exist: it names the files ${place.account}/${parsed.resource.slice("certificate/".length)}.crt and .key in this installation's folder of certificates`,
    );
  }
  checkPair(pair, domainName, now);
}

/** @throws {AwsError} BadRequestException */
export function checkUpload(upload: CertificateUpload, domainName: string, now: number): CertificatePair {
  const { body, privateKey, chain = "" } = upload;
  if (body.length + privateKey.length + chain.length > limits.certificateCharactersMax) {
    throw badRequest("The certificate is too long");
  }
  const pair = { chain: `${body.trim()}\n${chain.trim()}\n`, key: privateKey };
  checkPair(pair, domainName, now);
  return pair;
}

function checkPair({ chain, key }: CertificatePair, domainName: string, now: number): void {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(chain);
  } catch {
    throw badRequest("The certificate could not be parsed: it must be PEM-encoded");
  }
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw badRequest("The private key could not be parsed: it must be PEM-encoded and not encrypted");
  }
  if (!matches) throw badRequest("The private key does not match the certificate");
  if (certificate.validToDate.getTime() <= now) throw badRequest("The certificate has expired");
  if (!covers(certificate, domainName)) throw notCovered();
}
