import type * as sdk from "@aws-sdk/client-cognito-identity";
import type { ConditionKeys } from "../../access/further-keys.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { ConditionKeysOf } from "../../wire/service.ts";
import { poolArn, readIdentity, readPool } from "./model.ts";

/** The pools of the identities that a request names. Source: Service Authorization Reference, Amazon Cognito Identity. */
export function cognitoIdentityConditionKeys(store: Store): ConditionKeysOf<typeof sdk> {
  const ofIdentities = (identityIds: readonly (string | undefined)[]): Promise<ConditionKeys> =>
    store.read(async (reader) => {
      const arns = new Set<string>();
      for (const id of identityIds) {
        const identity = id === undefined ? undefined : await readIdentity(reader, id);
        const pool = identity && (await readPool(reader, identity.poolId));
        if (pool) arns.add(poolArn(pool, pool.id));
      }
      return arns.size > 0 ? { "cognito-identity:IdentityPoolArn": [...arns] } : {};
    });
  return {
    DescribeIdentity: (input) => ofIdentities([input.IdentityId]),
    DeleteIdentities: (input) => ofIdentities(input.IdentityIdsToDelete ?? []),
  };
}
