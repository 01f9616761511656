import { isLoopbackAddress } from "../../access/loopback.ts";
import type { Authorizer } from "../../access/authorization.ts";
import type { Verifier } from "../../access/verifier.ts";
import { AwsError } from "../../aws/error.ts";
import type { Principal } from "../../aws/principal.ts";
import type { Clock } from "../../kernel/clock.ts";
import { isEncrypted, sourceIp } from "../../proxy/client-address.ts";
import type { Exchange } from "../../proxy/exchange.ts";
import { verifySigner } from "../../proxy/signer.ts";
import type { RequestFacts } from "./context/request-facts.ts";

/** Who may call: signatures are verified and `execute-api:Invoke` is evaluated for methods authorized by IAM. */
export interface InvokeAccess {
  /**
   * @param told how both phases went, for access logs
   * @returns who called
   * @throws {AwsError} as the verifier or the evaluator refuses, or `MissingAuthenticationToken` for an unsigned request
   */
  check(
    exchange: Exchange,
    body: Buffer,
    resource: InvokedResource,
    told: Pick<RequestFacts, "access">,
  ): Promise<Principal>;
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

export function createInvokeAccess(
  verifier: Verifier,
  authorizer: Authorizer,
  clock: Pick<Clock, "now">,
): InvokeAccess {
  const check = async (
    exchange: Exchange,
    body: Buffer,
    resource: InvokedResource,
    action: string,
    told: Pick<RequestFacts, "access">,
  ): Promise<Principal> => {
    const { request } = exchange;
    const phase = async <T>(name: "authenticate" | "authorize", run: () => Promise<T>): Promise<T> => {
      const startedAt = clock.now();
      const tell = (status: number, error?: string) => {
        const facts = { status, latencyMs: clock.now() - startedAt, ...(error === undefined ? {} : { error }) };
        told.access = { ...told.access, [name]: facts };
      };
      try {
        const result = await run();
        tell(200);
        return result;
      } catch (error) {
        if (error instanceof AwsError) tell(error.status, error.message);
        else tell(500);
        throw error;
      }
    };
    const principal = await phase("authenticate", () => verifySigner(verifier, exchange, body, "execute-api"));
    const ip = sourceIp(request);
    const what = {
      action,
      resource: resource.arn,
      resourceAccount: resource.account,
      ...(resource.policy === undefined ? {} : { resourcePolicy: resource.policy }),
    };
    const where = {
      account: resource.account,
      region: resource.region,
      sourceIp: ip,
      secureTransport: isEncrypted(request) || isLoopbackAddress(ip),
      userAgent: exchange.headers.userAgent,
      now: exchange.now,
      requestId: exchange.requestId,
      extendedRequestId: exchange.extendedId,
    };
    await phase("authorize", async () => await authorizer.authorize(principal, what, where));
    return principal;
  };
  return {
    check: (exchange, body, resource, told) => check(exchange, body, resource, "execute-api:Invoke", told),
    may: (exchange, body, resource, action) =>
      check(exchange, body, resource, action, { access: undefined }).then(
        () => true,
        (error: unknown) => {
          if (error instanceof AwsError && error.status < 500) return false;
          throw error;
        },
      ),
  };
}
