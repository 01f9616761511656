import type { Authorizer } from "../../access/authorization.ts";
import type { Principal } from "../../aws/principal.ts";
import type { Clock } from "../../kernel/clock.ts";
import { functionNotFound } from "./errors.ts";
import { functionKey, type CompiledFunction, type Functions } from "./functions.ts";
import type { Invoked, Invoker } from "./invoker.ts";
import { lambdaLimits } from "./limits.ts";
import { functionArn } from "./model.ts";
import { parseFunctionName, type FunctionReference } from "./names.ts";
import type { LambdaInvokeRequest, LambdaInvokeResult, LambdaPort } from "./port.ts";

/** The in-process door. Warm, it touches neither the store nor, for a decision taken before, the policy evaluator. */
export function createLambdaPort(needs: {
  readonly functions: Functions;
  readonly invoker: Invoker;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly isDebugged?: ((functionArn: string) => boolean) | undefined;
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

  const memoryOf = (fn: CompiledFunction, qualifier: string | undefined, principal: Principal): string | undefined => {
    // Only a service principal's decision hangs on nothing but this policy; others have policies of their own.
    if (principal.type !== "service" || fn.policies.get(qualifier ?? "")?.memorable === false) return undefined;
    return remember(principal, qualifier);
  };

  const authorize = async (
    fn: CompiledFunction,
    qualifier: string | undefined,
    { principal, requestId }: LambdaInvokeRequest,
  ) => {
    const memory = memoryOf(fn, qualifier, principal);
    if (memory !== undefined && fn.decisions.has(memory)) return;
    const policy = fn.policies.get(qualifier ?? "");
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
        requestId,
      },
    );
    if (memory === undefined) return;
    if (fn.decisions.size >= lambdaLimits.decisionsMax) fn.decisions.clear();
    fn.decisions.set(memory, true);
  };

  const prepare = async (request: LambdaInvokeRequest, reference: Reference): Promise<CompiledFunction> => {
    const fn = functions.known(reference.key) ?? (await functions.find(reference, reference.name));
    if (!fn) throw functionNotFound(request.functionArn);
    await authorize(fn, reference.qualifier, request);
    return fn;
  };

  return {
    invoke(request) {
      const reference = refer(request.functionArn);
      const { qualifier } = reference;
      const trigger = request.principal.type === "service" ? request.principal.service : undefined;
      const { payload, requestId, traceId, tenantId, sink } = request;
      // Member by member: the rest of a destructured object costs ten times as much.
      const invocation = { payload, requestId, traceId, tenantId, qualifier, trigger, sink: sink && (() => sink) };
      const run = (fn: CompiledFunction) => invoker.run(fn, invocation).then(toResult);
      const fn = functions.known(reference.key);
      const memory = fn && memoryOf(fn, qualifier, request.principal);
      if (fn !== undefined && memory !== undefined && fn.decisions.has(memory)) return run(fn);
      return prepare(request, reference).then(run);
    },
    ...(needs.isDebugged && { isDebugged: needs.isDebugged }),
  };
}

function toResult({ outcome }: Invoked): LambdaInvokeResult {
  const { payload, stream } = outcome;
  const isStreamed = stream !== undefined;
  if (outcome.outcome === "error") return { payload, functionError: "Unhandled", ...(isStreamed && { isStreamed }) };
  return isStreamed ? { payload, isStreamed } : { payload };
}

type ServicePrincipal = Extract<Principal, { readonly type: "service" }>;

interface Reference extends FunctionReference {
  readonly key: string;
}

function placeOf(arn: string) {
  const [, , , region = "", account = ""] = arn.split(":");
  return { account, region };
}
