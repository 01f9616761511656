import type { Principal } from "../aws/principal.ts";

/** Who called, as `requestContext.identity` tells it; all null unless the method is authorized by IAM. */
export interface EventIdentity {
  readonly accessKey: string | null;
  readonly accountId: string | null;
  readonly caller: string | null;
  readonly user: string | null;
  readonly userArn: string | null;
}

export const unknownIdentity: EventIdentity = {
  accessKey: null,
  accountId: null,
  caller: null,
  user: null,
  userArn: null,
};

/** `requestContext.authorizer` of a request authorized by IAM. */
export function iamAuthorizer(caller: Principal): string {
  const { accessKey, accountId, caller: callerId, user, userArn } = identityOf(caller);
  return JSON.stringify({
    iam: { accessKey, accountId, callerId, cognitoIdentity: null, principalOrgId: null, userArn, userId: user },
  });
}

/** A caller as events tell it. */
export function identityOf(caller: Principal): EventIdentity {
  if (!("account" in caller)) return unknownIdentity;
  const id = callerId(caller);
  return { accessKey: caller.accessKeyId, accountId: caller.account, caller: id, user: id, userArn: caller.arn };
}

function callerId(caller: Extract<Principal, { readonly account: string }>): string {
  switch (caller.type) {
    case "root":
      return caller.account;
    case "user":
      return caller.userId;
    case "assumedRole":
      return `${caller.roleId}:${caller.sessionName}`;
    case "federatedUser":
      return `${caller.account}:${caller.name}`;
    default:
      return caller satisfies never;
  }
}
