import type { ConditionKeys } from "../access/further-keys.ts";
import type { OperationModel } from "./model.ts";

/** How services call the member that carries tags, or the keys of tags to be taken off. */
const names = ["Tags", "tags", "UserPoolTags", "IdentityPoolTags", "TagKeys", "tagKeys"];

/** The members of an operation's input that carry tags: AWS tells policies of them, whatever the service. */
export function tagMembersOf({ input }: OperationModel): readonly string[] {
  return names.filter((name) => input?.memberByName.has(name));
}

/** `aws:RequestTag/KEY` and `aws:TagKeys` of tags as services write them: a map, a list of keys and values, a list of keys. */
export function requestTagKeys(given: unknown): ConditionKeys {
  const tags = toEntries(given);
  if (tags.length === 0) return {};
  return {
    "aws:TagKeys": tags.map(([key]) => key),
    ...Object.fromEntries(
      tags.flatMap(([key, value]) => (value === undefined ? [] : [[`aws:RequestTag/${key}`, [value]]])),
    ),
  };
}

type Entry = readonly [key: string, value: string | undefined];

function toEntries(given: unknown): readonly Entry[] {
  if (typeof given !== "object" || given === null) return [];
  if (!Array.isArray(given)) return Object.entries(given).map(([key, value]) => [key, String(value)]);
  return given.flatMap((item: unknown): readonly Entry[] => {
    if (typeof item === "string") return [[item, undefined]];
    const members = new Map<string, unknown>(typeof item === "object" && item !== null ? Object.entries(item) : []);
    const key = members.get("Key") ?? members.get("key");
    const value = members.get("Value") ?? members.get("value");
    return typeof key === "string" ? [[key, typeof value === "string" ? value : ""]] : [];
  });
}
