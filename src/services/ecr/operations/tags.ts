import { parseArn } from "../../../aws/arn.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { invalidParameter } from "../errors.ts";
import { writeRepository, type Place } from "../model.ts";
import type { EcrNeeds, Sdk } from "../needs.ts";
import { existingRepository, onRepository } from "../repositories.ts";
import { checkTags, toTags } from "../tags.ts";

export function tagOperations({ store }: EcrNeeds) {
  const on = async (action: string, arn: string | undefined, call: Call) => {
    const { place, name } = parseRepositoryArn(arn, call);
    return [await onRepository(store, action, place, name)];
  };
  const change = async (
    arn: string | undefined,
    call: Call,
    body: (tags: Readonly<Record<string, string>>) => Record<string, string>,
  ) => {
    const { place, name } = parseRepositoryArn(arn, call);
    await store.transact(async (tx) => {
      const repository = await existingRepository(tx, place, name);
      const tags = body(repository.tags);
      checkTags(tags);
      writeRepository(tx, place, { ...repository, tags });
    });
    return {};
  };
  return {
    TagResource: {
      authorize: (input, call) => on("TagResource", input.resourceArn, call),
      run: (input, call) => change(input.resourceArn, call, (tags) => ({ ...tags, ...toTags(input.tags) })),
    },

    UntagResource: {
      authorize: (input, call) => on("UntagResource", input.resourceArn, call),
      run: (input, call) => {
        const gone = new Set(input.tagKeys);
        return change(input.resourceArn, call, (tags) =>
          Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))),
        );
      },
    },

    ListTagsForResource: {
      authorize: (input, call) => on("ListTagsForResource", input.resourceArn, call),
      async run(input, call) {
        const { place, name } = parseRepositoryArn(input.resourceArn, call);
        const { tags } = await store.read((reader) => existingRepository(reader, place, name));
        return { tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function parseRepositoryArn(text: string | undefined, call: Call): { readonly place: Place; readonly name: string } {
  const arn = parseArn(text ?? "");
  if (arn?.service !== "ecr" || !arn.resource.startsWith("repository/") || arn.region !== call.region) {
    throw invalidParameter(`Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'`);
  }
  return { place: { account: arn.account, region: arn.region }, name: arn.resource.slice("repository/".length) };
}
