import { parseArn } from "../../../aws/arn.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { type Cognito, existingPool, existingPoolIn } from "../core.ts";
import { invalidParameter } from "../errors.ts";
import { writePool } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { checkTags } from "../tags.ts";
import { poolQuestion } from "./access.ts";

export function tagOperations(cognito: Cognito) {
  const { store } = cognito;
  const authorize = async (input: { readonly ResourceArn: string | undefined }, call: Call) => [
    await poolQuestion(store, poolIdOf(input.ResourceArn), call),
  ];
  return {
    ListTagsForResource: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, poolIdOf(input.ResourceArn), call);
        return { Tags: { ...pool.tags } };
      },
    },
    TagResource: {
      authorize,
      async run(input, call) {
        const found = await existingPool(cognito, poolIdOf(input.ResourceArn), call);
        await store.transact(async (tx) => {
          const pool = await existingPoolIn(tx, found.id);
          const tags = { ...pool.tags, ...input.Tags };
          checkTags(tags);
          writePool(tx, { ...pool, tags });
        });
        return {};
      },
    },
    UntagResource: {
      authorize,
      async run(input, call) {
        const found = await existingPool(cognito, poolIdOf(input.ResourceArn), call);
        await store.transact(async (tx) => {
          const pool = await existingPoolIn(tx, found.id);
          const gone = new Set(input.TagKeys);
          writePool(tx, {
            ...pool,
            tags: Object.fromEntries(Object.entries(pool.tags).filter(([key]) => !gone.has(key))),
          });
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function poolIdOf(arn: string | undefined): string {
  const parsed = parseArn(arn ?? "");
  const id = /^userpool\/([\w-]+)$/.exec(parsed?.resource ?? "")?.[1];
  if (parsed?.service !== "cognito-idp" || id === undefined) throw invalidParameter(`Invalid ARN: ${arn}`);
  return id;
}
