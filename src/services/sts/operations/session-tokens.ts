import { missingAuthentication } from "../../../access/errors.ts";
import type { SessionPrincipal } from "../../../access/sessions.ts";
import { notImplemented } from "../../../aws/error.ts";
import { issue, longTerm } from "../credentials.ts";
import { stsLimits } from "../limits.ts";
import { createMfaCheck } from "../mfa.ts";
import { present, type StsNeeds, type StsOperations } from "../needs.ts";
import { checkSessionPolicies } from "../session-policies.ts";
import { sessionTagContext, toSessionTags } from "../session-tags.ts";

/** Sessions of users and of the root: their own, and narrowed ones for others. */
export function sessionTokenOperations(needs: StsNeeds) {
  const { iam, sessions } = needs;
  const mfa = createMfaCheck(iam);
  return {
    GetSessionToken: {
      // AWS: it needs no permission, and none can be taken away.
      authorize: () => [],
      run: async (input, call) => {
        if (input.MinimumSessionTokenSize !== undefined) {
          throw notImplemented("The parameter MinimumSessionTokenSize of GetSessionToken");
        }
        if (call.principal.type === "anonymous") throw missingAuthentication("query");
        const principal = longTerm(call.principal, "GetSessionToken");
        const mfaAt = await mfa.check(input, call);
        const asked = input.DurationSeconds ?? stsLimits.sessionTokenSecondsDefault;
        const session: SessionPrincipal = { ...principal, ...(mfaAt !== undefined && { mfaAt }) };
        return { Credentials: issue(sessions, session, call.now, ofRoot(principal.type, asked)).credentials };
      },
    },
    GetFederationToken: {
      authorize: (input, call) => {
        if (input.MinimumSessionTokenSize !== undefined) {
          throw notImplemented("The parameter MinimumSessionTokenSize of GetFederationToken");
        }
        if (call.principal.type === "anonymous") throw missingAuthentication("query");
        longTerm(call.principal, "GetFederationToken");
        const resource = federatedUserArn(call.account, present(input.Name));
        const tags = toSessionTags(input.Tags);
        const context = sessionTagContext(tags, []);
        return [
          { action: "sts:GetFederationToken", resource, context },
          ...(Object.keys(tags).length > 0 ? [{ action: "sts:TagSession", resource, context }] : []),
        ];
      },
      run: (input, call) => {
        const caller = longTerm(call.principal, "GetFederationToken");
        const name = present(input.Name);
        const sessionPolicies = checkSessionPolicies(caller.account, input);
        const principal: SessionPrincipal = {
          type: "federatedUser",
          account: caller.account,
          arn: federatedUserArn(caller.account, name),
          name,
          issuer:
            caller.type === "root"
              ? { type: "root", arn: caller.arn }
              : { type: "user", arn: caller.arn, userId: caller.userId, userName: caller.userName },
          accessKeyId: "",
          sessionPolicies,
          sessionTags: toSessionTags(input.Tags),
        };
        const asked = input.DurationSeconds ?? stsLimits.sessionTokenSecondsDefault;
        const { credentials, percent } = issue(sessions, principal, call.now, ofRoot(caller.type, asked));
        return {
          Credentials: credentials,
          FederatedUser: { FederatedUserId: `${caller.account}:${name}`, Arn: principal.arn },
          PackedPolicySize: percent,
        };
      },
    },
  } satisfies StsOperations;
}

function federatedUserArn(account: string, name: string): string {
  return `arn:aws:sts::${account}:federated-user/${name}`;
}

/** AWS: the root's sessions last an hour at the most, whatever was asked. */
function ofRoot(type: "root" | "user", seconds: number): number {
  return type === "root" ? Math.min(seconds, stsLimits.sessionTokenSecondsMaxOfRoot) : seconds;
}
