import type { Principal } from "../../aws/principal.ts";

/** Who called, as events tell it. Source: "CloudTrail userIdentity element". */
export function toUserIdentity(principal: Principal, invokedBy: string | undefined): Readonly<Record<string, unknown>> {
  return { ...identityOf(principal), ...(invokedBy !== undefined && { invokedBy }) };
}

function identityOf(principal: Principal): Readonly<Record<string, unknown>> {
  switch (principal.type) {
    case "root":
      return {
        type: "Root",
        principalId: principal.account,
        arn: principal.arn,
        accountId: principal.account,
        accessKeyId: principal.accessKeyId,
        ...session(principal, {}),
      };
    case "user":
      return {
        type: "IAMUser",
        principalId: principal.userId,
        arn: principal.arn,
        accountId: principal.account,
        accessKeyId: principal.accessKeyId,
        userName: principal.userName,
        ...session(principal, {}),
      };
    case "assumedRole":
      return {
        type: "AssumedRole",
        principalId: `${principal.roleId}:${principal.sessionName}`,
        arn: principal.arn,
        accountId: principal.account,
        accessKeyId: principal.accessKeyId,
        ...session(principal, {
          sessionIssuer: {
            type: "Role",
            principalId: principal.roleId,
            arn: principal.roleArn,
            accountId: principal.account,
            userName: lastPart(principal.roleArn),
          },
          ...(principal.webIdentity && {
            webIdFederationData: { federatedProvider: principal.webIdentity.provider, attributes: {} },
          }),
          ...(principal.sourceIdentity !== undefined && { sourceIdentity: principal.sourceIdentity }),
        }),
      };
    case "federatedUser":
      return {
        type: "FederatedUser",
        principalId: `${principal.account}:${principal.name}`,
        arn: principal.arn,
        accountId: principal.account,
        accessKeyId: principal.accessKeyId,
        ...session(principal, {
          sessionIssuer:
            principal.issuer.type === "root"
              ? {
                  type: "Root",
                  principalId: principal.account,
                  arn: principal.issuer.arn,
                  accountId: principal.account,
                }
              : {
                  type: "IAMUser",
                  principalId: principal.issuer.userId,
                  arn: principal.issuer.arn,
                  accountId: principal.account,
                  userName: principal.issuer.userName,
                },
        }),
      };
    case "service":
      return { type: "AWSService", invokedBy: principal.service };
    case "webIdentity":
      return { type: "WebIdentityUser", identityProvider: principal.provider };
    case "anonymous":
      return { type: "Unknown" };
    default:
      return principal satisfies never;
  }
}

function session(
  principal: { readonly tokenIssuedAt?: number; readonly mfaAt?: number },
  more: Readonly<Record<string, unknown>>,
) {
  if (principal.tokenIssuedAt === undefined) return {};
  const creationDate = `${new Date(principal.tokenIssuedAt).toISOString().slice(0, 19)}Z`;
  const attributes = { creationDate, mfaAuthenticated: String(principal.mfaAt !== undefined) };
  return { sessionContext: { ...more, attributes } };
}

/** The name that events are looked up by. */
export function userNameOf(principal: Principal): string | undefined {
  switch (principal.type) {
    case "root":
      return "root";
    case "user":
      return principal.userName;
    case "assumedRole":
      return principal.sessionName;
    case "federatedUser":
      return principal.name;
    default:
      return undefined;
  }
}

function lastPart(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}
