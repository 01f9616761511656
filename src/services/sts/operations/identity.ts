import { missingAuthentication } from "../../../access/errors.ts";
import type { Call } from "../../../wire/service.ts";
import { invalidAuthorizationMessage, validationError } from "../errors.ts";
import { present, type StsNeeds, type StsOperations } from "../needs.ts";
import { refuseSessions } from "./assume-role.ts";

/** Who a key is of, and what a message says. */
export function identityOperations({ iam, findRootAccount }: StsNeeds) {
  return {
    GetCallerIdentity: {
      // AWS: no policy can deny it.
      authorize: () => [],
      run: (_input, call) => toIdentity(call.principal),
    },
    GetAccessKeyInfo: {
      authorize: (_input, call) => {
        refuseSessions(call);
        return [{ action: "sts:GetAccessKeyInfo", resource: "*" }];
      },
      async run(input, call) {
        const accessKeyId = present(input.AccessKeyId);
        const { principal } = call;
        const isOwn = "accessKeyId" in principal && principal.accessKeyId === accessKeyId;
        const account =
          findRootAccount(accessKeyId) ??
          (await iam.findKeyAccount(accessKeyId)) ??
          (isOwn && "account" in principal ? principal.account : undefined);
        if (account === undefined) throw validationError(`The access key ${accessKeyId} is not of an account here.`);
        return { Account: account };
      },
    },
    DecodeAuthorizationMessage: {
      authorize: (_input, call) => {
        refuseSessions(call);
        return [{ action: "sts:DecodeAuthorizationMessage", resource: "*" }];
      },
      // None of the services here encodes its denials, on AWS or here: whatever is asked about is no such message.
      run: () => {
        throw invalidAuthorizationMessage();
      },
    },
  } satisfies StsOperations;
}

function toIdentity(principal: Call["principal"]) {
  switch (principal.type) {
    case "root":
      return { UserId: principal.account, Account: principal.account, Arn: principal.arn };
    case "user":
      return { UserId: principal.userId, Account: principal.account, Arn: principal.arn };
    case "assumedRole":
      return {
        UserId: `${principal.roleId}:${principal.sessionName}`,
        Account: principal.account,
        Arn: principal.arn,
      };
    case "federatedUser":
      return { UserId: `${principal.account}:${principal.name}`, Account: principal.account, Arn: principal.arn };
    case "webIdentity":
    case "service":
    case "anonymous":
      throw missingAuthentication("query");
    default:
      return principal satisfies never;
  }
}
