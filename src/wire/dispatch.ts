import type { Authorizer, AuthorizationRequest, RequestEnvironment } from "../access/authorization.ts";
import { notImplemented } from "../aws/error.ts";
import type { Principal } from "../aws/principal.ts";
import { createConstraintChecker } from "./constraints.ts";
import type { OperationModel, ServiceModel } from "./model.ts";
import type { CallObserver } from "./observer.ts";
import { requestTagKeys, tagMembersOf } from "./request-tags.ts";
import type { Call, HttpFacts, Operation, RequestKeys, Service } from "./service.ts";
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
  /** @returns the operation's output; rejects with what it throws. */
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
  const built = new Map<OperationModel, BuiltOperation>();

  /** What is the same in all calls of an operation is found out once. */
  const findBuilt = (model: ServiceModel, operation: OperationModel): BuiltOperation => {
    const known = built.get(operation);
    if (known) return known;
    const service = services.get(model.name);
    const found = service && Object.hasOwn(service.operations, operation.name) && service.operations[operation.name];
    if (!found) throw notImplemented(`${model.name}:${operation.name}`);
    const made: BuiltOperation = {
      operation: found,
      tags: tagMembersOf(operation),
      keysOf: service.conditionKeys?.[operation.name],
      isObserved: observer?.observes(model, operation) ?? false,
    };
    built.set(operation, made);
    return made;
  };

  const run: Dispatcher["run"] = async (model, operation, input, facts) => {
    const { operation: found, tags, keysOf } = findBuilt(model, operation);
    if (operation.input) {
      const violations = constraints.check(operation.input, input);
      if (violations.length > 0) throw toValidationError(model.name, violations);
    }
    const environment = toEnvironment(facts, model.name);
    // The checks above have made the input what the operation's types say.
    const checked = input as never;
    const tellsMore = keysOf !== undefined || tags.length > 0;
    const authorize = (request: AuthorizationRequest) =>
      authorizer.authorize(
        facts.principal,
        tellsMore && isOwn(model, request.action)
          ? {
              ...request,
              furtherContext: async () => ({
                ...(await request.furtherContext?.()),
                ...(await keysOf?.(checked, call, request.action)),
                ...Object.assign({}, ...tags.map((name) => requestTagKeys(input[name]))),
              }),
            }
          : request,
        environment,
      );
    const call = new OperationCall(facts, model.name, operation.name, async (request) => await authorize(request));
    // Nothing is awaited that is there already: each time costs more than most of what is done in between.
    const asked = found.authorize(checked, call);
    for (const request of asked instanceof Promise ? await asked : asked) {
      const allowed = authorize(request);
      if (allowed instanceof Promise) await allowed;
    }
    observer?.used(facts.principal, model.name, facts.region, facts.now);
    const given = found.run(checked, call);
    const output: unknown = given instanceof Promise ? await given : given;
    return typeof output === "object" && output !== null ? toMembers(output) : {};
  };

  const runObserved: Dispatcher["run"] = async (model, operation, input, facts) => {
    const about = { model, operation, input, facts };
    try {
      const output = await run(model, operation, input, facts);
      await observer?.ended({ ...about, outcome: { output } });
      return output;
    } catch (error) {
      await observer?.ended({ ...about, outcome: { error } });
      throw error;
    }
  };

  return {
    assertBuilt: (model, operation) => {
      findBuilt(model, operation);
    },
    run: (model, operation, input, facts) => {
      const isObserved = built.get(operation)?.isObserved ?? observer?.observes(model, operation) ?? false;
      return isObserved ? runObserved(model, operation, input, facts) : run(model, operation, input, facts);
    },
  };
}

interface BuiltOperation {
  readonly operation: Operation<never, unknown>;
  /** The members of its input that carry tags. */
  readonly tags: readonly string[];
  readonly keysOf: RequestKeys<never> | undefined;
  readonly isObserved: boolean;
}

/** Not what another service is asked for on the way, as `iam:PassRole`. */
function isOwn({ name, signingName }: ServiceModel, action: string): boolean {
  const prefix = action.slice(0, action.indexOf(":"));
  return prefix === name || prefix === signingName;
}

/** A class, for its signal is made when it is first asked for: an accessor of an object of its own is dear to make. */
class OperationCall implements Call {
  readonly requestId: string;
  readonly service: string;
  readonly operation: string;
  readonly principal: Principal;
  readonly account: string;
  readonly region: string;
  readonly now: number;
  readonly endpoint: string;
  readonly creationToken?: string;
  readonly http?: HttpFacts;
  readonly authorize: Call["authorize"];
  readonly setHeader: Call["setHeader"];
  readonly setStatus?: (status: number) => void;
  readonly #facts: CallFacts;

  constructor(facts: CallFacts, service: string, operation: string, authorize: Call["authorize"]) {
    this.requestId = facts.requestId;
    this.service = service;
    this.operation = operation;
    this.principal = facts.principal;
    this.account = facts.account;
    this.region = facts.region;
    this.now = facts.now;
    this.endpoint = facts.endpoint;
    this.authorize = authorize;
    this.setHeader = facts.setHeader;
    if (facts.http) this.http = facts.http;
    if (facts.setStatus) this.setStatus = facts.setStatus;
    if (facts.creationToken !== undefined) this.creationToken = facts.creationToken;
    this.#facts = facts;
  }

  get signal(): AbortSignal {
    return this.#facts.signal;
  }
}

function toEnvironment(facts: CallFacts, service: string): RequestEnvironment {
  const { http, calledVia } = facts;
  const referer = http?.headers["referer"];
  return {
    account: facts.account,
    region: facts.region,
    // AWS: the address of a service that calls for somebody is none that a policy could name.
    sourceIp: http?.sourceIp ?? "",
    secureTransport: http?.secure ?? true,
    userAgent: http?.headers["user-agent"] ?? calledVia?.at(-1) ?? "",
    now: facts.now,
    requestId: facts.requestId,
    service,
    ...(referer !== undefined && { referer }),
    ...(calledVia && { calledVia }),
  };
}

/** An output is read member by member when it is encoded, whatever its type. */
function toMembers(output: object): Record<string, unknown> {
  return output as Record<string, unknown>;
}
