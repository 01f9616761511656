import { iamLimits } from "./limits.ts";
import { validationError } from "./errors.ts";
import type { EntityKind } from "./model.ts";

/** A member the wire has made sure of. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("A required member is absent: the wire's check is missing");
  return value;
}

export function entityArn(account: string, kind: EntityKind, path: string, name: string): string {
  return `arn:aws:iam::${account}:${kind}${path}${name}`;
}

export function policyArn(account: string, path: string, name: string): string {
  return `arn:aws:iam::${account}:policy${path}${name}`;
}

/** Length as IAM's quotas count it: without white space. */
export function policyCharacters(document: string): number {
  return document.replaceAll(/\s/g, "").length;
}

/** Documents are answered percent-encoded by RFC 3986. */
export function encodeDocument(document: string): string {
  return encodeURIComponent(document).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export interface Page<T> {
  readonly items: T[];
  readonly rest: { readonly IsTruncated: boolean; readonly Marker?: string };
}

/** One page of a list that is sorted by `nameOf`. The marker is the last name that was answered. */
export function toPage<T>(
  all: readonly T[],
  nameOf: (item: T) => string,
  input: { readonly Marker?: string | undefined; readonly MaxItems?: number | undefined },
): Page<T> {
  const sorted = all.toSorted((a, b) => compare(nameOf(a), nameOf(b)));
  const after = input.Marker === undefined ? undefined : parseMarker(input.Marker);
  const left = after === undefined ? sorted : sorted.filter((item) => compare(nameOf(item), after) > 0);
  const items = left.slice(0, input.MaxItems ?? iamLimits.pageItems);
  const last = items.at(-1);
  if (items.length === left.length || last === undefined) return { items, rest: { IsTruncated: false } };
  return { items, rest: { IsTruncated: true, Marker: Buffer.from(`1:${nameOf(last)}`).toString("base64url") } };
}

function parseMarker(marker: string): string {
  const text = Buffer.from(marker, "base64url").toString("utf8");
  if (!text.startsWith("1:")) throw validationError("Invalid Marker.");
  return text.slice(2);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export interface TagInput {
  readonly Key: string | undefined;
  readonly Value: string | undefined;
}

/** Tags as IAM takes them: keys are unique without regard to case, and `aws:` is AWS's own. */
export function parseTags(tags: readonly TagInput[] | undefined): Record<string, string> {
  const parsed = (tags ?? []).map(({ Key, Value }) => [present(Key), Value ?? ""] as const);
  if (new Set(parsed.map(([key]) => key.toLowerCase())).size < parsed.length) {
    throw validationError("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  }
  // Not by assignment, which loses the key `__proto__`.
  return Object.fromEntries(parsed);
}

/** A new value replaces that of a key that differs in case only. */
export function mergeTags(
  tags: Readonly<Record<string, string>>,
  added: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = new Set(Object.keys(added).map((key) => key.toLowerCase()));
  const kept = Object.entries(tags).filter(([key]) => !names.has(key.toLowerCase()));
  return { ...Object.fromEntries(kept), ...added };
}

export function withoutTags(tags: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> {
  const names = new Set(keys.map((key) => key.toLowerCase()));
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !names.has(key.toLowerCase())));
}

export function toTagList(tags: Readonly<Record<string, string>>): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Condition keys of a request that carries tags. */
export function requestTagContext(tags: Readonly<Record<string, string>>): Record<string, readonly string[]> {
  const keys = Object.keys(tags);
  if (keys.length === 0) return {};
  const context: Record<string, readonly string[]> = { "aws:TagKeys": keys };
  for (const [key, value] of Object.entries(tags)) context[`aws:RequestTag/${key}`] = [value];
  return context;
}

export function resourceTagContext(tags: Readonly<Record<string, string>>): Record<string, readonly string[]> {
  const context: Record<string, readonly string[]> = {};
  for (const [key, value] of Object.entries(tags)) {
    context[`aws:ResourceTag/${key}`] = [value];
    context[`iam:ResourceTag/${key}`] = [value];
  }
  return context;
}
