import { validation } from "./errors.ts";
import { dynamoLimits } from "./limits.ts";

/** @throws {ValidationException} */
export function toTags(
  listed: readonly { readonly Key: string | undefined; readonly Value: string | undefined }[] | undefined,
): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const { Key: key = "", Value: value = "" } of listed ?? []) {
    if (Object.hasOwn(tags, key)) throw validation(`Duplicate tag key: ${key}`);
    if (key.startsWith("aws:") && !key.startsWith("aws:cloudformation:")) {
      throw validation("Tag keys beginning with aws: are reserved for system use");
    }
    tags[key] = value;
  }
  return tags;
}

/** @throws {ValidationException} */
export function assertTagCount(tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > dynamoLimits.tagsMax) {
    throw validation(
      `One or more parameter values were invalid: Number of tags exceeds the limit of ${dynamoLimits.tagsMax}`,
    );
  }
}
