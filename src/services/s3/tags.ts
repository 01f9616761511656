import { malformedXml } from "./errors.ts";
import type { Tag } from "./model.ts";

/** Tags as requests carry them. */
export function toTags(
  tags: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined,
): Tag[] {
  return (tags ?? []).map(({ Key, Value }) => {
    if (Key === undefined || Value === undefined) throw malformedXml();
    return { key: Key, value: Value };
  });
}

/** Tags as answers carry them. */
export function toTagSet(tags: readonly Tag[]): { readonly Key: string; readonly Value: string }[] {
  return tags.map(({ key, value }) => ({ Key: key, Value: value }));
}
