import type { OperationsOf } from "../../../wire/service.ts";
import { invalidArgument } from "../errors.ts";
import { s3Limits } from "../limits.ts";
import { list, type Position } from "../listing.ts";
import { toAbortionMembers } from "../lifecycle/due.ts";
import { type Part, partKey, partPrefix, type Upload, uploadPrefix } from "../model.ts";
import { existingBucket, refuse, type Sdk, toOwner } from "../needs.ts";
import { encodeListed } from "../rules.ts";
import { parseStorageClass } from "./get-object.ts";
import { checkEncoding } from "./list-objects.ts";
import { existingUpload } from "./multipart.ts";
import type { OperationNeeds } from "./operation-needs.ts";

export function listUploadOperations({ store, access }: OperationNeeds) {
  return {
    ListParts: {
      authorize: (input, call) => access.object(call, "ListMultipartUploadParts", input.Bucket, input.Key),
      async run(input) {
        refuse(input, "ListParts", ["SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"]);
        const limit = pageSize(input.MaxParts, "max-parts");
        const marker = toNumber(input.PartNumberMarker, "part-number-marker");
        const { bucket, upload, found } = await store.read(async (reader) => {
          const bucket = await existingBucket(reader, input);
          const upload = await existingUpload(reader, input);
          const prefix = partPrefix(upload.uploadId);
          const range = { prefix, after: partKey(upload.uploadId, marker) };
          return { bucket, upload, found: await reader.range<Part>(range, { limit: limit + 1 }) };
        });
        const parts = found.slice(0, limit).map((entry) => entry.value);
        const owner = toOwner(bucket.account);
        return {
          Bucket: bucket.name,
          Key: input.Key ?? "",
          UploadId: upload.uploadId,
          ...toAbortionMembers(bucket, input.Key ?? "", upload),
          PartNumberMarker: String(marker),
          NextPartNumberMarker: String(parts.at(-1)?.number ?? 0),
          MaxParts: limit,
          IsTruncated: found.length > limit,
          ...(parts.length > 0 && { Parts: parts.map((part) => toListedPart(part, upload)) }),
          Initiator: { ID: upload.initiator, DisplayName: upload.initiator.split("/").at(-1) ?? "" },
          Owner: owner,
          StorageClass: parseStorageClass(upload.storageClass),
          ...(upload.checksumAsked && {
            ChecksumAlgorithm: upload.checksumAlgorithm,
            ChecksumType: upload.checksumType,
          }),
        };
      },
    },

    ListMultipartUploads: {
      authorize: (input, call) => access.bucket(call, "ListBucketMultipartUploads", input.Bucket),
      async run(input) {
        checkEncoding(input.EncodingType);
        const limit = pageSize(input.MaxUploads, "max-uploads");
        const { KeyMarker = "", UploadIdMarker = "", Prefix = "", Delimiter } = input;
        const encoded = (text: string) => encodeListed(text, input.EncodingType);
        const { bucket, page } = await store.read(async (reader) => {
          const bucket = await existingBucket(reader, input);
          const after = toPosition(KeyMarker, UploadIdMarker, Delimiter);
          const request = { base: uploadPrefix(bucket), prefix: Prefix, delimiter: Delimiter, after, limit };
          return { bucket, page: await list<Upload>(reader, request) };
        });
        const { next } = page;
        return {
          Bucket: bucket.name,
          KeyMarker: encoded(KeyMarker),
          // AWS: without a key marker it is ignored.
          UploadIdMarker: KeyMarker === "" ? "" : UploadIdMarker,
          NextKeyMarker: next ? encoded(next.kind === "group" ? next.prefix : next.key) : "",
          NextUploadIdMarker: next?.kind === "key" ? String(next.rest?.[0] ?? "") : "",
          MaxUploads: limit,
          IsTruncated: next !== undefined,
          ...(input.Prefix !== undefined && { Prefix: encoded(Prefix) }),
          ...(Delimiter !== undefined && { Delimiter: encoded(Delimiter) }),
          ...(input.EncodingType === "url" && { EncodingType: "url" as const }),
          ...(page.items.length > 0 && {
            Uploads: page.items.map(({ key, entry: { value } }) => ({
              UploadId: value.uploadId,
              Key: encoded(key),
              Initiated: new Date(value.initiatedAt),
              StorageClass: parseStorageClass(value.storageClass),
              Owner: toOwner(bucket.account),
              Initiator: { ID: value.initiator, DisplayName: value.initiator.split("/").at(-1) ?? "" },
              ...(value.checksumAsked && {
                ChecksumAlgorithm: value.checksumAlgorithm,
                ChecksumType: value.checksumType,
              }),
            })),
          }),
          ...(page.commonPrefixes.length > 0 && {
            CommonPrefixes: page.commonPrefixes.map((each) => ({ Prefix: encoded(each) })),
          }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function toListedPart(part: Part, upload: Upload) {
  return {
    PartNumber: part.number,
    LastModified: new Date(part.modifiedAt),
    ETag: `"${part.etag}"`,
    Size: part.size,
    ...(upload.checksumAsked && { [`Checksum${upload.checksumAlgorithm}`]: part.checksum }),
  };
}

function toPosition(key: string, uploadId: string, delimiter: string | undefined): Position | undefined {
  if (key === "") return undefined;
  if (uploadId !== "") return { kind: "key", key, rest: [uploadId] };
  return delimiter !== undefined && delimiter !== "" && key.endsWith(delimiter)
    ? { kind: "group", prefix: key }
    : { kind: "key", key };
}

function pageSize(asked: number | undefined, name: string): number {
  if (asked === undefined) return s3Limits.pageMax;
  if (asked < 0)
    throw invalidArgument(`Argument ${name} must be an integer between 0 and 2147483647`, name, String(asked));
  return Math.min(asked, s3Limits.pageMax);
}

function toNumber(text: string | undefined, name: string): number {
  if (text === undefined || text === "") return 0;
  if (!/^\d{1,10}$/.test(text))
    throw invalidArgument(`Provided ${name} not an integer or within integer range`, name, text);
  return Number(text);
}
