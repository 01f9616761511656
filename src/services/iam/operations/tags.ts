import type { Call } from "../../../wire/service.ts";
import { limitExceeded, policyNotFound } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import { readPolicy, writeEntity, writePolicy } from "../model.ts";
import {
  mergeTags,
  parseTags,
  present,
  requestTagContext,
  toPage,
  toTagList,
  withoutTags,
  type TagInput,
} from "../rules.ts";
import { change, existing, onEntity, type IamOperations, type OperationNeeds } from "./needs.ts";
import { existingOwnPolicy, onPolicy } from "./policies.ts";

/** Tags of roles, users and customers' managed policies. */
export function tagOperations(needs: OperationNeeds) {
  const { store } = needs;
  return {
    TagRole: {
      authorize: (input, call) => onEntity(store, call, "role", present(input.RoleName), tagContext(input.Tags)),
      run: (input, call) => tag(needs, call, "role", input.RoleName, input.Tags),
    },
    TagUser: {
      authorize: (input, call) => onEntity(store, call, "user", present(input.UserName), tagContext(input.Tags)),
      run: (input, call) => tag(needs, call, "user", input.UserName, input.Tags),
    },
    TagPolicy: {
      authorize: (input, call) => onPolicy(store, call, present(input.PolicyArn), tagContext(input.Tags)),
      run: (input, call) =>
        change(store, async (tx) => {
          const policy = await existingOwnPolicy(tx, call, present(input.PolicyArn));
          writePolicy(tx, call.account, { ...policy, tags: addTags(policy.tags, input.Tags) });
        }),
    },
    UntagRole: {
      authorize: (input, call) => onEntity(store, call, "role", present(input.RoleName), keyContext(input.TagKeys)),
      run: (input, call) => untag(needs, call, "role", input.RoleName, input.TagKeys),
    },
    UntagUser: {
      authorize: (input, call) => onEntity(store, call, "user", present(input.UserName), keyContext(input.TagKeys)),
      run: (input, call) => untag(needs, call, "user", input.UserName, input.TagKeys),
    },
    UntagPolicy: {
      authorize: (input, call) => onPolicy(store, call, present(input.PolicyArn), keyContext(input.TagKeys)),
      run: (input, call) =>
        change(store, async (tx) => {
          const policy = await existingOwnPolicy(tx, call, present(input.PolicyArn));
          writePolicy(tx, call.account, { ...policy, tags: withoutTags(policy.tags, input.TagKeys ?? []) });
        }),
    },
    ListRoleTags: {
      authorize: (input, call) => onEntity(store, call, "role", present(input.RoleName)),
      async run(input, call) {
        const role = await store.read((reader) => existing(reader, call, "role", present(input.RoleName)));
        return toTagPage(role.tags, input);
      },
    },
    ListUserTags: {
      authorize: (input, call) => onEntity(store, call, "user", present(input.UserName)),
      async run(input, call) {
        const user = await store.read((reader) => existing(reader, call, "user", present(input.UserName)));
        return toTagPage(user.tags, input);
      },
    },
    ListPolicyTags: {
      authorize: (input, call) => onPolicy(store, call, present(input.PolicyArn)),
      async run(input, call) {
        const arn = present(input.PolicyArn);
        const policy = await store.read((reader) => readPolicy(reader, call.account, arn));
        if (!policy) throw policyNotFound(arn);
        return toTagPage(policy.tags, input);
      },
    },
  } satisfies IamOperations;
}

function tag(
  { store }: OperationNeeds,
  call: Call,
  kind: "role" | "user",
  name: string | undefined,
  tags: readonly TagInput[] | undefined,
) {
  return change(store, async (tx) => {
    const entity = await existing(tx, call, kind, present(name));
    writeEntity(tx, call.account, { ...entity, tags: addTags(entity.tags, tags) });
  });
}

function untag(
  { store }: OperationNeeds,
  call: Call,
  kind: "role" | "user",
  name: string | undefined,
  keys: readonly string[] | undefined,
) {
  return change(store, async (tx) => {
    const entity = await existing(tx, call, kind, present(name));
    writeEntity(tx, call.account, { ...entity, tags: withoutTags(entity.tags, keys ?? []) });
  });
}

/** Tags of a resource with those of a request; throws where there are too many. */
export function addTags(
  tags: Readonly<Record<string, string>>,
  input: readonly TagInput[] | undefined,
): Record<string, string> {
  const merged = mergeTags(tags, parseTags(input));
  if (Object.keys(merged).length > iamLimits.tagsMax) {
    throw limitExceeded(`The number of tags has reached the maximum limit.`);
  }
  return merged;
}

export function tagContext(tags: readonly TagInput[] | undefined) {
  return requestTagContext(parseTags(tags));
}

export function keyContext(keys: readonly string[] | undefined): Record<string, readonly string[]> {
  return keys?.length ? { "aws:TagKeys": keys } : {};
}

export function toTagPage(tags: Readonly<Record<string, string>>, input: Parameters<typeof toPage>[2]) {
  const { items, rest } = toPage(toTagList(tags), ({ Key }) => Key, input);
  return { Tags: items, ...rest };
}
