import type { Authorizer } from "../../access/authorization.ts";
import type { Principal } from "../../aws/principal.ts";
import type { Clock } from "../../kernel/clock.ts";
import { functionNotFound } from "./errors.ts";
import { functionKey, type CompiledFunction, type Functions } from "./functions.ts";
import type { Invoker } from "./invoker.ts";
import { lambdaLimits } from "./limits.ts";
import { functionArn } from "./model.ts";
import { parseFunctionName, type FunctionReference } from "./names.ts";
import type { LambdaPort } from "./port.ts";

/** The in-process door. Warm, it touches neither the store nor, for a decision taken before, the policy evaluator. */
export function createLambdaPort(needs: {
  readonly functions: Functions;
  readonly invoker: Invoker;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
}): LambdaPort {
  const { functions, invoker, authorizer, clock } = needs;
  const references = new Map<string, Reference>();
  /** What a decision for a principal is remembered under; made once, since its callers keep their principals. */
  const memories = new WeakMap<Principal, string>();

  const refer = (arn: string): Reference => {
    const known = references.get(arn);
    if (known) return known;
    const parsed = parseFunctionName(arn, placeOf(arn));
    const reference = { ...parsed, key: functionKey(parsed, parsed.name) };
    if (references.size >= lambdaLimits.decisionsMax) references.clear();
    references.set(arn, reference);
    return reference;
  };

  const remember = (principal: ServicePrincipal, qualifier: string | undefined): string => {
    let memory = memories.get(principal);
    if (memory === undefined) {
      memory = `${principal.service}|${principal.sourceArn ?? ""}|${principal.sourceAccount ?? ""}`;
      memories.set(principal, memory);
    }
    return qualifier === undefined ? memory : `${qualifier}|${memory}`;
  };

  const authorize = async (fn: CompiledFunction, qualifier: string | undefined, principal: Principal) => {
    const policy = fn.policies.get(qualifier ?? "");
    // Only a service principal's decision hangs on nothing but this policy; others have policies of their own.
    const memory =
      principal.type === "service" && (policy?.memorable ?? true) ? remember(principal, qualifier) : undefined;
    if (memory !== undefined && fn.decisions.has(memory)) return;
    await authorizer.authorize(
      principal,
      {
        action: "lambda:InvokeFunction",
        resource: functionArn(fn.place, fn.record.name, qualifier),
        resourceAccount: fn.place.account,
        ...(policy && { resourcePolicy: policy.document }),
      },
      {
        account: fn.place.account,
        region: fn.place.region,
        sourceIp: "127.0.0.1",
        secureTransport: true,
        userAgent: "",
        now: clock.now(),
      },
    );
    if (memory === undefined) return;
    if (fn.decisions.size >= lambdaLimits.decisionsMax) fn.decisions.clear();
    fn.decisions.set(memory, true);
  };

  return {
    async invoke(request) {
      const reference = refer(request.functionArn);
      const fn = await (functions.known(reference.key) ?? functions.find(reference, reference.name));
      if (!fn) throw functionNotFound(request.functionArn);
      await authorize(fn, reference.qualifier, request.principal);
      const { outcome } = await invoker.run(fn, { ...request, qualifier: reference.qualifier });
      return {
        payload: outcome.payload,
        ...(outcome.outcome === "error" && { functionError: "Unhandled" }),
      };
    },
  };
}

type ServicePrincipal = Extract<Principal, { readonly type: "service" }>;

interface Reference extends FunctionReference {
  readonly key: string;
}

function placeOf(arn: string) {
  const [, , , region = "", account = ""] = arn.split(":");
  return { account, region };
}
