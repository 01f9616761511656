import { invalidParameter } from "./errors.ts";
import { identityLimits } from "./limits.ts";

/** Source: API reference, CreateIdentityPool; "Tagging Amazon Cognito resources" in the developer guide. */
export function checkTags(tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > identityLimits.tagsMax) {
    throw invalidParameter(`The number of tags exceeds the limit of ${identityLimits.tagsMax}.`);
  }
  for (const key of Object.keys(tags)) {
    if (/^aws:/i.test(key) && !key.startsWith("aws:cloudformation:")) {
      throw invalidParameter(`Tag keys beginning with 'aws:' are reserved for system use: ${key}`);
    }
  }
}
