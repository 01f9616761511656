import type * as sdk from "@aws-sdk/client-api-gateway";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest } from "../errors.ts";
import { accountKey } from "../model.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

interface AccountRecord {
  readonly cloudwatchRoleArn?: string;
}

export function accountOperations(needs: ApiGatewayNeeds) {
  return {
    GetAccount: {
      authorize: (_input, call) => may("GET", call, "/account"),
      run: (_input, call) =>
        needs.store.read(async (reader) => describe(needs, (await reader.get<AccountRecord>(accountKey(call))) ?? {})),
    },
    UpdateAccount: {
      authorize: (_input, call) => may("PATCH", call, "/account"),
      run: async (input, call) =>
        needs.store.transact(async (tx) => {
          const before = (await tx.get<AccountRecord>(accountKey(call))) ?? {};
          const next = applyPatch(before, input.patchOperations, patches, ["/cloudwatchRoleArn"]);
          tx.set(accountKey(call), next);
          return describe(needs, next);
        }),
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<AccountRecord> = [
  {
    path: /^\/cloudwatchRoleArn$/,
    apply: {
      add: (_account, value) => ({ cloudwatchRoleArn: checkRole(value) }),
      replace: (_account, value) => (value === "" ? {} : { cloudwatchRoleArn: checkRole(value) }),
      remove: () => ({}),
    },
  },
];

function checkRole(arn: string): string {
  if (/^arn:[\w-]+:iam::\d{12}:role\/.+$/.test(arn)) return arn;
  throw badRequest(
    "The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and add the required role policy.",
  );
}

function describe({ usage: { accountRate } }: ApiGatewayNeeds, account: AccountRecord) {
  return {
    ...(account.cloudwatchRoleArn === undefined ? {} : { cloudwatchRoleArn: account.cloudwatchRoleArn }),
    ...(accountRate === undefined ? {} : { throttleSettings: { ...accountRate } }),
    features: ["UsagePlans"],
    apiKeyVersion: "4",
  };
}
