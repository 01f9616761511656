import { toArn } from "../../../aws/arn.ts";
import type { AuthorizationRequest } from "../../../access/authorization.ts";
import type { Call } from "../../../wire/service.ts";
import type { Cognito } from "../core.ts";
import { readPool } from "../model.ts";

/** The question for an operation on a pool: `cognito-idp:{operation}` on the pool's ARN, whose tags are asked about too. */
export function onPool({ store }: Pick<Cognito, "store">) {
  return async (
    input: { readonly UserPoolId?: string | undefined },
    call: Call,
  ): Promise<readonly AuthorizationRequest[]> => [await poolQuestion(store, input.UserPoolId ?? "", call)];
}

export async function poolQuestion(store: Cognito["store"], poolId: string, call: Call): Promise<AuthorizationRequest> {
  const pool = await store.read((reader) => readPool(reader, poolId));
  const tags = pool?.account === call.account ? pool.tags : {};
  return {
    action: `cognito-idp:${call.operation}`,
    resource: toArn("cognito-idp", call.region, call.account, `userpool/${poolId}`),
    context: Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, [value]])),
  };
}

/** For operations that are about no pool. */
export function onAll(_input: unknown, call: Call): readonly AuthorizationRequest[] {
  return [{ action: `cognito-idp:${call.operation}`, resource: "*" }];
}

/** Operations that are authorized by what the request brings: a token, a session, a password. */
export function unsigned(): readonly AuthorizationRequest[] {
  return [];
}
