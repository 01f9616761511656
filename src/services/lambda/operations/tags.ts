import type { Call, OperationsOf } from "../../../wire/service.ts";
import { notImplemented } from "../../../aws/error.ts";
import { invalidParameter } from "../errors.ts";
import { writeFunction } from "../model.ts";
import { parseFunctionName, type FunctionReference } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { present } from "../present.ts";
import { checkTags } from "../settings.ts";
import { existingFunction } from "../versions.ts";

export function tagOperations({ store, functions }: OperationNeeds) {
  const change = async (
    reference: FunctionReference,
    edit: (tags: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ) => {
    await store.transact(async (tx) => {
      const record = await existingFunction(tx, reference);
      const tags = edit(record.tags);
      checkTags(tags);
      writeFunction(tx, reference, { ...record, tags });
    });
    return {};
  };

  return {
    TagResource: {
      authorize: (input, call) => onFunction(functions, "TagResource", refer(input.Resource, call).name, call),
      run: (input, call) =>
        change(refer(input.Resource, call), (tags) => ({ ...tags, ...present(input.Tags, "Tags") })),
    },
    UntagResource: {
      authorize: (input, call) => onFunction(functions, "UntagResource", refer(input.Resource, call).name, call),
      run: (input, call) =>
        change(refer(input.Resource, call), (tags) => {
          const gone = present(input.TagKeys, "TagKeys");
          return Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.includes(key)));
        }),
    },
    ListTags: {
      authorize: (input, call) => onFunction(functions, "ListTags", refer(input.Resource, call).name, call),
      async run(input, call) {
        const record = await store.read((reader) => existingFunction(reader, refer(input.Resource, call)));
        return { Tags: { ...record.tags } };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function refer(arn: string | undefined, call: Call): FunctionReference {
  if (!arn?.includes(":function:")) throw notImplemented(`Tags on ${arn}`);
  const reference = parseFunctionName(arn, call);
  if (reference.qualifier !== undefined) {
    throw invalidParameter("Tags on function aliases and versions are not supported. Please specify a function ARN.");
  }
  return reference;
}
