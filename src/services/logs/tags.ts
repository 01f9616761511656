import { invalidParameter, tooManyTags } from "./errors.ts";
import { logsLimits } from "./limits.ts";

/** Throws when a resource may not bear these tags. Source: API reference, TagResource. */
export function checkTags(arn: string, tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > logsLimits.tagsMax) throw tooManyTags(arn);
  for (const key of Object.keys(tags)) {
    if (key.toLowerCase().startsWith("aws:") && !key.startsWith("aws:cloudformation:")) {
      throw invalidParameter("aws: prefixed tag key names are not allowed for external use.");
    }
  }
}
