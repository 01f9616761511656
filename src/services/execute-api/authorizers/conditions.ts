import { toContext } from "../../../access/context.ts";
import { isLoopbackAddress } from "../../../access/loopback.ts";
import type { Context } from "../../../access/policy/pattern.ts";
import { isEncrypted, sourceIp } from "../../../proxy/client-address.ts";
import type { Exchange } from "../../../proxy/exchange.ts";
import type { PublishedStage } from "../port.ts";

/** The condition keys of a request that nobody signed: what policies of APIs and of authorizers may look at. */
export function anonymousConditions(stage: PublishedStage, exchange: Exchange, arn: string): Context {
  const ip = sourceIp(exchange.request);
  return toContext(
    { type: "anonymous" },
    { action: "execute-api:Invoke", resource: arn, resourceAccount: stage.account },
    {
      account: stage.account,
      region: stage.region,
      sourceIp: ip,
      secureTransport: isEncrypted(exchange.request) || isLoopbackAddress(ip),
      userAgent: exchange.headers.userAgent,
      now: exchange.now,
    },
    {},
  );
}
