import { toArn } from "../../aws/arn.ts";
import { AwsError } from "../../aws/error.ts";
import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";
import { codeSigningConfigNotFound, invalidParameter, notFound } from "./errors.ts";
import { keyOf, type FunctionRecord, type Place } from "./model.ts";

/** A code signing configuration as stored. Version 1. */
export interface CodeSigningConfigRecord {
  readonly v: 1;
  readonly id: string;
  readonly description?: string;
  /** Versions of AWS Signer's profiles, as ARNs: there is no Signer here that would know them. */
  readonly signingProfileVersionArns: readonly string[];
  readonly untrusted: "Warn" | "Enforce";
  readonly modifiedAt: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface CodeSigningReference extends Place {
  readonly id: string;
}

export function codeSigningArn(place: Place, id: string): string {
  return toArn("lambda", place.region, place.account, `code-signing-config:${id}`);
}

/** Throws what AWS answers for an ARN of another account or region: that there is no such configuration. */
export function parseCodeSigningArn(arn: string | undefined, place: Place): CodeSigningReference {
  const match = /^arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):code-signing-config:(csc-[a-z0-9]{17})$/.exec(
    arn ?? "",
  );
  const [, region, account, id] = match ?? [];
  if (id === undefined || region !== place.region || account !== place.account) throw configNotFound(arn ?? "");
  return { region, account, id };
}

export function codeSigningKey(place: Place, id: string): Key {
  return keyOf("codeSigningConfig", place, id);
}

/** Below it: the functions that use a configuration, by name. */
export function codeSignedPrefix(place: Place, id: string): Key {
  return keyOf("codeSigned", place, id);
}

export async function readCodeSigningConfig(
  reader: Reader,
  reference: CodeSigningReference,
): Promise<CodeSigningConfigRecord> {
  const config = await reader.get<CodeSigningConfigRecord>(codeSigningKey(reference, reference.id));
  if (!config) throw configNotFound(codeSigningArn(reference, reference.id));
  return config;
}

/** The configuration that a function is to use from now on. Throws CodeSigningConfigNotFoundException. */
export async function chooseCodeSigning(reader: Reader, arn: string, place: Place): Promise<CodeSigningConfigRecord> {
  try {
    return await readCodeSigningConfig(reader, parseCodeSigningArn(arn, place));
  } catch (error) {
    if (error instanceof AwsError && error.status === 404) throw codeSigningConfigNotFound(arn);
    throw error;
  }
}

/** Note which configuration a function uses, and no longer uses, in its record and beside it. The caller writes the record. */
export function useCodeSigning(
  tx: Transaction,
  place: Place,
  record: FunctionRecord,
  config: string | undefined,
): FunctionRecord {
  const { codeSigning: before, ...rest } = record;
  if (before !== undefined) tx.delete([...codeSignedPrefix(place, before), record.name]);
  if (config === undefined) return rest;
  tx.set([...codeSignedPrefix(place, config), record.name], { v: 1, name: record.name });
  return { ...rest, codeSigning: config };
}

/**
 * Whether a package that nobody can vouch for may be deployed: there is no AWS Signer here to ask about signatures and
 * their revocation, so that none is trusted. Answers whether to warn; throws CodeVerificationFailedException.
 */
export function judgeUnverified(config: CodeSigningConfigRecord | undefined, functionName: string): "warn" | "pass" {
  if (config === undefined) return "pass";
  if (config.untrusted === "Warn") return "warn";
  throw new AwsError(
    "CodeVerificationFailedException",
    400,
    `Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to accept. Check the provided signature for ${functionName}.`,
    { members: { Type: "User" } },
  );
}

export function imagesNotSigned(): AwsError {
  return invalidParameter("Code signing is not supported for functions created with container images.");
}

function configNotFound(arn: string): AwsError {
  return notFound(`The Lambda code signing configuration ${arn} can not be found.`);
}
