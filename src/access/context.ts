import type { Principal, WebIdentity } from "../aws/principal.ts";
import { parseArn } from "../aws/arn.ts";
import type { AuthorizationRequest, RequestEnvironment } from "./authorization.ts";
import type { Context } from "./policy/pattern.ts";

/** The condition keys of a request. Most of them are worked out only where a policy asks. */
export interface RequestContext extends Context, Iterable<readonly [key: string, values: readonly string[]]> {
  has(key: string): boolean;
}

/** As `toContext`, of which nothing is done before somebody looks. */
export function createRequestContext(
  principal: Principal,
  request: AuthorizationRequest,
  environment: RequestEnvironment,
  principalTags: Readonly<Record<string, string>>,
): RequestContext {
  return new LazyContext(principal, request, environment, principalTags);
}

class LazyContext implements RequestContext {
  readonly #principal: Principal;
  readonly #request: AuthorizationRequest;
  readonly #environment: RequestEnvironment;
  readonly #principalTags: Readonly<Record<string, string>>;
  #all: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(
    principal: Principal,
    request: AuthorizationRequest,
    environment: RequestEnvironment,
    principalTags: Readonly<Record<string, string>>,
  ) {
    this.#principal = principal;
    this.#request = request;
    this.#environment = environment;
    this.#principalTags = principalTags;
  }

  get(key: string): readonly string[] | undefined {
    const value = globals.get(key)?.(this.#request, this.#environment);
    return value === undefined ? this.#whole().get(key) : [value];
  }

  has(key: string): boolean {
    return this.#whole().has(key);
  }

  [Symbol.iterator](): Iterator<readonly [key: string, values: readonly string[]]> {
    return this.#whole()[Symbol.iterator]();
  }

  #whole(): ReadonlyMap<string, readonly string[]> {
    return (this.#all ??= toContext(this.#principal, this.#request, this.#environment, this.#principalTags));
  }
}

/** Those that every request has, or none, whoever has sent it. Undefined: not there. */
const globals: ReadonlyMap<
  string,
  (request: AuthorizationRequest, environment: RequestEnvironment) => string | undefined
> = new Map([
  ["aws:currenttime", (_request, { now }) => new Date(now).toISOString()],
  ["aws:epochtime", (_request, { now }) => String(Math.floor(now / 1000))],
  ["aws:requestedregion", (_request, { region }) => region],
  ["aws:securetransport", (_request, { secureTransport }) => String(secureTransport)],
  ["aws:useragent", (_request, { userAgent }) => userAgent || undefined],
  ["aws:referer", (_request, { referer }) => referer || undefined],
  ["aws:resourceaccount", ({ resourceAccount }, { account }) => resourceAccount ?? account],
] satisfies [string, (request: AuthorizationRequest, environment: RequestEnvironment) => string | undefined][]);

/**
 * The condition keys of a request: the service's own, and the global ones, which a service cannot set otherwise.
 * Source: "AWS global condition context keys".
 */
export function toContext(
  principal: Principal,
  request: AuthorizationRequest,
  environment: RequestEnvironment,
  principalTags: Readonly<Record<string, string>>,
): ReadonlyMap<string, readonly string[]> {
  const context = new Map<string, readonly string[]>();
  const set = (key: string, ...values: readonly string[]) => void context.set(key, values);
  if (request.context)
    for (const [key, values] of Object.entries(request.context)) context.set(key.toLowerCase(), values);
  for (const [key, valueOf] of globals) {
    const value = valueOf(request, environment);
    if (value !== undefined) set(key, value);
  }
  set("aws:principalisawsservice", String(principal.type === "service"));
  setCalledVia(environment.calledVia ?? [], set);
  // A service's own address is nobody's to allow or deny.
  if (principal.type !== "service" && environment.sourceIp !== "") set("aws:sourceip", environment.sourceIp);
  // Policies that revoke a role's older sessions look at it.
  if ("tokenIssuedAt" in principal) set("aws:tokenissuetime", new Date(principal.tokenIssuedAt).toISOString());
  setMfa(principal, environment.now, set);
  setPrincipal(principal, principalTags, set);
  return context;
}

function setPrincipal(
  principal: Principal,
  tags: Readonly<Record<string, string>>,
  set: (key: string, ...values: string[]) => void,
): void {
  switch (principal.type) {
    case "root":
      set("aws:principalarn", principal.arn);
      set("aws:principalaccount", principal.account);
      set("aws:principaltype", "Account");
      set("aws:userid", principal.account);
      return;
    case "user":
      set("aws:principalarn", principal.arn);
      set("aws:principalaccount", principal.account);
      set("aws:principaltype", "User");
      set("aws:userid", principal.userId);
      set("aws:username", principal.userName);
      break;
    case "assumedRole":
      set("aws:principalarn", principal.roleArn);
      set("aws:principalaccount", principal.account);
      set("aws:principaltype", "AssumedRole");
      set("aws:userid", `${principal.roleId}:${principal.sessionName}`);
      if (principal.sourceIdentity !== undefined) set("aws:sourceidentity", principal.sourceIdentity);
      setWebIdentity(principal.webIdentity, set);
      break;
    case "federatedUser":
      set("aws:principalarn", principal.arn);
      set("aws:principalaccount", principal.account);
      set("aws:principaltype", "FederatedUser");
      set("aws:userid", `${principal.account}:${principal.name}`);
      break;
    case "webIdentity":
      setWebIdentity(principal, set);
      return;
    case "service":
      set("aws:principalservicename", principal.service);
      set("aws:principalservicenameslist", principal.service);
      set("aws:principaltype", "Service");
      if (principal.sourceArn !== undefined) set("aws:sourcearn", principal.sourceArn);
      setSourceAccount(principal.sourceAccount ?? parseArn(principal.sourceArn ?? "")?.account, set);
      return;
    case "anonymous":
      // AWS: requests that nobody signed have neither the ARN nor the id of a principal.
      set("aws:principalaccount", "anonymous");
      set("aws:principaltype", "Anonymous");
      return;
    default:
      principal satisfies never;
  }
  for (const [key, value] of Object.entries(tags)) set(`aws:principaltag/${key.toLowerCase()}`, value);
  if (principal.type !== "assumedRole" && principal.type !== "federatedUser") return;
  for (const [key, value] of Object.entries(principal.sessionTags)) set(`aws:principaltag/${key.toLowerCase()}`, value);
}

/** AWS: only where a service asks with the caller's own permissions; one that has a role of its own is the caller itself. */
function setCalledVia(services: readonly string[], set: (key: string, ...values: readonly string[]) => void): void {
  const [first] = services;
  const last = services.at(-1);
  set("aws:viaawsservice", String(first !== undefined));
  if (first === undefined || last === undefined) return;
  set("aws:calledvia", ...services);
  set("aws:calledviafirst", first);
  set("aws:calledvialast", last);
}

/** Only temporary credentials say whether a code of an MFA device was shown; long-term keys have neither key. */
function setMfa(principal: Principal, now: number, set: (key: string, value: string) => void): void {
  if (!("tokenIssuedAt" in principal) || principal.type === "federatedUser") return;
  const { mfaAt } = principal;
  set("aws:multifactorauthpresent", String(mfaAt !== undefined));
  if (mfaAt !== undefined) set("aws:multifactorauthage", String(Math.max(0, Math.floor((now - mfaAt) / 1000))));
}

function setWebIdentity(identity: WebIdentity | undefined, set: (key: string, ...values: string[]) => void): void {
  if (!identity) return;
  set("aws:federatedprovider", identity.provider);
  for (const [key, values] of Object.entries(identity.context)) set(key, ...values);
}

function setSourceAccount(account: string | undefined, set: (key: string, value: string) => void): void {
  if (account) set("aws:sourceaccount", account);
}
