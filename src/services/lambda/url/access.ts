import type { Authorizer } from "../../../access/authorization.ts";
import { isLoopbackAddress } from "../../../access/loopback.ts";
import type { Principal } from "../../../aws/principal.ts";
import { isEncrypted, sourceIp } from "../../../proxy/client-address.ts";
import type { Exchange } from "../../../proxy/exchange.ts";
import type { CompiledFunction, CompiledPolicy } from "../functions.ts";
import { functionArn } from "../model.ts";
import type { UrlRecord } from "./records.ts";

/**
 * May a caller use a function's URL? Since October 2025 AWS asks for two permissions: `lambda:InvokeFunctionUrl`, and
 * `lambda:InvokeFunction` by way of the URL. Source: developer guide, "Control access to Lambda function URLs".
 */
export interface UrlAccess {
  /** Undefined, without a promise, when it has been decided before. Rejects with the denial. */
  authorize(fn: CompiledFunction, url: UrlRecord, caller: Principal, exchange: Exchange): Promise<void> | undefined;
}

export function createUrlAccess(authorizer: Authorizer): UrlAccess {
  const memorable = new WeakMap<CompiledPolicy, boolean>();

  /** Whether nothing but the policy decides about an anonymous caller. */
  const canRemember = (policy: CompiledPolicy): boolean => {
    let known = memorable.get(policy);
    if (known === undefined) {
      known = policy.record.statements.every((statement) =>
        Object.values(statement.Condition ?? {}).every((condition) =>
          Object.keys(condition).every((key) => steadyKeys.has(key.toLowerCase())),
        ),
      );
      memorable.set(policy, known);
    }
    return known;
  };

  return {
    authorize(fn, url, caller, exchange) {
      const policy = fn.policies.get(url.qualifier);
      const memory = `url|${url.authType}|${url.qualifier}`;
      const remembers = caller.type === "anonymous" && policy !== undefined && canRemember(policy);
      if (remembers && fn.decisions.has(memory)) return undefined;
      return ask(authorizer, policy, url, caller, exchange).then(() => {
        if (remembers) fn.decisions.set(memory, true);
      });
    },
  };
}

/** Conditions that are the same for every request to one URL. */
const steadyKeys = new Set(["lambda:functionurlauthtype", "lambda:invokedviafunctionurl"]);

async function ask(
  authorizer: Authorizer,
  policy: CompiledPolicy | undefined,
  url: UrlRecord,
  caller: Principal,
  exchange: Exchange,
): Promise<void> {
  const ip = sourceIp(exchange.request);
  const environment = {
    account: url.account,
    region: url.region,
    sourceIp: ip,
    secureTransport: isEncrypted(exchange.request) || isLoopbackAddress(ip),
    userAgent: exchange.headers.userAgent,
    now: exchange.now,
    requestId: exchange.requestId,
  };
  const question = {
    resource: functionArn(url, url.functionName, url.qualifier === "" ? undefined : url.qualifier),
    resourceAccount: url.account,
    ...(policy && { resourcePolicy: policy.document }),
    context: { "lambda:FunctionUrlAuthType": [url.authType], "lambda:InvokedViaFunctionUrl": ["true"] },
  };
  await authorizer.authorize(caller, { ...question, action: "lambda:InvokeFunctionUrl" }, environment);
  await authorizer.authorize(caller, { ...question, action: "lambda:InvokeFunction" }, environment);
}
