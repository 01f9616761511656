import { parseArn } from "../../../aws/arn.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { invalidParameter } from "../errors.ts";
import { writePool } from "../model.ts";
import type { CognitoIdentityNeeds, Sdk } from "../needs.ts";
import { existingPool, onPool, requestTags } from "../pools.ts";
import { checkTags } from "../tags.ts";

type Tags = Readonly<Record<string, string>>;

export function tagOperations({ store }: CognitoIdentityNeeds) {
  const change = (arn: string | undefined, call: Call, body: (tags: Tags) => Tags) =>
    store.transact(async (tx) => {
      const pool = await existingPool(tx, call, toPoolId(arn, call));
      const tags = body(pool.tags);
      checkTags(tags);
      writePool(tx, { ...pool, tags });
      return {};
    });
  return {
    TagResource: {
      authorize: (input, call) => onPool(store, call, toPoolId(input.ResourceArn, call), requestTags(input.Tags)),
      run: (input, call) => change(input.ResourceArn, call, (tags) => ({ ...tags, ...input.Tags })),
    },
    UntagResource: {
      authorize: (input, call) =>
        onPool(store, call, toPoolId(input.ResourceArn, call), { "aws:TagKeys": input.TagKeys ?? [] }),
      run: (input, call) => {
        const gone = new Set(input.TagKeys);
        return change(input.ResourceArn, call, (tags) =>
          Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))),
        );
      },
    },
    ListTagsForResource: {
      authorize: (input, call) => onPool(store, call, toPoolId(input.ResourceArn, call)),
      async run(input, call) {
        const poolId = toPoolId(input.ResourceArn, call);
        const { tags } = await store.read((reader) => existingPool(reader, call, poolId));
        return { Tags: { ...tags } };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function toPoolId(text: string | undefined, call: Call): string {
  const arn = parseArn(text ?? "");
  const poolId = /^identitypool\/(\S+)$/.exec(arn?.resource ?? "")?.[1];
  if (arn?.service !== "cognito-identity" || poolId === undefined || arn.account !== call.account) {
    throw invalidParameter(`Invalid resource ARN: ${text ?? "null"}`);
  }
  return poolId;
}
