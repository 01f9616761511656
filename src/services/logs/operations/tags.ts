import type { Transaction } from "../../../kernel/store/store.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { groupArn, writeGroup, type Place } from "../model.ts";
import { nameInArn, present } from "../rules.ts";
import { checkTags } from "../tags.ts";
import { existingGroup, onGroup, type OperationNeeds, type Sdk } from "./needs.ts";

export function tagOperations({ store }: OperationNeeds) {
  return {
    TagResource: {
      authorize: (input, call) =>
        onGroup("TagResource", nameInArn(present(input.resourceArn, "resourceArn"), call), call),
      async run(input, call) {
        const name = nameInArn(present(input.resourceArn, "resourceArn"), call);
        await store.transact((tx) => addTags(tx, call, name, present(input.tags, "tags")));
        return {};
      },
    },
    UntagResource: {
      authorize: (input, call) =>
        onGroup("UntagResource", nameInArn(present(input.resourceArn, "resourceArn"), call), call),
      async run(input, call) {
        const name = nameInArn(present(input.resourceArn, "resourceArn"), call);
        await store.transact((tx) => removeTags(tx, call, name, present(input.tagKeys, "tagKeys")));
        return {};
      },
    },
    ListTagsForResource: {
      authorize: (input, call) =>
        onGroup("ListTagsForResource", nameInArn(present(input.resourceArn, "resourceArn"), call), call),
      async run(input, call) {
        const name = nameInArn(present(input.resourceArn, "resourceArn"), call);
        const group = await store.read((reader) => existingGroup(reader, call, name));
        return { tags: { ...group.tags } };
      },
    },
    TagLogGroup: {
      authorize: (input, call) => onGroup("TagLogGroup", present(input.logGroupName, "logGroupName"), call),
      async run(input, call) {
        const name = present(input.logGroupName, "logGroupName");
        await store.transact((tx) => addTags(tx, call, name, present(input.tags, "tags")));
        return {};
      },
    },
    UntagLogGroup: {
      authorize: (input, call) => onGroup("UntagLogGroup", present(input.logGroupName, "logGroupName"), call),
      async run(input, call) {
        const name = present(input.logGroupName, "logGroupName");
        await store.transact((tx) => removeTags(tx, call, name, present(input.tags, "tags")));
        return {};
      },
    },
    ListTagsLogGroup: {
      authorize: (input, call) => onGroup("ListTagsLogGroup", present(input.logGroupName, "logGroupName"), call),
      async run(input, call) {
        const name = present(input.logGroupName, "logGroupName");
        const group = await store.read((reader) => existingGroup(reader, call, name));
        return { tags: { ...group.tags } };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

async function addTags(tx: Transaction, place: Place, name: string, added: Readonly<Record<string, string>>) {
  const group = await existingGroup(tx, place, name);
  const tags = { ...group.tags, ...added };
  checkTags(groupArn(place, name), tags);
  writeGroup(tx, place, { ...group, tags });
}

async function removeTags(tx: Transaction, place: Place, name: string, keys: readonly string[]) {
  const group = await existingGroup(tx, place, name);
  const tags = Object.fromEntries(Object.entries(group.tags).filter(([key]) => !keys.includes(key)));
  writeGroup(tx, place, { ...group, tags });
}
