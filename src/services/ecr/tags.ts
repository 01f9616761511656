import { invalidTag, tooManyTags } from "./errors.ts";
import { ecrLimits } from "./limits.ts";

type ListedTags = readonly { readonly Key: string | undefined; readonly Value: string | undefined }[] | undefined;

export function toTags(listed: ListedTags): Record<string, string> {
  return Object.fromEntries((listed ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
}

/** Source: API reference, Tag; user guide, "Tag restrictions". */
export function checkTags(tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > ecrLimits.tagsMax) throw tooManyTags();
  for (const [key, value] of Object.entries(tags)) {
    if (key === "" || key.length > 128 || value.length > 256)
      throw invalidTag("The tag key or value is too long or empty.");
    if (key.startsWith("aws:") && !key.startsWith("aws:cloudformation:")) {
      throw invalidTag("Tag keys beginning with 'aws:' are reserved for system use.");
    }
  }
}
