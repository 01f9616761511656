import { missingAuthentication } from "../../../access/errors.ts";
import { parseArn } from "../../../aws/arn.ts";
import { notImplemented } from "../../../aws/error.ts";
import type { Principal } from "../../../aws/principal.ts";
import type { Call, InputOf } from "../../../wire/service.ts";
import { isTemporary, issue } from "../credentials.ts";
import { accessDenied, validationError } from "../errors.ts";
import { stsLimits } from "../limits.ts";
import { createMfaCheck, mfaContext } from "../mfa.ts";
import { present, type Sdk, type StsNeeds, type StsOperations } from "../needs.ts";
import { checkDuration, toAssumedRole, toTrustRequests } from "../role-sessions.ts";
import { checkSessionPolicies } from "../session-policies.ts";
import { inheritedTags, joinTags, toSessionTags } from "../session-tags.ts";

type Input = InputOf<Sdk, "AssumeRole">;

/** AssumeRole: the role's trust policy decides, and the caller's own policies where it leaves that to the account. */
export function assumeRoleOperations(needs: StsNeeds) {
  const { iam, sessions } = needs;
  const mfa = createMfaCheck(iam);
  return {
    AssumeRole: {
      authorize: async (input, call) => {
        for (const name of ["ProvidedContexts", "MinimumSessionTokenSize"] as const) {
          if (input[name] !== undefined) throw notImplemented(`The parameter ${name} of AssumeRole`);
        }
        const { principal } = call;
        // AWS: the root is nobody's to trust a role with.
        if (principal.type === "root") throw accessDenied("Roles may not be assumed by root accounts.");
        if (principal.type === "anonymous") throw missingAuthentication("query");
        if (principal.type === "federatedUser")
          throw accessDenied("Cannot call AssumeRole with federated user credentials");
        const inherited = inheritedTags(principal);
        const tags = toSessionTags(input.Tags);
        joinTags(tags, input.TransitiveTagKeys ?? [], inherited);
        const mfaAt = await mfa.check(input, call);
        const requests = toTrustRequests(
          {
            action: "sts:AssumeRole",
            roleArn: present(input.RoleArn),
            sessionName: present(input.RoleSessionName),
            tags,
            transitive: input.TransitiveTagKeys ?? [],
            isTagged: Object.keys({ ...inherited, ...tags }).length > 0,
            sourceIdentity: sourceIdentityOf(input, principal),
            context: {
              ...mfaContext(mfaAt, call.now),
              ...(input.ExternalId !== undefined && { "sts:ExternalId": [input.ExternalId] }),
            },
          },
          await iam.findRole(present(input.RoleArn)),
        );
        return requests;
      },
      run: async (input, call) => {
        const role = await iam.findRole(present(input.RoleArn));
        if (!role) throw validationError(`The role ${input.RoleArn} was deleted while it was assumed.`);
        const asked = input.DurationSeconds ?? stsLimits.assumeRoleSecondsDefault;
        if (call.principal.type === "assumedRole" && asked > stsLimits.chainedSecondsMax) {
          throw validationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
          );
        }
        const seconds = checkDuration(asked, role);
        const account = parseArn(role.roleArn)?.account ?? "";
        const sessionPolicies = checkSessionPolicies(account, input);
        const sourceIdentity = sourceIdentityOf(input, call.principal);
        const mfaAt = mfa.shownAt(call);
        const principal = toAssumedRole(role, present(input.RoleSessionName), {
          sessionPolicies,
          ...joinTags(toSessionTags(input.Tags), input.TransitiveTagKeys ?? [], inheritedTags(call.principal)),
          ...(sourceIdentity !== undefined && { sourceIdentity }),
          ...(mfaAt !== undefined && { mfaAt }),
        });
        const { credentials, percent } = issue(sessions, principal, call.now, seconds);
        const narrowed = sessionPolicies.length > 0 || Object.keys(principal.sessionTags).length > 0;
        return {
          Credentials: credentials,
          AssumedRoleUser: { AssumedRoleId: `${role.roleId}:${principal.sessionName}`, Arn: principal.arn },
          ...(narrowed && { PackedPolicySize: percent }),
          ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
        };
      },
    },
  } satisfies StsOperations;
}

/** Set once: roles that are assumed from a session keep its source identity. */
function sourceIdentityOf(input: Pick<Input, "SourceIdentity" | "RoleArn">, principal: Principal): string | undefined {
  const before = principal.type === "assumedRole" ? principal.sourceIdentity : undefined;
  const asked = input.SourceIdentity;
  if (asked === undefined || before === undefined || asked === before) return asked ?? before;
  throw accessDenied(
    `User: ${"arn" in principal ? principal.arn : ""} is not authorized to perform: sts:SetSourceIdentity on resource: ${input.RoleArn}`,
  );
}

/** AWS: sessions of GetSessionToken may call nothing else of STS. */
export function refuseSessions(call: Call): void {
  const { principal } = call;
  if (principal.type === "anonymous") throw missingAuthentication("query");
  const isOwnSession = (principal.type === "user" || principal.type === "root") && isTemporary(principal);
  if (isOwnSession || principal.type === "federatedUser") {
    throw accessDenied(`Cannot call ${call.operation} with session credentials`);
  }
}
