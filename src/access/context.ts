import type { Principal, WebIdentity } from "../aws/principal.ts";
import { parseArn } from "../aws/arn.ts";
import type { AuthorizationRequest, RequestEnvironment } from "./authorization.ts";
import type { Context } from "./policy/pattern.ts";

/**
 * The condition keys of a request: the service's own, and the global ones, which a service cannot set otherwise.
 * Source: "AWS global condition context keys".
 */
export function toContext(
  principal: Principal,
  request: AuthorizationRequest,
  environment: RequestEnvironment,
  principalTags: Readonly<Record<string, string>>,
): Context {
  const context = new Map<string, readonly string[]>();
  const set = (key: string, ...values: readonly string[]) => void context.set(key, values);
  if (request.context)
    for (const [key, values] of Object.entries(request.context)) context.set(key.toLowerCase(), values);
  set("aws:currenttime", new Date(environment.now).toISOString());
  set("aws:epochtime", String(Math.floor(environment.now / 1000)));
  set("aws:requestedregion", environment.region);
  set("aws:securetransport", String(environment.secureTransport));
  if (environment.userAgent !== "") set("aws:useragent", environment.userAgent);
  if (environment.referer) set("aws:referer", environment.referer);
  set("aws:resourceaccount", request.resourceAccount ?? environment.account);
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
