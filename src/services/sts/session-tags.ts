import type { Principal } from "../../aws/principal.ts";
import { validationError } from "./errors.ts";
import { stsLimits } from "./limits.ts";
import { present } from "./needs.ts";

type Tags = Readonly<Record<string, string>>;

/** Tags of a request. Keys are unique without regard to case. */
export function toSessionTags(
  list: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined,
): Tags {
  const tags = (list ?? []).map(({ Key, Value }) => [present(Key), Value ?? ""] as const);
  if (tags.length > stsLimits.sessionTagsMax) {
    throw validationError(`A session takes up to ${stsLimits.sessionTagsMax} tags.`);
  }
  if (new Set(tags.map(([key]) => key.toLowerCase())).size < tags.length) {
    throw validationError("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  }
  // Not by assignment, which loses the key `__proto__`.
  return Object.fromEntries(tags);
}

/** The transitive tags of the session that asks: they stay with every role that is assumed from it. */
export function inheritedTags(principal: Principal): Tags {
  if (principal.type !== "assumedRole") return {};
  const keys = new Set(principal.transitiveTagKeys);
  return Object.fromEntries(Object.entries(principal.sessionTags).filter(([key]) => keys.has(key)));
}

/** What a session's tags are, and which of them go on. Source: "Chaining roles with session tags". */
export function joinTags(tags: Tags, transitive: readonly string[], inherited: Tags) {
  const given = new Set(Object.keys(tags).map((key) => key.toLowerCase()));
  for (const key of transitive) {
    if (!given.has(key.toLowerCase())) {
      throw validationError("The specified transitive tag key must be included in the requested tags.");
    }
  }
  for (const key of Object.keys(inherited)) {
    if (given.has(key.toLowerCase())) {
      throw validationError(
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
      );
    }
  }
  const wanted = new Set(transitive.map((key) => key.toLowerCase()));
  const transitiveTagKeys = [
    ...Object.keys(inherited),
    ...Object.keys(tags).filter((key) => wanted.has(key.toLowerCase())),
  ];
  return { sessionTags: { ...inherited, ...tags }, transitiveTagKeys };
}

/** Condition keys of a request that carries tags. */
export function sessionTagContext(tags: Tags, transitive: readonly string[]): Record<string, readonly string[]> {
  const keys = Object.keys(tags);
  const context: Record<string, readonly string[]> = {};
  if (keys.length > 0) context["aws:TagKeys"] = keys;
  if (transitive.length > 0) context["sts:TransitiveTagKeys"] = transitive;
  for (const [key, value] of Object.entries(tags)) context[`aws:RequestTag/${key}`] = [value];
  return context;
}
