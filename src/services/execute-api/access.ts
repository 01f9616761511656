import { isLoopbackAddress } from "../../access/loopback.ts";
import type { Authorizer } from "../../access/authorization.ts";
import type { Verifier } from "../../access/verifier.ts";
import { AwsError } from "../../aws/error.ts";
import type { Principal } from "../../aws/principal.ts";
import { isEncrypted, sourceIp } from "../../proxy/client-address.ts";
import type { Exchange } from "../../proxy/exchange.ts";
import { verifySigner } from "../../proxy/signer.ts";

/** Who may call: signatures are verified and `execute-api:Invoke` is evaluated for methods authorized by IAM. */
export interface InvokeAccess {
  /**
   * @returns who called
   * @throws {AwsError} as the verifier or the evaluator refuses, or `MissingAuthenticationToken` for an unsigned request
   */
  check(exchange: Exchange, body: Buffer, resource: InvokedResource): Promise<Principal>;
  /** Whether who signed the request may do something else; nobody may who did not sign. Rejects where that cannot be known. */
  may(exchange: Exchange, body: Buffer, resource: InvokedResource, action: string): Promise<boolean>;
}

export interface InvokedResource {
  readonly account: string;
  readonly region: string;
  /** `arn:aws:execute-api:…:apiId/stage/METHOD/path` */
  readonly arn: string;
  /** The API's resource policy. */
  readonly policy?: string;
}

export function createInvokeAccess(verifier: Verifier, authorizer: Authorizer): InvokeAccess {
  const check = async (
    exchange: Exchange,
    body: Buffer,
    resource: InvokedResource,
    action: string,
  ): Promise<Principal> => {
    const { request } = exchange;
    const principal = await verifySigner(verifier, exchange, body, "execute-api");
    const ip = sourceIp(request);
    await authorizer.authorize(
      principal,
      {
        action,
        resource: resource.arn,
        resourceAccount: resource.account,
        ...(resource.policy === undefined ? {} : { resourcePolicy: resource.policy }),
      },
      {
        account: resource.account,
        region: resource.region,
        sourceIp: ip,
        secureTransport: isEncrypted(request) || isLoopbackAddress(ip),
        userAgent: exchange.headers.userAgent,
        now: exchange.now,
      },
    );
    return principal;
  };
  return {
    check: (exchange, body, resource) => check(exchange, body, resource, "execute-api:Invoke"),
    may: (exchange, body, resource, action) =>
      check(exchange, body, resource, action).then(
        () => true,
        (error: unknown) => {
          if (error instanceof AwsError && error.status < 500) return false;
          throw error;
        },
      ),
  };
}
