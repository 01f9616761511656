import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SignedRequest, Verified } from "../access/verifier.ts";
import { createVerifier } from "../access/verify.ts";

/** AWS's published vectors of Signature Version 4, beside the checkout or where `CUMULET_CONFORMANCE_DATA` says. */
const dataFolder = process.env["CUMULET_CONFORMANCE_DATA"] ?? join(import.meta.dirname, "../../../shared/data");
const vectorsFile = join(dataFolder, "sigv4-vectors.json");

export const hasSignatureVectors = existsSync(vectorsFile);

/** Its files by name. */
export type SignatureVector = Readonly<Record<string, string>>;

export const signatureVectors: Readonly<Record<string, SignatureVector>> = hasSignatureVectors
  ? (JSON.parse(readFileSync(vectorsFile, "utf8")) as Record<string, SignatureVector>)
  : {};

export interface VectorContext {
  readonly credentials: { readonly access_key_id: string; readonly secret_access_key: string; readonly token?: string };
  readonly timestamp: string;
  readonly region: string;
  readonly service: string;
}

export function contextOf(vector: SignatureVector): VectorContext {
  return JSON.parse(vector["context.json"] ?? "{}") as VectorContext;
}

export interface RawRequest extends SignedRequest {
  readonly body: string;
}

/** A vector's signed request, in the bytes that Node's parser would hand on. */
export function requestOf(vector: SignatureVector, form: "header" | "query"): RawRequest {
  const bytes = Buffer.from(vector[`${form}-signed-request.txt`] ?? "", "utf8").toString("latin1");
  const end = bytes.indexOf("\n\n");
  const head = end < 0 ? bytes.trimEnd() : bytes.slice(0, end);
  const body = end < 0 ? "" : bytes.slice(end + 2).replace(/^\n$/, "");
  const [first = "", ...lines] = head.split("\n");
  const headers: [string, string][] = [];
  for (const line of lines) {
    const last = headers.at(-1);
    if (/^\s/.test(line) && last) last[1] += ` ${line.trim()}`;
    else headers.push([line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1)]);
  }
  const method = first.slice(0, first.indexOf(" "));
  const target = first.slice(method.length + 1, first.lastIndexOf(" HTTP/1.1"));
  return withBody({ method, target, headers, body }, body);
}

export function withBody(request: Omit<RawRequest, "bodySha256">, body: string): RawRequest {
  return { ...request, body, bodySha256: () => sha256(body) };
}

function sha256(text: string): string {
  return createHash("sha256").update(text, "latin1").digest("hex");
}

/** @returns the kind of the principal, or `tampered body` where the front door would see that the body is another; throws the refusal */
export async function verifyVector(
  vector: SignatureVector,
  request: RawRequest,
  now: number = Date.parse(contextOf(vector).timestamp),
): Promise<string> {
  const verifier = verifierOf(vector, now);
  // What it remembers of the true request, if that came in time, must not help a changed one.
  const warm = async () => await verifier.verify(requestOf(vector, "header"), "service");
  await warm().catch(() => undefined);
  const verified = await verifier.verify(request, "service");
  return isOfBody(verified, request.body) ? verified.principal.type : "tampered body";
}

function isOfBody({ payload }: Verified, body: string): boolean {
  return payload.kind !== "sha256" || payload.hex === sha256(body);
}

/** Knows the vector's key, as a long-term one and as that of its session. */
function verifierOf(vector: SignatureVector, now: number) {
  const { access_key_id, secret_access_key, token } = contextOf(vector).credentials;
  const principal = { type: "root", account: "0", arn: "arn:aws:iam::0:root", accessKeyId: access_key_id } as const;
  return createVerifier({
    now: () => now,
    accessKeys: {
      findAccessKey: (id) => (id === access_key_id ? { secretAccessKey: secret_access_key, principal } : undefined),
    },
    sessions: {
      issue: () => {
        throw new Error("not in these tests");
      },
      open: (id, given) =>
        id === access_key_id && given === token
          ? { principal, secretAccessKey: secret_access_key, issuedAt: 0, expiresAt: Number.MAX_SAFE_INTEGER }
          : undefined,
    },
  });
}
