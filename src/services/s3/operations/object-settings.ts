import type { Call, OperationsOf } from "../../../wire/service.ts";
import { readParts } from "../content.ts";
import { invalidArgument } from "../errors.ts";
import { concealAbsence, existingObject } from "../find-object.ts";
import { s3Limits } from "../limits.ts";
import { type Bucket, rewriteVersion, type StoredObject, type Tag } from "../model.ts";
import { existingBucket, refuse, type Sdk } from "../needs.ts";
import { causeOf } from "../notifications/message.ts";
import { checkTags } from "../rules.ts";
import { toTags, toTagSet } from "../tags.ts";
import { toChecksumMembers } from "../upload.ts";
import { parseStorageClass } from "./get-object.ts";
import type { OperationNeeds } from "./operation-needs.ts";

interface OfObject {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/** Tags and attributes of objects. */
export function objectSettingOperations(needs: OperationNeeds) {
  const { store, access } = needs;
  const may = (action: string, versionAction: string) => (input: OfObject, call: Call) =>
    access.object(
      call,
      input.VersionId === undefined ? action : versionAction,
      input.Bucket,
      input.Key,
      {},
      input.VersionId,
    );

  const read = (input: OfObject, call: Call) =>
    concealAbsence(access, call, input.Bucket ?? "", () =>
      store.read(async (reader) => {
        const bucket = await existingBucket(reader, input);
        return { bucket, object: await existingObject(reader, bucket, input, call) };
      }),
    );

  const setTags = (input: OfObject, call: Call, tags: readonly Tag[], event: string) =>
    store.transact(async (tx) => {
      const bucket = await existingBucket(tx, input);
      const object = await existingObject(tx, bucket, input, call);
      await rewriteVersion(tx, bucket, input.Key ?? "", { ...object, tags });
      needs.notify(tx, bucket, { event, key: input.Key ?? "", version: object }, causeOf(call));
      return versionMember(bucket, object);
    });

  return {
    GetObjectTagging: {
      authorize: may("GetObjectTagging", "GetObjectVersionTagging"),
      async run(input, call) {
        const { bucket, object } = await read(input, call);
        return { ...versionMember(bucket, object), TagSet: toTagSet(object.tags) };
      },
    },
    PutObjectTagging: {
      authorize: may("PutObjectTagging", "PutObjectVersionTagging"),
      run: (input, call) => {
        const tags = toTags(input.Tagging?.TagSet);
        const checked = checkTags(tags, s3Limits.objectTagsMax, "Object tags cannot be greater than 10");
        return setTags(input, call, checked, "ObjectTagging:Put");
      },
    },
    DeleteObjectTagging: {
      authorize: may("DeleteObjectTagging", "DeleteObjectVersionTagging"),
      run: (input, call) => setTags(input, call, [], "ObjectTagging:Delete"),
    },

    GetObjectAttributes: {
      authorize: (input, call) =>
        access.object(
          call,
          input.VersionId === undefined
            ? ["GetObject", "GetObjectAttributes"]
            : ["GetObjectVersion", "GetObjectVersionAttributes"],
          input.Bucket,
          input.Key,
          {},
          input.VersionId,
        ),
      async run(input, call) {
        refuse(input, "GetObjectAttributes", ["SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"]);
        const wanted = new Set<string>(input.ObjectAttributes);
        for (const name of wanted) {
          if (!attributeNames.has(name))
            throw invalidArgument("Invalid attribute name specified.", "x-amz-object-attributes", name);
        }
        const { bucket, object } = await read(input, call);
        return {
          LastModified: new Date(object.modifiedAt),
          ...versionMember(bucket, object),
          ...(wanted.has("ETag") && { ETag: object.etag }),
          ...(wanted.has("Checksum") && object.checksum && { Checksum: toChecksumMembers(object.checksum) }),
          ...(wanted.has("ObjectParts") &&
            object.content.kind === "parts" && { ObjectParts: await toObjectParts(needs, input, object) }),
          ...(wanted.has("StorageClass") && { StorageClass: parseStorageClass(object.storageClass) }),
          ...(wanted.has("ObjectSize") && { ObjectSize: object.size }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

const attributeNames = new Set(["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]);

function versionMember(bucket: Bucket, object: StoredObject) {
  return bucket.versioning === "never" ? {} : { VersionId: object.versionId };
}

/** AWS: the parts themselves are listed only when each has a checksum that the client asked for. */
async function toObjectParts(
  needs: OperationNeeds,
  input: { readonly MaxParts?: number | undefined; readonly PartNumberMarker?: string | undefined },
  object: StoredObject,
) {
  if (object.content.kind !== "parts") return {};
  const { uploadId, count } = object.content;
  const { checksum } = object;
  if (checksum?.type !== "COMPOSITE") return { TotalPartsCount: count };
  const limit = Math.min(input.MaxParts ?? s3Limits.pageMax, s3Limits.pageMax);
  const marker = Number(input.PartNumberMarker ?? 0);
  const parts = await needs.store.read((reader) => readParts(reader, uploadId));
  const rest = parts.filter((part) => part.number > marker);
  const page = rest.slice(0, limit);
  return {
    TotalPartsCount: count,
    PartNumberMarker: String(marker),
    NextPartNumberMarker: String(page.at(-1)?.number ?? 0),
    MaxParts: limit,
    IsTruncated: rest.length > limit,
    Parts: page.map((part) => ({
      PartNumber: part.number,
      Size: part.size,
      [`Checksum${checksum.algorithm}`]: part.checksum,
    })),
  };
}
