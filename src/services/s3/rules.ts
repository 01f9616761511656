import type { Tag } from "./model.ts";
import { invalidArgument, invalidTag, keyTooLong, metadataTooLarge, tooManyTags } from "./errors.ts";
import { s3Limits } from "./limits.ts";

/** "General purpose bucket naming rules", S3 User Guide. */
export function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !/\.\.|\.-|-\./.test(name) &&
    !/^\d{1,3}(\.\d{1,3}){3}$/.test(name) &&
    !/^(xn--|sthree-|amzn-s3-demo-)/.test(name) &&
    !/(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3|-an)$/.test(name)
  );
}

export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > s3Limits.keyBytesMax) throw keyTooLong(bytes, s3Limits.keyBytesMax);
  // A zero byte takes two in the store's keys; none but a test would fill a key with them.
  if (bytes + key.split("\x00").length - 1 > s3Limits.storedKeyBytesMax) {
    throw keyTooLong(bytes, s3Limits.keyBytesMax);
  }
}

export function checkMetadata(metadata: Readonly<Record<string, string>>): void {
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata)) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  if (bytes > s3Limits.metadataBytesMax) throw metadataTooLarge(bytes, s3Limits.metadataBytesMax);
}

/** User metadata as it came: headers are bytes, which clients fill with UTF-8. */
export function parseMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return mapValues(metadata, (value) => {
    if (isAscii(value)) return value;
    const text = Buffer.from(value, "latin1").toString("utf8");
    return text.includes("\ufffd") ? value : text;
  });
}

/** User metadata as it is answered. AWS: values beyond ASCII are encoded by RFC 2047. */
export function formatMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return mapValues(metadata, (value) =>
    isAscii(value) ? value : `=?UTF-8?B?${Buffer.from(value, "utf8").toString("base64")}?=`,
  );
}

function isAscii(text: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(text);
}

function mapValues(record: Readonly<Record<string, string>>, to: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name.toLowerCase(), to(value)]));
}

/** What a conditional request says of what is there. */
export interface Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly ifModifiedSince?: Date | undefined;
  readonly ifUnmodifiedSince?: Date | undefined;
}

export type Verdict =
  | { readonly result: "go" }
  | { readonly result: "notModified" }
  | { readonly result: "failed"; readonly condition: string };

/** The order of RFC 9110, 13.2.2: a tag's word counts for more than a date's. */
export function judge(conditions: Conditions, etag: string, modifiedAt: number): Verdict {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  const modifiedSecond = Math.floor(modifiedAt / 1000);
  if (ifMatch !== undefined) {
    if (!hasTag(ifMatch, etag)) return { result: "failed", condition: "If-Match" };
  } else if (ifUnmodifiedSince && modifiedSecond > second(ifUnmodifiedSince)) {
    return { result: "failed", condition: "If-Unmodified-Since" };
  }
  if (ifNoneMatch !== undefined) {
    if (hasTag(ifNoneMatch, etag)) return { result: "notModified" };
  } else if (ifModifiedSince && modifiedSecond <= second(ifModifiedSince)) {
    return { result: "notModified" };
  }
  return { result: "go" };
}

function second(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

export function hasTag(list: string, etag: string): boolean {
  return list.split(",").some((each) => {
    const tag = each.trim();
    return tag === "*" || tag.replace(/^W\//, "").replace(/^"(.*)"$/, "$1") === etag;
  });
}

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * The bytes that a `Range` header means. Undefined for the whole: also when it cannot be read or names several ranges,
 * as S3 does.
 */
export function parseRange(header: string, size: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  const [, first = "", last = ""] = match ?? [];
  if (!match || (first === "" && last === "")) return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

/** `Tagging` of PutObject and CopyObject: `k1=v1&k2=v2`. */
export function parseTagging(text: string): Tag[] {
  const tags = [...new URLSearchParams(text)].map(([key, value]) => ({ key, value }));
  return checkTags(tags, s3Limits.objectTagsMax, "Object tags cannot be greater than 10");
}

export function checkTags(tags: readonly Tag[], tagsMax: number, tooMany: string): Tag[] {
  if (tags.length > tagsMax) throw tooManyTags(tooMany);
  const seen = new Set<string>();
  for (const { key, value } of tags) {
    if (seen.has(key)) throw invalidTag("Cannot provide multiple Tags with the same key");
    seen.add(key);
    if (key.length === 0 || key.length > s3Limits.tagKeyCharactersMax || !tagCharacters.test(key)) {
      throw invalidTag("The TagKey you have provided is invalid");
    }
    if (value.length > s3Limits.tagValueCharactersMax || !tagCharacters.test(value)) {
      throw invalidTag("The TagValue you have provided is invalid");
    }
    if (key.toLowerCase().startsWith("aws:")) {
      throw invalidTag("System tags cannot be added/updated by requester");
    }
  }
  return [...tags];
}

const tagCharacters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** `/bucket/key?versionId=…`, percent-encoded; the first slash may be absent. */
export function parseCopySource(text: string): { bucket: string; key: string; versionId: string | undefined } {
  const at = text.indexOf("?versionId=");
  const path = (at === -1 ? text : text.slice(0, at)).replace(/^\//, "");
  const slash = path.indexOf("/");
  const bucket = path.slice(0, slash);
  if (slash <= 0 || slash === path.length - 1) throw invalidCopySource(text);
  if (bucket.startsWith("arn:")) throw invalidCopySource(text);
  return {
    bucket,
    key: decode(path.slice(slash + 1), text),
    versionId: at === -1 ? undefined : text.slice(at + "?versionId=".length),
  };
}

function decode(text: string, whole: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidCopySource(whole);
  }
}

function invalidCopySource(text: string) {
  return invalidArgument(
    "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    "x-amz-copy-source",
    text,
  );
}

/** What `encoding-type=url` makes of keys in listings: percent-encoding, a slash and a few others left as they are. */
export function encodeListed(text: string, encodingType: string | undefined): string {
  if (encodingType !== "url") return text;
  return encodeURIComponent(text)
    .replaceAll("%2F", "/")
    .replaceAll("%20", "+")
    .replaceAll(/[!'()~]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}
