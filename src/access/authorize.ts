import type { Principal } from "../aws/principal.ts";
import type { Log } from "../kernel/log.ts";
import type { AuthorizationRequest, Authorizer, RequestEnvironment } from "./authorization.ts";
import { decide, type DecideNeeds, type Reasoned } from "./decide.ts";
import type { DenialJournal } from "./denials/journal.ts";
import { accessDenied, missingAuthentication, toDialect } from "./errors.ts";
import { PolicyGrammarError } from "./policy/document.ts";
import type { Decision } from "./policy/evaluate.ts";

export interface AuthorizerNeeds extends DecideNeeds {
  readonly log: Log;
  /** Where denials are kept for whoever asks why. */
  readonly denials?: DenialJournal;
}

/** Decides by policies, with default deny. Denials are logged with the statement that decided, or what was missing. */
export function createAuthorizer(needs: AuthorizerNeeds): Authorizer {
  return {
    authorize: (...asked) => {
      const reasoned = decideSafely(needs, asked);
      return reasoned instanceof Promise
        ? reasoned.then((each) => enforce(needs, asked, each))
        : enforce(needs, asked, reasoned);
    },
  };
}

function enforce(needs: AuthorizerNeeds, [principal, request, environment]: Asked, reasoned: Reasoned): void {
  const { decision, because } = reasoned;
  if (decision.decision === "allowed") return;
  const { action, resource } = request;
  const told = { principal: nameOf(principal), action, resource, ...decision, ...(because && { because }) };
  const { requestId } = environment;
  needs.log.info("denied", { ...(requestId !== undefined && { requestId }), ...told });
  if (requestId !== undefined) needs.denials?.note({ requestId, environment, told, reasoned });
  throw toDenial(principal, request, environment, decision);
}

/**
 * Whatever stores a policy checks it first, so one that cannot be read is a bug or damage. Nobody can say what it would
 * have denied: everything is.
 */
function decideSafely(needs: AuthorizerNeeds, asked: Asked): Promise<Reasoned> | Reasoned {
  const [principal, { action, resource }] = asked;
  const told = (reasoned: Reasoned): Reasoned => {
    if (reasoned.because === "unknown action") {
      const facts = { principal: nameOf(principal), action, resource };
      needs.log.error("An action that AWS does not document: denied", facts);
    }
    return reasoned;
  };
  const unreadable = (error: unknown): Reasoned => {
    if (!(error instanceof PolicyGrammarError)) throw error;
    const facts = { principal: nameOf(principal), action, resource };
    needs.log.error("A stored policy cannot be read: denied", { ...facts, error });
    return {
      decision: { decision: "implicitDeny", policyType: "identity-based policy" },
      context: new Map(),
      policies: {},
      because: "unreadable policy",
    };
  };
  try {
    const reasoned = decide(needs, ...asked);
    return reasoned instanceof Promise ? reasoned.then(told).catch(unreadable) : told(reasoned);
  } catch (error) {
    return unreadable(error);
  }
}

type Asked = [principal: Principal, request: AuthorizationRequest, environment: RequestEnvironment];

/** A principal as messages name it. */
export function nameOf(principal: Principal): string {
  if (principal.type === "anonymous") return "anonymous";
  if (principal.type === "webIdentity") return principal.provider;
  return principal.type === "service" ? principal.service : principal.arn;
}

type Denial = Exclude<Decision, { decision: "allowed" }>;

/** Source: "Troubleshoot access denied error messages" in the IAM user guide. */
function toDenial(
  principal: Principal,
  request: AuthorizationRequest,
  environment: RequestEnvironment,
  decision: Denial,
): Error {
  const [service = ""] = request.action.split(":", 1);
  const dialect = toDialect(environment.service ?? service);
  if (principal.type === "anonymous" && (dialect === "s3" || request.resourcePolicy === undefined)) {
    return missingAuthentication(dialect);
  }
  // AWS: whoever shows a token is not named.
  if (principal.type === "webIdentity") return accessDenied("query", `Not authorized to perform ${request.action}`);
  const resource = dialect === "s3" ? JSON.stringify(request.resource) : request.resource;
  const who = `User: ${nameOf(principal)} is not authorized to perform: ${request.action} on resource: ${resource}`;
  // AWS: STS gives no reason, so that a stranger does not learn which roles exist.
  if (service === "sts") return accessDenied(dialect, who);
  return accessDenied(dialect, `${who} ${toReason(decision, request.action)}`);
}

function toReason(decision: Denial, action: string): string {
  const { policyType } = decision;
  // AWS: so it says also where nothing in it allows the action.
  const isExplicit = decision.decision === "explicitDeny" || policyType === "service control policy";
  return isExplicit
    ? `with an explicit deny in ${article(policyType)}`
    : `because no ${policyType} allows the ${action} action`;
}

function article(policyType: string): string {
  return /^[aeiou]/.test(policyType) ? `an ${policyType}` : `a ${policyType}`;
}
