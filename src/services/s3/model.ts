import type { Entry, Key, Reader, Transaction } from "../../kernel/store/store.ts";
import type { ChecksumAlgorithm } from "../../wire/checksums.ts";
import type { Grant } from "./acl/grants.ts";
import type { Locked, ObjectLock } from "./object-lock/lock.ts";
import type { Website } from "./website/configuration.ts";

/*
 * Keys, all below "s3":
 *   bucket, NAME                       the bucket: names are global
 *   owned, ACCOUNT, NAME               an account's buckets
 *   current, BUCKET, KEY               the latest version, unless it is a delete marker: what is listed and read
 *   version, BUCKET, KEY, -SEQUENCE    every version and delete marker, latest first
 *   upload, BUCKET, KEY, UPLOAD        a multipart upload under way
 *   part, UPLOAD, NUMBER               its parts; they stay when the upload becomes an object
 * BUCKET is the bucket's id, so that a bucket made anew finds nothing of one that had its name.
 */

export interface Bucket {
  readonly format: 1;
  readonly name: string;
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly createdAt: number;
  readonly versioning: "never" | "Enabled" | "Suspended";
  readonly policy?: string;
  /** The policy lets anyone in. */
  readonly policyIsPublic?: boolean;
  readonly tags: readonly Tag[];
  readonly encryption: BucketEncryption;
  readonly publicAccessBlock?: PublicAccessBlock;
  /** With `BucketOwnerEnforced` there are no access control lists. Absent when the controls were deleted: as `ObjectWriter`. */
  readonly ownership?: "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter";
  /** Absent: the owner may do everything, and nobody else anything. */
  readonly acl?: readonly Grant[];
  readonly objectLock?: ObjectLock;
  readonly website?: Website;
  readonly notifications?: readonly NotificationRule[];
  readonly cors?: readonly CorsRule[];
  readonly lifecycle?: readonly LifecycleRule[];
}

/** What becomes of objects with time. */
export interface LifecycleRule {
  readonly id: string;
  readonly enabled: boolean;
  readonly filter: LifecycleFilter;
  /** One of the three; `at` in epoch milliseconds. */
  readonly expiration?: { readonly days?: number; readonly at?: number; readonly expiredMarkers?: boolean };
  readonly noncurrent?: { readonly days: number; readonly newer?: number };
  readonly abortDays?: number;
  readonly transitions: readonly LifecycleTransition[];
  readonly noncurrentTransitions: readonly {
    readonly days: number;
    readonly newer?: number;
    readonly storageClass: string;
  }[];
}

export interface LifecycleTransition {
  readonly days?: number;
  readonly at?: number;
  readonly storageClass: string;
}

export interface LifecycleFilter {
  /** How it was written: `Prefix` of the rule, one member of `Filter`, or its `And`. */
  readonly form: "prefix" | "one" | "and";
  readonly prefix?: string;
  readonly tags: readonly Tag[];
  /** Bytes; both exclusive. */
  readonly above?: number;
  readonly below?: number;
}

/** What pages of which origins may do. At most one `*` in an origin or header. */
export interface CorsRule {
  readonly id?: string;
  readonly methods: readonly string[];
  readonly origins: readonly string[];
  readonly headers: readonly string[];
  readonly exposed: readonly string[];
  readonly maxAgeSeconds?: number;
}

/** Which events a function is told of. */
export interface NotificationRule {
  readonly id: string;
  readonly functionArn: string;
  /** As `s3:ObjectCreated:*`. */
  readonly events: readonly string[];
  readonly prefix?: string;
  readonly suffix?: string;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface BucketEncryption {
  readonly algorithm: "AES256" | "aws:kms";
  readonly keyId?: string;
  readonly bucketKey: boolean;
}

export interface PublicAccessBlock {
  readonly blockPublicAcls: boolean;
  readonly ignorePublicAcls: boolean;
  readonly blockPublicPolicy: boolean;
  readonly restrictPublicBuckets: boolean;
}

/** Whose an object is, where there are access control lists. */
export interface Owned {
  /** An account, or `anonymous`. Absent: the bucket's. */
  readonly owner?: string;
  /** Absent: the owner may do everything, and nobody else anything. */
  readonly acl?: readonly Grant[];
}

export type Version = StoredObject | DeleteMarker;

export interface DeleteMarker {
  readonly kind: "deleteMarker";
  readonly versionId: string;
  readonly sequence: number;
  readonly modifiedAt: number;
}

export interface StoredObject extends Owned, Locked {
  readonly kind: "object";
  /** `null` for what was written while versioning was not enabled. */
  readonly versionId: string;
  /** Orders the versions of a key. */
  readonly sequence: number;
  readonly modifiedAt: number;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  readonly content: Content;
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: readonly Tag[];
  readonly checksum?: Checksum;
  readonly storageClass: string;
  readonly encryption: BucketEncryption;
}

export type Content =
  | { readonly kind: "blob"; readonly blob: string }
  /** The parts of the multipart upload that made it. */
  | { readonly kind: "parts"; readonly uploadId: string; readonly count: number };

export interface ObjectHeaders {
  readonly contentType: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  /** As sent: S3 takes any text for it. */
  readonly expires?: string;
  readonly websiteRedirectLocation?: string;
}

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; with `-N` after it when composite. */
  readonly value: string;
  readonly type: "FULL_OBJECT" | "COMPOSITE";
}

export interface Upload extends Owned, Locked {
  readonly uploadId: string;
  readonly initiatedAt: number;
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: readonly Tag[];
  readonly storageClass: string;
  readonly encryption: BucketEncryption;
  readonly checksumAlgorithm: ChecksumAlgorithm;
  readonly checksumType: Checksum["type"];
  /** The client asked for the algorithm: it is told in answers and parts must have it. */
  readonly checksumAsked: boolean;
  readonly initiator: string;
}

export interface Part {
  readonly number: number;
  readonly blob: string;
  readonly size: number;
  readonly etag: string;
  /** Base64, by the upload's algorithm. */
  readonly checksum: string;
  readonly modifiedAt: number;
}

export const bucketKey = (name: string): Key => ["s3", "bucket", name];
export const ownedKey = (account: string, name: string): Key => ["s3", "owned", account, name];
export const currentPrefix = (bucket: Bucket): Key => ["s3", "current", bucket.id];
export const versionPrefix = (bucket: Bucket): Key => ["s3", "version", bucket.id];
export const uploadPrefix = (bucket: Bucket): Key => ["s3", "upload", bucket.id];
export const partPrefix = (uploadId: string): Key => ["s3", "part", uploadId];

export const currentKey = (bucket: Bucket, key: string): Key => [...currentPrefix(bucket), key];
const versionKey = (bucket: Bucket, key: string, sequence: number): Key => [...versionPrefix(bucket), key, -sequence];
export const uploadKey = (bucket: Bucket, key: string, uploadId: string): Key => [
  ...uploadPrefix(bucket),
  key,
  uploadId,
];
export const partKey = (uploadId: string, number: number): Key => [...partPrefix(uploadId), number];

export function findBucket(reader: Reader, name: string): Promise<Bucket | undefined> {
  return reader.get<Bucket>(bucketKey(name));
}

export function writeBucket(tx: Transaction, bucket: Bucket): void {
  tx.set(bucketKey(bucket.name), bucket);
}

export function findCurrent(reader: Reader, bucket: Bucket, key: string): Promise<StoredObject | undefined> {
  return reader.get<StoredObject>(currentKey(bucket, key));
}

/** The latest version or delete marker. */
export async function findLatest(reader: Reader, bucket: Bucket, key: string): Promise<Version | undefined> {
  const [entry] = await reader.range<Version>({ prefix: [...versionPrefix(bucket), key] }, { limit: 1 });
  return entry?.value;
}

export function findVersionAt(
  reader: Reader,
  bucket: Bucket,
  key: string,
  sequence: number,
): Promise<Version | undefined> {
  return reader.get<Version>(versionKey(bucket, key, sequence));
}

export async function findVersion(
  reader: Reader,
  bucket: Bucket,
  key: string,
  versionId: string,
): Promise<Version | undefined> {
  if (versionId === "null") return findNullVersion(reader, bucket, key);
  const sequence = sequenceOf(versionId);
  if (sequence === undefined) return undefined;
  const found = await reader.get<Version>(versionKey(bucket, key, sequence));
  return found?.versionId === versionId ? found : undefined;
}

async function findNullVersion(reader: Reader, bucket: Bucket, key: string): Promise<Version | undefined> {
  const prefix = [...versionPrefix(bucket), key];
  let after: Key | undefined;
  for (;;) {
    const page: Entry<Version>[] = await reader.range<Version>(after ? { prefix, after } : { prefix }, {
      limit: bucket.versioning === "never" ? 1 : 100,
    });
    const found = page.find((entry) => entry.value.versionId === "null");
    if (found) return found.value;
    if (bucket.versioning === "never" || page.length < 100) return undefined;
    after = page.at(-1)?.key;
  }
}

/** How a version comes on top of a key's others. */
export interface PushNeeds {
  readonly newVersionId: (sequence: number) => string;
  /** Told of the `null` version that a new `null` version replaces. */
  readonly drop: (tx: Transaction, old: Version) => Promise<void>;
}

export async function pushObject(
  tx: Transaction,
  needs: PushNeeds,
  bucket: Bucket,
  key: string,
  draft: Omit<StoredObject, "versionId" | "sequence" | "kind">,
): Promise<StoredObject> {
  const place = await makePlace(tx, needs, bucket, key, draft.modifiedAt);
  const object: StoredObject = { kind: "object", ...place, ...draft };
  tx.set(versionKey(bucket, key, place.sequence), object);
  tx.set(currentKey(bucket, key), object);
  return object;
}

export async function pushDeleteMarker(
  tx: Transaction,
  needs: PushNeeds,
  bucket: Bucket,
  key: string,
  now: number,
): Promise<DeleteMarker> {
  const place = await makePlace(tx, needs, bucket, key, now);
  const marker: DeleteMarker = { kind: "deleteMarker", ...place, modifiedAt: now };
  tx.set(versionKey(bucket, key, place.sequence), marker);
  tx.delete(currentKey(bucket, key));
  return marker;
}

/** Without versioning enabled there is one `null` version, and it makes room for the next. */
async function makePlace(
  tx: Transaction,
  needs: PushNeeds,
  bucket: Bucket,
  key: string,
  now: number,
): Promise<{ readonly versionId: string; readonly sequence: number }> {
  // Where there were never versions, what is read is all there is.
  const latest = bucket.versioning === "never" ? await findCurrent(tx, bucket, key) : await findLatest(tx, bucket, key);
  const sequence = Math.max(now * 1024, (latest?.sequence ?? 0) + 1);
  if (bucket.versioning === "Enabled") return { versionId: needs.newVersionId(sequence), sequence };
  const replaced =
    latest?.versionId === "null" || bucket.versioning === "never" ? latest : await findNullVersion(tx, bucket, key);
  if (replaced) {
    tx.delete(versionKey(bucket, key, replaced.sequence));
    await needs.drop(tx, replaced);
  }
  return { versionId: "null", sequence };
}

/** Take a version away for good; the one below comes to light when it was the latest. */
export async function removeVersion(tx: Transaction, bucket: Bucket, key: string, version: Version): Promise<void> {
  tx.delete(versionKey(bucket, key, version.sequence));
  const latest = await findLatest(tx, bucket, key);
  if (latest?.kind === "object") tx.set(currentKey(bucket, key), latest);
  else tx.delete(currentKey(bucket, key));
}

/** Change a version where it is. */
export async function rewriteVersion(
  tx: Transaction,
  bucket: Bucket,
  key: string,
  version: StoredObject,
): Promise<void> {
  tx.set(versionKey(bucket, key, version.sequence), version);
  const current = await findCurrent(tx, bucket, key);
  if (current?.sequence === version.sequence) tx.set(currentKey(bucket, key), version);
}

/** An id of 32 characters that says where its version is. */
export function toVersionId(sequence: number, random: string): string {
  return sequence.toString(36).padStart(11, "0") + random;
}

export const versionIdRandomCharacters = 21;

export function sequenceOf(versionId: string): number | undefined {
  if (!/^[0-9a-z]{11}[A-Za-z0-9]{21}$/.test(versionId)) return undefined;
  return Number.parseInt(versionId.slice(0, 11), 36);
}
