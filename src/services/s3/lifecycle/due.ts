import type { Bucket, LifecycleFilter, LifecycleRule, StoredObject, Upload, Version } from "../model.ts";

const dayMs = 86_400_000;
/** AWS: smaller objects are not moved to other classes unless a rule's filter speaks of sizes. */
const transitionBytesMin = 128 * 1024;

/** A version in its place among those of its key. */
export interface Placed {
  readonly key: string;
  readonly version: Version;
  /** When the next newer version came; undefined for the latest. */
  readonly replacedAt: number | undefined;
  /** How many noncurrent versions are newer. */
  readonly newer: number;
  /** There is no other version. */
  readonly alone: boolean;
}

export type Due =
  | { readonly kind: "expire" }
  /** For good: a noncurrent version, or a delete marker under which there is nothing. */
  | { readonly kind: "remove" }
  | { readonly kind: "move"; readonly storageClass: string };

/**
 * What is to be done with a version now; removal goes before a change of class.
 * Source: "Understanding object expiration" and "Lifecycle configuration elements", S3 User Guide.
 */
export function findDue(rules: readonly LifecycleRule[], placed: Placed, now: number): Due | undefined {
  const applying = rules.filter((rule) => rule.enabled && applies(rule.filter, placed.key, placed.version));
  const { version, replacedAt } = placed;
  if (replacedAt !== undefined) {
    if (applying.some(({ noncurrent }) => noncurrent && isNoncurrentDue(noncurrent, placed, replacedAt, now))) {
      return { kind: "remove" };
    }
    const moves = applying.flatMap((rule) =>
      rule.noncurrentTransitions.filter(
        (each) => isNoncurrentDue(each, placed, replacedAt, now) && fits(rule, version),
      ),
    );
    return toMove(version, moves.toSorted((a, b) => a.days - b.days).at(-1)?.storageClass);
  }
  if (version.kind === "deleteMarker") {
    if (!placed.alone) return undefined;
    const due = applying.some(
      ({ expiration }) => expiration?.expiredMarkers === true || isDue(expiration ?? {}, version.modifiedAt, now),
    );
    return due ? { kind: "remove" } : undefined;
  }
  if (applying.some(({ expiration }) => isDue(expiration ?? {}, version.modifiedAt, now))) return { kind: "expire" };
  const moves = applying.flatMap((rule) =>
    rule.transitions.filter((each) => isDue(each, version.modifiedAt, now) && fits(rule, version)),
  );
  const last = moves.toSorted((a, b) => dueAt(a, version.modifiedAt) - dueAt(b, version.modifiedAt)).at(-1);
  return toMove(version, last?.storageClass);
}

/** `Expiration` of an answer: when the object expires and by which rule; nothing when none applies. */
export function toExpirationMember(
  { lifecycle }: Bucket,
  key: string,
  object: StoredObject,
): { readonly Expiration?: string } {
  const found = lifecycle && expirationOf(lifecycle, key, object);
  if (!found) return {};
  const rule = encodeURIComponent(found.ruleId);
  return { Expiration: `expiry-date="${new Date(found.at).toUTCString()}", rule-id="${rule}"` };
}

/** `AbortDate` and `AbortRuleId` of an answer about an upload; nothing when no rule aborts it. */
export function toAbortionMembers(
  { lifecycle }: Bucket,
  key: string,
  { initiatedAt }: Upload,
): { readonly AbortDate?: Date; readonly AbortRuleId?: string } {
  const found = lifecycle && abortionOf(lifecycle, key, initiatedAt);
  return found ? { AbortDate: new Date(found.at), AbortRuleId: found.ruleId } : {};
}

/** When an object expires, and by which rule: the first to come. */
function expirationOf(
  rules: readonly LifecycleRule[],
  key: string,
  object: StoredObject,
): { readonly at: number; readonly ruleId: string } | undefined {
  const [first] = rules
    .filter((rule) => rule.enabled && rule.expiration && applies(rule.filter, key, object))
    .map(({ id, expiration = {} }) => ({ at: dueAt(expiration, object.modifiedAt), ruleId: id }))
    .filter(({ at }) => Number.isFinite(at))
    .toSorted((a, b) => a.at - b.at);
  return first;
}

/** When an upload that was begun then is aborted, and by which rule. */
export function abortionOf(
  rules: readonly LifecycleRule[],
  key: string,
  initiatedAt: number,
): { readonly at: number; readonly ruleId: string } | undefined {
  const [first] = rules
    .filter(
      ({ enabled, abortDays, filter }) => enabled && abortDays !== undefined && key.startsWith(filter.prefix ?? ""),
    )
    .map(({ id, abortDays = 0 }) => ({ at: afterDays(initiatedAt, abortDays), ruleId: id }))
    .toSorted((a, b) => a.at - b.at);
  return first;
}

/** The midnight after so many days. AWS: what was made on 15 January at 10:30 with three days goes on 19 January at 0:00. */
function afterDays(from: number, days: number): number {
  return (Math.floor((from + days * dayMs) / dayMs) + 1) * dayMs;
}

interface When {
  readonly days?: number;
  readonly at?: number;
}

function dueAt({ days, at }: When, from: number): number {
  return days === undefined ? (at ?? Number.POSITIVE_INFINITY) : afterDays(from, days);
}

function isDue(when: When, from: number, now: number): boolean {
  return dueAt(when, from) <= now;
}

function isNoncurrentDue(
  { days, newer = 0 }: { readonly days: number; readonly newer?: number },
  placed: Placed,
  replacedAt: number,
  now: number,
): boolean {
  return placed.newer >= newer && afterDays(replacedAt, days) <= now;
}

function applies(filter: LifecycleFilter, key: string, version: Version): boolean {
  if (!key.startsWith(filter.prefix ?? "")) return false;
  const ofObjects = filter.tags.length > 0 || filter.above !== undefined || filter.below !== undefined;
  if (version.kind === "deleteMarker") return !ofObjects;
  return (
    (filter.above === undefined || version.size > filter.above) &&
    (filter.below === undefined || version.size < filter.below) &&
    filter.tags.every((tag) => version.tags.some(({ key: name, value }) => name === tag.key && value === tag.value))
  );
}

function fits({ filter }: LifecycleRule, version: Version): boolean {
  const ofSizes = filter.above !== undefined || filter.below !== undefined;
  return ofSizes || (version.kind === "object" && version.size >= transitionBytesMin);
}

function toMove(version: Version, storageClass: string | undefined): Due | undefined {
  if (version.kind !== "object" || storageClass === undefined || storageClass === version.storageClass)
    return undefined;
  return { kind: "move", storageClass };
}
