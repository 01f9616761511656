import { createHash } from "node:crypto";
import { isLoopbackAddress } from "../../access/loopback.ts";
import type { Authorizer } from "../../access/authorization.ts";
import type { Verified, Verifier } from "../../access/verifier.ts";
import { AwsError } from "../../aws/error.ts";
import type { Principal } from "../../aws/principal.ts";
import { type Exchange, sourceIp } from "./exchange.ts";

/** Who may call: signatures are verified and `execute-api:Invoke` is evaluated for methods authorized by IAM. */
export interface InvokeAccess {
  /**
   * @returns who called
   * @throws {AwsError} as the verifier or the evaluator refuses, or `MissingAuthenticationToken` for an unsigned request
   */
  check(exchange: Exchange, body: Buffer, resource: InvokedResource): Promise<Principal>;
}

export interface InvokedResource {
  readonly account: string;
  readonly region: string;
  /** `arn:aws:execute-api:…:apiId/stage/METHOD/path` */
  readonly arn: string;
}

export function createInvokeAccess(verifier: Verifier, authorizer: Authorizer): InvokeAccess {
  return {
    check: async (exchange, body, resource) => {
      const { request } = exchange;
      const verified = await verifier.verify(
        {
          method: exchange.method,
          target: request.url ?? "/",
          headers: lowerCaseHeaders(request.rawHeaders),
          bodySha256: () => createHash("sha256").update(body).digest("hex"),
          sourceIp: sourceIp(request),
        },
        "execute-api",
      );
      if (verified.principal.type === "anonymous") {
        throw new AwsError("MissingAuthenticationToken", 403, "Missing Authentication Token");
      }
      checkPayload(verified, body);
      const ip = sourceIp(request);
      await authorizer.authorize(
        verified.principal,
        { action: "execute-api:Invoke", resource: resource.arn, resourceAccount: resource.account },
        {
          account: resource.account,
          region: resource.region,
          sourceIp: ip,
          secureTransport: "encrypted" in request.socket || isLoopbackAddress(ip),
          userAgent: exchange.headers.userAgent,
          now: exchange.now,
        },
      );
      return verified.principal;
    },
  };
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
