import type { Authorizer, AuthorizationRequest, RequestEnvironment } from "../access/authorization.ts";
import { notImplemented } from "../aws/error.ts";
import type { Principal } from "../aws/principal.ts";
import { createConstraintChecker } from "./constraints.ts";
import type { OperationModel, ServiceModel } from "./model.ts";
import type { CallObserver } from "./observer.ts";
import { requestTagKeys, tagMembersOf } from "./request-tags.ts";
import type { Call, HttpFacts, Service } from "./service.ts";
import { toValidationError } from "./validation-errors.ts";

/** A call before its authorization questions are bound to it. */
export interface CallFacts {
  readonly requestId: string;
  readonly principal: Principal;
  readonly account: string;
  readonly region: string;
  readonly now: number;
  readonly endpoint: string;
  readonly http?: HttpFacts;
  /** The services that call with the caller's own permissions, the first of them first. */
  readonly calledVia?: readonly string[];
  readonly creationToken?: string;
  readonly signal: AbortSignal;
  setHeader(name: string, value: string): void;
  setStatus?(status: number): void;
}

/** Runs operations: constraints, then authorization, then the operation. The same for the wire and for services' calls. */
export interface Dispatcher {
  /** Throws the 501 for an operation that is in the table but not built. */
  assertBuilt(model: ServiceModel, operation: OperationModel): void;
  /** @returns the operation's output; throws what it throws. */
  run(
    model: ServiceModel,
    operation: OperationModel,
    input: Record<string, unknown>,
    facts: CallFacts,
  ): Promise<Record<string, unknown>>;
}

export function createDispatcher(needs: {
  readonly services: ReadonlyMap<string, Service>;
  readonly authorizer: Authorizer;
  /** Absent: nobody looks. */
  readonly observer?: CallObserver;
}): Dispatcher {
  const { services, authorizer, observer } = needs;
  const constraints = createConstraintChecker();
  const observed = new Map<OperationModel, boolean>();
  const tagMembers = new WeakMap<OperationModel, readonly string[]>();

  const isObserved = (model: ServiceModel, operation: OperationModel): boolean => {
    const known = observed.get(operation);
    if (known !== undefined) return known;
    const observes = observer?.observes(model, operation) ?? false;
    observed.set(operation, observes);
    return observes;
  };

  const taggedBy = (operation: OperationModel): readonly string[] => {
    let names = tagMembers.get(operation);
    if (!names) tagMembers.set(operation, (names = tagMembersOf(operation)));
    return names;
  };

  const findBuilt = (model: ServiceModel, operation: OperationModel) => {
    const service = services.get(model.name);
    const built = service && Object.hasOwn(service.operations, operation.name) && service.operations[operation.name];
    if (!built) throw notImplemented(`${model.name}:${operation.name}`);
    return built;
  };

  const run: Dispatcher["run"] = async (model, operation, input, facts) => {
    const built = findBuilt(model, operation);
    if (operation.input) {
      const violations = constraints.check(operation.input, input);
      if (violations.length > 0) throw toValidationError(model.name, violations);
    }
    const environment = { ...toEnvironment(facts), service: model.name };
    // The checks above have made the input what the operation's types say.
    const checked = input as never;
    const keysOf = services.get(model.name)?.conditionKeys?.[operation.name];
    const tagged = taggedBy(operation);
    const tellsMore = keysOf !== undefined || tagged.length > 0;
    const authorize = (request: AuthorizationRequest) =>
      authorizer.authorize(
        facts.principal,
        tellsMore && isOwn(model, request.action)
          ? {
              ...request,
              furtherContext: async () => ({
                ...(await keysOf?.(checked, call, request.action)),
                ...Object.assign({}, ...tagged.map((name) => requestTagKeys(input[name]))),
              }),
            }
          : request,
        environment,
      );
    const call = toCall(facts, model.name, operation.name, authorize);
    for (const request of await built.authorize(checked, call)) await authorize(request);
    observer?.used(facts.principal, model.name, facts.region, facts.now);
    const output: unknown = await built.run(checked, call);
    return typeof output === "object" && output !== null ? toMembers(output) : {};
  };

  return {
    assertBuilt: (model, operation) => {
      findBuilt(model, operation);
    },
    run: async (model, operation, input, facts) => {
      if (!observer || !isObserved(model, operation)) return await run(model, operation, input, facts);
      const about = { model, operation, input, facts };
      try {
        const output = await run(model, operation, input, facts);
        await observer.ended({ ...about, outcome: { output } });
        return output;
      } catch (error) {
        await observer.ended({ ...about, outcome: { error } });
        throw error;
      }
    },
  };
}

/** Not what another service is asked for on the way, as `iam:PassRole`. */
function isOwn({ name, signingName }: ServiceModel, action: string): boolean {
  const prefix = action.slice(0, action.indexOf(":"));
  return prefix === name || prefix === signingName;
}

/** Not by spreading: the signal is made when it is first asked for. */
function toCall(facts: CallFacts, service: string, operation: string, authorize: Call["authorize"]): Call {
  return {
    requestId: facts.requestId,
    service,
    operation,
    principal: facts.principal,
    account: facts.account,
    region: facts.region,
    now: facts.now,
    endpoint: facts.endpoint,
    ...(facts.creationToken !== undefined && { creationToken: facts.creationToken }),
    ...(facts.http && { http: facts.http }),
    get signal() {
      return facts.signal;
    },
    authorize,
    setHeader: facts.setHeader,
    ...(facts.setStatus && { setStatus: facts.setStatus }),
  };
}

function toEnvironment(facts: CallFacts): RequestEnvironment {
  return {
    account: facts.account,
    region: facts.region,
    // AWS: the address of a service that calls for somebody is none that a policy could name.
    sourceIp: facts.http?.sourceIp ?? "",
    secureTransport: facts.http?.secure ?? true,
    userAgent: facts.http?.headers["user-agent"] ?? facts.calledVia?.at(-1) ?? "",
    now: facts.now,
    requestId: facts.requestId,
    ...(facts.http?.headers["referer"] !== undefined && { referer: facts.http.headers["referer"] }),
    ...(facts.calledVia && { calledVia: facts.calledVia }),
  };
}

/** An output is read member by member when it is encoded, whatever its type. */
function toMembers(output: object): Record<string, unknown> {
  return output as Record<string, unknown>;
}
