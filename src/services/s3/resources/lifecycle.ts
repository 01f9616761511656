import type { LifecycleRule, LifecycleRuleFilter, Transition, TransitionStorageClass } from "@aws-sdk/client-s3";
import { listOf, recordOf, textOf } from "./properties.ts";

type Given = Readonly<Record<string, unknown>>;

/** The properties of `LifecycleConfiguration` that act. */
export const lifecycleProperties = [
  "LifecycleConfiguration.Rules[].AbortIncompleteMultipartUpload.DaysAfterInitiation",
  "LifecycleConfiguration.Rules[].ExpirationDate",
  "LifecycleConfiguration.Rules[].ExpirationInDays",
  "LifecycleConfiguration.Rules[].ExpiredObjectDeleteMarker",
  "LifecycleConfiguration.Rules[].Id",
  "LifecycleConfiguration.Rules[].NoncurrentVersionExpiration.NewerNoncurrentVersions",
  "LifecycleConfiguration.Rules[].NoncurrentVersionExpiration.NoncurrentDays",
  "LifecycleConfiguration.Rules[].NoncurrentVersionExpirationInDays",
  "LifecycleConfiguration.Rules[].NoncurrentVersionTransition.NewerNoncurrentVersions",
  "LifecycleConfiguration.Rules[].NoncurrentVersionTransition.StorageClass",
  "LifecycleConfiguration.Rules[].NoncurrentVersionTransition.TransitionInDays",
  "LifecycleConfiguration.Rules[].NoncurrentVersionTransitions[].NewerNoncurrentVersions",
  "LifecycleConfiguration.Rules[].NoncurrentVersionTransitions[].StorageClass",
  "LifecycleConfiguration.Rules[].NoncurrentVersionTransitions[].TransitionInDays",
  "LifecycleConfiguration.Rules[].ObjectSizeGreaterThan",
  "LifecycleConfiguration.Rules[].ObjectSizeLessThan",
  "LifecycleConfiguration.Rules[].Prefix",
  "LifecycleConfiguration.Rules[].Status",
  "LifecycleConfiguration.Rules[].TagFilters[].Key",
  "LifecycleConfiguration.Rules[].TagFilters[].Value",
  "LifecycleConfiguration.Rules[].Transition.StorageClass",
  "LifecycleConfiguration.Rules[].Transition.TransitionDate",
  "LifecycleConfiguration.Rules[].Transition.TransitionInDays",
  "LifecycleConfiguration.Rules[].Transitions[].StorageClass",
  "LifecycleConfiguration.Rules[].Transitions[].TransitionDate",
  "LifecycleConfiguration.Rules[].Transitions[].TransitionInDays",
] as const;

/** The rules of a template's `LifecycleConfiguration`, in the API's names. */
export function toLifecycleRules(value: unknown): LifecycleRule[] {
  return listOf(recordOf(value)?.["Rules"]).map((each) => toRule(recordOf(each) ?? {}));
}

function toRule(given: Given): LifecycleRule {
  const noncurrent = recordOf(given["NoncurrentVersionExpiration"]);
  const noncurrentDays = numberOf(given["NoncurrentVersionExpirationInDays"]);
  const abort = recordOf(given["AbortIncompleteMultipartUpload"]);
  const transitions = oneOrMore(given, "Transition").map(toTransition);
  const noncurrentTransitions = oneOrMore(given, "NoncurrentVersionTransition").map((each) => ({
    NoncurrentDays: numberOf(each["TransitionInDays"]),
    NewerNoncurrentVersions: numberOf(each["NewerNoncurrentVersions"]),
    StorageClass: parseClass(each["StorageClass"]),
  }));
  return {
    ID: textOf(given["Id"]),
    Status: textOf(given["Status"]) === "Enabled" ? "Enabled" : "Disabled",
    Filter: toFilter(given),
    Expiration: toExpiration(given),
    NoncurrentVersionExpiration:
      noncurrent || noncurrentDays !== undefined
        ? {
            NoncurrentDays: numberOf(noncurrent?.["NoncurrentDays"]) ?? noncurrentDays,
            NewerNoncurrentVersions: numberOf(noncurrent?.["NewerNoncurrentVersions"]),
          }
        : undefined,
    AbortIncompleteMultipartUpload: abort && { DaysAfterInitiation: numberOf(abort["DaysAfterInitiation"]) },
    Transitions: transitions.length > 0 ? transitions : undefined,
    NoncurrentVersionTransitions: noncurrentTransitions.length > 0 ? noncurrentTransitions : undefined,
  };
}

/** The form of old and the list of today. */
function oneOrMore(given: Given, name: string): Given[] {
  const one = recordOf(given[name]);
  const more = listOf(given[`${name}s`]).map((each) => recordOf(each) ?? {});
  return one ? [one, ...more] : more;
}

function toTransition(given: Given): Transition {
  return {
    Days: numberOf(given["TransitionInDays"]),
    Date: dateOf(given["TransitionDate"]),
    StorageClass: parseClass(given["StorageClass"]),
  };
}

function toExpiration(given: Given): LifecycleRule["Expiration"] {
  const marker = given["ExpiredObjectDeleteMarker"];
  const all = {
    Days: numberOf(given["ExpirationInDays"]),
    Date: dateOf(given["ExpirationDate"]),
    ExpiredObjectDeleteMarker: marker === undefined ? undefined : String(marker) === "true",
  };
  return Object.values(all).every((each) => each === undefined) ? undefined : all;
}

function toFilter(given: Given): LifecycleRuleFilter {
  const Tags = listOf(given["TagFilters"])
    .map((each) => recordOf(each) ?? {})
    .map((tag) => ({ Key: textOf(tag["Key"]) ?? "", Value: textOf(tag["Value"]) ?? "" }));
  const parts = {
    Prefix: textOf(given["Prefix"]),
    ObjectSizeGreaterThan: numberOf(given["ObjectSizeGreaterThan"]),
    ObjectSizeLessThan: numberOf(given["ObjectSizeLessThan"]),
  };
  const count = Object.values(parts).filter((each) => each !== undefined).length + Tags.length;
  if (count > 1) return { And: { ...parts, Tags: Tags.length > 0 ? Tags : undefined } };
  const [Tag] = Tags;
  if (Tag) return { Tag };
  return count === 1 ? parts : { Prefix: "" };
}

function numberOf(value: unknown): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function dateOf(value: unknown): Date | undefined {
  return value === undefined ? undefined : new Date(String(value));
}

// Checked by the operation, whichever values the SDK's version knows.
function parseClass(value: unknown): TransitionStorageClass {
  return textOf(value) as TransitionStorageClass;
}
