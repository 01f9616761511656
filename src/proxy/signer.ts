import { createHash } from "node:crypto";
import type { Verified, Verifier } from "../access/verifier.ts";
import { AwsError } from "../aws/error.ts";
import type { Principal } from "../aws/principal.ts";
import { sourceIp } from "./client-address.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Who signed a request, its body included.
 *
 * @param service as the credential scope must name it: `execute-api`, `lambda`
 * @throws {AwsError} as the verifier refuses, or `MissingAuthenticationToken` for an unsigned request
 */
export async function verifySigner(
  verifier: Verifier,
  exchange: Exchange,
  body: Buffer,
  service: string,
): Promise<Principal> {
  const { request } = exchange;
  const verified = await verifier.verify(
    {
      method: exchange.method,
      target: request.url ?? "/",
      headers: lowerCaseHeaders(request.rawHeaders),
      bodySha256: () => createHash("sha256").update(body).digest("hex"),
      sourceIp: sourceIp(request),
    },
    service,
  );
  if (verified.principal.type === "anonymous") {
    throw new AwsError("MissingAuthenticationToken", 403, "Missing Authentication Token");
  }
  checkPayload(verified, body);
  return verified.principal;
}

function checkPayload({ payload }: Verified, body: Buffer): void {
  if (payload.kind === "unsigned") return;
  if (payload.kind === "sha256" && createHash("sha256").update(body).digest("hex") === payload.hex) return;
  throw new AwsError(
    "InvalidSignatureException",
    403,
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  );
}

function lowerCaseHeaders(raw: readonly string[]): [name: string, value: string][] {
  const headers: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    headers.push([(raw[index] ?? "").toLowerCase(), raw[index + 1] ?? ""]);
  }
  return headers;
}
