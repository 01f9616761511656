import type { LifecycleExpiration, LifecycleRule as GivenRule, LifecycleRuleFilter } from "@aws-sdk/client-s3";
import { notImplemented } from "../../../aws/error.ts";
import type { Ids } from "../../../kernel/ids.ts";
import { isReadableClass } from "../draft.ts";
import { invalidArgument, invalidRequest, malformedXml } from "../errors.ts";
import { s3Limits } from "../limits.ts";
import type { LifecycleFilter, LifecycleRule, LifecycleTransition } from "../model.ts";
import { checkTags } from "../rules.ts";
import { toTags } from "../tags.ts";

const dayMs = 86_400_000;

/** The rules of a lifecycle configuration, checked. Source: "Lifecycle configuration elements", S3 User Guide. */
export function parseLifecycle(given: readonly GivenRule[] | undefined, ids: Ids): LifecycleRule[] {
  const asked = given ?? [];
  if (asked.length === 0 || asked.length > s3Limits.lifecycleRulesMax) throw malformedXml();
  const rules = asked.map((each) => parseRule(each, ids));
  if (new Set(rules.map(({ id }) => id)).size < rules.length) {
    throw invalidArgument("Rule ID must be unique. Found same ID for more than one rule");
  }
  return rules;
}

function parseRule(given: GivenRule, ids: Ids): LifecycleRule {
  const id = given.ID === undefined || given.ID === "" ? ids.uuid() : given.ID;
  if (id.length > s3Limits.ruleIdCharactersMax) {
    throw invalidArgument("ID length should not exceed allowed limit of 255", "ID", id);
  }
  if (given.Status !== "Enabled" && given.Status !== "Disabled") throw malformedXml();
  const filter = parseFilter(given);
  const expiration = given.Expiration && parseExpiration(given.Expiration);
  const noncurrent = given.NoncurrentVersionExpiration;
  const abortDays = given.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
  const rule: LifecycleRule = {
    id,
    enabled: given.Status === "Enabled",
    filter,
    ...(expiration && { expiration }),
    ...(noncurrent && {
      noncurrent: toNoncurrent(noncurrent, "NoncurrentVersionExpiration"),
    }),
    ...(given.AbortIncompleteMultipartUpload && {
      abortDays: checkPositive(abortDays, "DaysAfterInitiation", "AbortIncompleteMultipartUpload"),
    }),
    transitions: (given.Transitions ?? []).map((each) =>
      Object.assign({ storageClass: toStorageClass(each.StorageClass) }, toWhen(each, "Transition")),
    ),
    noncurrentTransitions: (given.NoncurrentVersionTransitions ?? []).map((each) =>
      Object.assign(
        { storageClass: toStorageClass(each.StorageClass) },
        toNoncurrent(each, "NoncurrentVersionTransition"),
      ),
    ),
  };
  checkWhole(rule);
  return rule;
}

function parseFilter({ Prefix, Filter }: GivenRule): LifecycleFilter {
  // AWS: the one or the other; the first is the form of old.
  if ((Prefix === undefined) === (Filter === undefined)) throw malformedXml();
  if (!Filter) return { form: "prefix", prefix: Prefix ?? "", tags: [] };
  const { And, Tag, ...alone } = Filter;
  const members = [And, Tag, ...Object.values(alone)].filter((each) => each !== undefined);
  if (members.length > 1) throw malformedXml();
  const all: LifecycleRuleFilter & { readonly Tags?: NonNullable<LifecycleRuleFilter["And"]>["Tags"] } = And ?? alone;
  const tags = checkTags(toTags(Tag ? [Tag] : all.Tags), s3Limits.lifecycleTagsMax, "Too many tags in a filter");
  const { ObjectSizeGreaterThan: above, ObjectSizeLessThan: below } = all;
  if (above !== undefined && below !== undefined && above >= below) {
    throw invalidRequest("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.");
  }
  return {
    form: And ? "and" : "one",
    ...(all.Prefix !== undefined && { prefix: all.Prefix }),
    tags,
    ...(above !== undefined && { above }),
    ...(below !== undefined && { below }),
  };
}

function parseExpiration({ Days, Date: date, ExpiredObjectDeleteMarker }: LifecycleExpiration) {
  if ([Days, date, ExpiredObjectDeleteMarker].filter((each) => each !== undefined).length !== 1) throw malformedXml();
  if (ExpiredObjectDeleteMarker !== undefined) return { expiredMarkers: ExpiredObjectDeleteMarker };
  return toWhen({ Days, Date: date }, "Expiration");
}

function toWhen(
  { Days, Date: date }: { readonly Days?: number | undefined; readonly Date?: Date | undefined },
  action: string,
): { readonly days: number } | { readonly at: number } {
  if ((Days === undefined) === (date === undefined)) throw malformedXml();
  if (date === undefined) {
    // AWS: a transition may be on the day itself.
    return { days: action === "Transition" && Days === 0 ? 0 : checkPositive(Days, "Days", action) };
  }
  if (date.getTime() % dayMs !== 0) throw invalidArgument("'Date' must be at midnight GMT");
  return { at: date.getTime() };
}

function toNoncurrent(
  given: { readonly NoncurrentDays?: number | undefined; readonly NewerNoncurrentVersions?: number | undefined },
  action: string,
): { readonly days: number; readonly newer?: number } {
  const { NewerNoncurrentVersions: newer } = given;
  if (newer !== undefined && (newer < 1 || newer > s3Limits.newerVersionsMax)) {
    throw invalidArgument(
      `'NewerNoncurrentVersions' for ${action} action must be a positive integer between 1 and 100`,
    );
  }
  const days = checkPositive(given.NoncurrentDays, "NoncurrentDays", action);
  return { days, ...(newer !== undefined && { newer }) };
}

function checkPositive(days: number | undefined, name: string, action: string): number {
  if (days === undefined) throw malformedXml();
  if (days < 1 || days > s3Limits.lifecycleDaysMax) {
    throw invalidArgument(`'${name}' for ${action} action must be a positive integer`);
  }
  return days;
}

function toStorageClass(storageClass: string | undefined): string {
  if (storageClass === undefined) throw malformedXml();
  if (storageClass === "STANDARD" || storageClass === "REDUCED_REDUNDANCY") throw malformedXml();
  if (!isReadableClass(storageClass)) throw notImplemented(`A transition to the storage class ${storageClass}`);
  return storageClass;
}

/** What is wrong with parts that are right each for itself. */
function checkWhole({
  filter,
  expiration,
  noncurrent,
  abortDays,
  transitions,
  noncurrentTransitions,
}: LifecycleRule): void {
  const actions = [expiration, noncurrent, abortDays].filter((each) => each !== undefined).length;
  if (actions + transitions.length + noncurrentTransitions.length === 0) {
    throw invalidRequest("At least one action needs to be specified in a rule");
  }
  const ofVersions: [string, boolean][] = [
    ["AbortIncompleteMultipartUpload", abortDays !== undefined],
    ["ExpiredObjectDeleteMarker", expiration?.expiredMarkers !== undefined],
  ];
  for (const [action, is] of ofVersions) {
    if (!is) continue;
    if (filter.tags.length > 0) throw invalidRequest(`${action} cannot be specified with Tags.`);
    if (filter.above !== undefined) throw invalidRequest(`${action} cannot be specified with ObjectSizeGreaterThan.`);
    if (filter.below !== undefined) throw invalidRequest(`${action} cannot be specified with ObjectSizeLessThan.`);
  }
  for (const { days, storageClass } of [...transitions, ...noncurrentTransitions]) {
    if (days !== undefined && days < 30 && storageClass.endsWith("_IA")) {
      throw invalidArgument(
        `'Days' in Transition action must be greater than or equal to 30 for storageClass '${storageClass}'`,
      );
    }
  }
  const last = Math.max(-1, ...transitions.map(({ days }) => days ?? -1));
  if (expiration?.days !== undefined && expiration.days <= last) {
    throw invalidArgument(
      `'Days' in the Expiration action for filter '(prefix=${filter.prefix ?? ""})' must be greater than 'Days' in the Transition action`,
    );
  }
}

/** As GetBucketLifecycleConfiguration answers. */
export function formatLifecycleRule(rule: LifecycleRule): GivenRule {
  const { expiration, noncurrent, transitions, noncurrentTransitions, filter } = rule;
  return {
    ID: rule.id,
    Status: rule.enabled ? "Enabled" : "Disabled",
    ...(filter.form === "prefix" ? { Prefix: filter.prefix ?? "" } : { Filter: formatFilter(filter) }),
    Expiration: expiration && {
      ...formatWhen(expiration),
      ExpiredObjectDeleteMarker: expiration.expiredMarkers,
    },
    NoncurrentVersionExpiration: noncurrent && formatNoncurrent(noncurrent),
    AbortIncompleteMultipartUpload: rule.abortDays === undefined ? undefined : { DaysAfterInitiation: rule.abortDays },
    Transitions:
      transitions.length === 0
        ? undefined
        : transitions.map((each) => Object.assign(formatWhen(each), { StorageClass: parseClass(each.storageClass) })),
    NoncurrentVersionTransitions:
      noncurrentTransitions.length === 0
        ? undefined
        : noncurrentTransitions.map((each) =>
            Object.assign(formatNoncurrent(each), { StorageClass: parseClass(each.storageClass) }),
          ),
  };
}

function formatFilter({ form, prefix, tags, above, below }: LifecycleFilter): LifecycleRuleFilter {
  const Tags = tags.map(({ key, value }) => ({ Key: key, Value: value }));
  const sizes = { ObjectSizeGreaterThan: above, ObjectSizeLessThan: below };
  if (form === "and") return { And: { Prefix: prefix, Tags: Tags.length > 0 ? Tags : undefined, ...sizes } };
  const [Tag] = Tags;
  if (Tag) return { Tag };
  return (above ?? below) ? sizes : { Prefix: prefix ?? "" };
}

function formatWhen({ days, at }: { readonly days?: number; readonly at?: number }) {
  return { Days: days, Date: at === undefined ? undefined : new Date(at) };
}

function formatNoncurrent({ days, newer }: { readonly days: number; readonly newer?: number }) {
  return { NoncurrentDays: days, NewerNoncurrentVersions: newer };
}

// Checked when the rule was put.
function parseClass(storageClass: LifecycleTransition["storageClass"]) {
  return storageClass as NonNullable<GivenRule["Transitions"]>[number]["StorageClass"];
}
