import { invalidParameter } from "./errors.ts";
import { cognitoLimits as limits } from "./limits.ts";

/** @throws InvalidParameterException */
export function checkTags(tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > limits.tagsMax) throw invalidParameter("A user pool has at most 50 tags.");
  for (const key of Object.keys(tags)) {
    if (/^aws:(?!cloudformation:)/i.test(key)) throw invalidParameter("Tag keys cannot start with aws:");
  }
}
