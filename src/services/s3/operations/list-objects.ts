import type { ObjectVersionStorageClass } from "@aws-sdk/client-s3";
import type { AuthorizationRequest } from "../../../access/authorization.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { toUserId } from "../acl/grants.ts";
import { invalidArgument } from "../errors.ts";
import { s3Limits } from "../limits.ts";
import { list, type Position } from "../listing.ts";
import { type Bucket, currentPrefix, findVersion, type StoredObject, type Version, versionPrefix } from "../model.ts";
import { existingBucket, refuse, type Sdk, toOwner } from "../needs.ts";
import { encodeListed } from "../rules.ts";
import { parseStorageClass } from "./get-object.ts";
import type { OperationNeeds } from "./operation-needs.ts";

interface ListInput {
  readonly Bucket?: string | undefined;
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly MaxKeys?: number | undefined;
  readonly EncodingType?: string | undefined;
}

export function listObjectOperations(needs: OperationNeeds) {
  const { store } = needs;
  return {
    ListObjects: {
      authorize: (input, call) => mayList(needs, call, "ListBucket", input),
      async run(input) {
        refuse(input, "ListObjects", ["OptionalObjectAttributes"]);
        const { Marker = "" } = input;
        const page = await listPage<StoredObject>(
          needs,
          input,
          currentPrefix,
          Marker === "" ? undefined : fromMarker(Marker, input.Delimiter),
        );
        const encoded = encoder(input);
        return {
          ...echo(input, page.bucket, page.maxKeys),
          Marker: encoded(Marker),
          IsTruncated: page.next !== undefined,
          // AWS: told only with a delimiter; without one the last key says it.
          ...(page.next && input.Delimiter && { NextMarker: encoded(nameOf(page.next)) }),
          ...contents(page.items, encoded, page.bucket),
          ...prefixes(page.commonPrefixes, encoded),
        };
      },
    },

    ListObjectsV2: {
      authorize: (input, call) => mayList(needs, call, "ListBucket", input),
      async run(input) {
        refuse(input, "ListObjectsV2", ["OptionalObjectAttributes"]);
        const { StartAfter, ContinuationToken } = input;
        const after =
          ContinuationToken === undefined
            ? StartAfter !== undefined && StartAfter !== ""
              ? ({ kind: "key", key: StartAfter } as const)
              : undefined
            : fromToken(ContinuationToken);
        const page = await listPage<StoredObject>(needs, input, currentPrefix, after);
        const encoded = encoder(input);
        return {
          ...echo(input, page.bucket, page.maxKeys),
          ...(StartAfter !== undefined && { StartAfter: encoded(StartAfter) }),
          ...(ContinuationToken !== undefined && { ContinuationToken }),
          ...(page.next && { NextContinuationToken: toToken(page.next) }),
          IsTruncated: page.next !== undefined,
          KeyCount: page.items.length + page.commonPrefixes.length,
          ...contents(page.items, encoded, input.FetchOwner ? page.bucket : undefined),
          ...prefixes(page.commonPrefixes, encoded),
        };
      },
    },

    ListObjectVersions: {
      authorize: (input, call) => mayList(needs, call, "ListBucketVersions", input),
      async run(input) {
        refuse(input, "ListObjectVersions", ["OptionalObjectAttributes"]);
        const { KeyMarker = "", VersionIdMarker } = input;
        if (VersionIdMarker !== undefined && KeyMarker === "") {
          throw invalidArgument(
            "A version-id marker cannot be specified without a key marker.",
            "version-id-marker",
            VersionIdMarker,
          );
        }
        const bucket = await store.read((reader) => existingBucket(reader, input));
        const after = await versionPosition(needs, bucket, KeyMarker, VersionIdMarker, input.Delimiter);
        const page = await listPage<Version>(needs, input, versionPrefix, after);
        const encoded = encoder(input);
        const ownerOf = listedOwner(bucket);
        const resumed = after?.kind === "key" && after.rest ? after.key : undefined;
        const listed = page.items.map(({ key, entry }, at) => ({
          version: entry.value,
          members: {
            Key: encoded(key),
            VersionId: entry.value.versionId,
            IsLatest: page.items[at - 1]?.key !== key && resumed !== key,
            LastModified: new Date(entry.value.modifiedAt),
            Owner: ownerOf(entry.value),
          },
        }));
        const next = page.next;
        const nextVersion = next?.kind === "key" ? page.items.at(-1)?.entry.value.versionId : undefined;
        return {
          ...echo(input, page.bucket, page.maxKeys),
          KeyMarker: encoded(KeyMarker),
          VersionIdMarker: VersionIdMarker ?? "",
          IsTruncated: next !== undefined,
          ...(next && { NextKeyMarker: encoded(nameOf(next)) }),
          ...(nextVersion !== undefined && { NextVersionIdMarker: nextVersion }),
          Versions: listed.flatMap(({ version, members }) =>
            version.kind === "object"
              ? [Object.assign(members, toListed(version), { StorageClass: parseVersionClass(version.storageClass) })]
              : [],
          ),
          DeleteMarkers: listed.flatMap(({ version, members }) => (version.kind === "deleteMarker" ? [members] : [])),
          ...prefixes(page.commonPrefixes, encoded),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function mayList(needs: OperationNeeds, call: Call, action: string, input: ListInput): Promise<AuthorizationRequest[]> {
  return needs.access.bucket(call, action, input.Bucket, {
    "s3:prefix": [input.Prefix ?? ""],
    ...(input.Delimiter !== undefined && { "s3:delimiter": [input.Delimiter] }),
    ...(input.MaxKeys !== undefined && { "s3:max-keys": [String(input.MaxKeys)] }),
  });
}

async function listPage<V>(
  needs: OperationNeeds,
  input: ListInput,
  base: (bucket: Bucket) => readonly string[] | ReturnType<typeof currentPrefix>,
  after: Position | undefined,
) {
  checkEncoding(input.EncodingType);
  const { MaxKeys = s3Limits.pageMax } = input;
  if (MaxKeys < 0)
    throw invalidArgument("Argument maxKeys must be an integer between 0 and 2147483647", "maxKeys", String(MaxKeys));
  const maxKeys = Math.min(MaxKeys, s3Limits.pageMax);
  return needs.store.read(async (reader) => {
    const bucket = await existingBucket(reader, input);
    const listed = await list<V>(reader, {
      base: base(bucket),
      prefix: input.Prefix ?? "",
      delimiter: input.Delimiter,
      after,
      limit: maxKeys,
    });
    return { ...listed, bucket, maxKeys: MaxKeys > s3Limits.pageMax ? s3Limits.pageMax : MaxKeys };
  });
}

export function checkEncoding(encodingType: string | undefined): void {
  if (encodingType !== undefined && encodingType !== "url") {
    throw invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", encodingType);
  }
}

function encoder(input: ListInput): (text: string) => string {
  return (text) => encodeListed(text, input.EncodingType);
}

/** What every listing says of the request. */
function echo(input: ListInput, bucket: Bucket, maxKeys: number) {
  const encoded = encoder(input);
  return {
    Name: bucket.name,
    Prefix: encoded(input.Prefix ?? ""),
    MaxKeys: maxKeys,
    ...(input.Delimiter !== undefined && input.Delimiter !== "" && { Delimiter: encoded(input.Delimiter) }),
    ...(input.EncodingType === "url" && { EncodingType: "url" as const }),
  };
}

function contents(
  items: readonly { readonly key: string; readonly entry: { readonly value: StoredObject } }[],
  encoded: (text: string) => string,
  ownedBy: Bucket | undefined,
) {
  if (items.length === 0) return {};
  const ownerOf = ownedBy && listedOwner(ownedBy);
  return {
    Contents: items.map(({ key, entry }) =>
      Object.assign(
        { Key: encoded(key), LastModified: new Date(entry.value.modifiedAt) },
        toListed(entry.value),
        ownerOf && { Owner: ownerOf(entry.value) },
      ),
    ),
  };
}

/** Whose an object or delete marker is, as listings tell it. */
function listedOwner(bucket: Bucket): (version: Version) => { readonly ID: string } {
  const owner = toOwner(bucket.account);
  if (bucket.ownership === "BucketOwnerEnforced") return () => owner;
  return (version) =>
    version.kind === "object" && version.owner !== undefined ? { ID: toUserId(version.owner) } : owner;
}

function toListed(object: StoredObject) {
  return {
    ETag: `"${object.etag}"`,
    Size: object.size,
    StorageClass: parseStorageClass(object.storageClass),
    ...(object.checksum && {
      ChecksumAlgorithm: [object.checksum.algorithm],
      ChecksumType: object.checksum.type,
    }),
  };
}

function prefixes(commonPrefixes: readonly string[], encoded: (text: string) => string) {
  return commonPrefixes.length > 0 ? { CommonPrefixes: commonPrefixes.map((each) => ({ Prefix: encoded(each) })) } : {};
}

function nameOf(position: Position): string {
  return position.kind === "group" ? position.prefix : position.key;
}

/** AWS: a marker that ends in the delimiter is a common prefix of the page before. */
function fromMarker(marker: string, delimiter: string | undefined): Position {
  return delimiter !== undefined && delimiter !== "" && marker.endsWith(delimiter)
    ? { kind: "group", prefix: marker }
    : { kind: "key", key: marker };
}

async function versionPosition(
  needs: OperationNeeds,
  bucket: Bucket,
  keyMarker: string,
  versionIdMarker: string | undefined,
  delimiter: string | undefined,
): Promise<Position | undefined> {
  if (keyMarker === "") return undefined;
  if (versionIdMarker === undefined || versionIdMarker === "") return fromMarker(keyMarker, delimiter);
  const version = await needs.store.read((reader) => findVersion(reader, bucket, keyMarker, versionIdMarker));
  if (!version) throw invalidArgument("Invalid version id specified", "version-id-marker", versionIdMarker);
  return { kind: "key", key: keyMarker, rest: [-version.sequence] };
}

function toToken(position: Position): string {
  return Buffer.from(`1${position.kind === "group" ? "g" : "k"}${nameOf(position)}`, "utf8").toString("base64url");
}

function fromToken(token: string): Position {
  const text = Buffer.from(token, "base64url").toString("utf8");
  if (text.startsWith("1g")) return { kind: "group", prefix: text.slice(2) };
  if (text.startsWith("1k")) return { kind: "key", key: text.slice(2) };
  throw invalidArgument("The continuation token provided is incorrect", "continuation-token", token);
}

/** AWS's model knows one class here; S3 answers the others too. */
function parseVersionClass(stored: string): ObjectVersionStorageClass {
  return stored as ObjectVersionStorageClass;
}
