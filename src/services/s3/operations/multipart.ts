import { createHash } from "node:crypto";
import type { CompletedPart } from "@aws-sdk/client-s3";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import { badChecksum } from "../../../wire/body-digests.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import {
  type ChecksumAlgorithm,
  checksumAlgorithms,
  combineCrcs,
  createDigest,
  isCrc,
} from "../../../wire/checksums.ts";
import { ownedOf } from "../acl/object-acl.ts";
import { openContent, releaseParts } from "../content.ts";
import { toDraft, toEncryptionMembers, writeActions, writeContext } from "../draft.ts";
import {
  entityTooSmall,
  invalidArgument,
  invalidPart,
  invalidPartOrder,
  invalidRequest,
  malformedXml,
  noSuchUpload,
} from "../errors.ts";
import { s3Limits } from "../limits.ts";
import { toAbortionMembers, toExpirationMember } from "../lifecycle/due.ts";
import { type Checksum, type Part, partKey, partPrefix, pushObject, type Upload, uploadKey } from "../model.ts";
import { existingBucket, refuse, type Sdk } from "../needs.ts";
import { causeOf } from "../notifications/message.ts";
import { lockOf } from "../object-lock/lock.ts";
import { checkKey, parseCopySource, parseRange } from "../rules.ts";
import {
  commitReceived,
  parseAlgorithm,
  receive,
  receiveAs,
  type Received,
  toChecksumMembers,
  unbuiltChecksums,
  wantedChecksum,
} from "../upload.ts";
import type { OperationNeeds } from "./operation-needs.ts";
import { checkWriteConditions, readCopySource } from "./put-object.ts";

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export function multipartOperations(needs: OperationNeeds) {
  const { store, access, ids } = needs;
  return {
    CreateMultipartUpload: {
      authorize: (input, call) =>
        access.object(call, writeActions(input), input.Bucket, input.Key, writeContext(input)),
      async run(input, call) {
        const key = input.Key ?? "";
        checkKey(key);
        const checksum = toUploadChecksum(input.ChecksumAlgorithm, input.ChecksumType);
        const uploadId = ids.random(96, alphanumeric);
        const upload = await store.transact(async (tx) => {
          const bucket = await existingBucket(tx, input);
          const begun: Upload = {
            uploadId,
            initiatedAt: call.now,
            ...toDraft(input, bucket, call),
            ...checksum,
            initiator: "arn" in call.principal ? call.principal.arn : call.principal.type,
          };
          tx.set(uploadKey(bucket, key, uploadId), begun);
          return { ...begun, abortion: toAbortionMembers(bucket, key, begun) };
        });
        return {
          Bucket: input.Bucket ?? "",
          Key: key,
          UploadId: uploadId,
          ...upload.abortion,
          ...toEncryptionMembers(upload.encryption),
          ...(upload.checksumAsked && {
            ChecksumAlgorithm: upload.checksumAlgorithm,
            ChecksumType: upload.checksumType,
          }),
        };
      },
    },

    UploadPart: {
      authorize: (input, call) => access.object(call, "PutObject", input.Bucket, input.Key),
      async run(input, call) {
        refuse(input, "UploadPart", [
          ...unbuiltChecksums,
          "SSECustomerAlgorithm",
          "SSECustomerKey",
          "SSECustomerKeyMD5",
        ]);
        const upload = await store.read((reader) => existingUpload(reader, input));
        const number = checkPartNumber(input.PartNumber);
        checkAlgorithm(upload, wantedChecksum(input, call)?.algorithm);
        const received = await receive(needs, input.Body, input, call, upload.checksumAlgorithm);
        await writePart(needs, input, number, received, call);
        return {
          ETag: `"${received.md5}"`,
          ...toEncryptionMembers(upload.encryption),
          ...partChecksum(upload, received.checksum),
        };
      },
    },

    UploadPartCopy: {
      authorize: async (input, call) => {
        const source = parseCopySource(input.CopySource ?? "");
        const action = source.versionId === undefined ? "GetObject" : "GetObjectVersion";
        return [
          ...(await access.object(call, action, source.bucket, source.key, {}, source.versionId)),
          ...(await access.object(call, "PutObject", input.Bucket, input.Key)),
        ];
      },
      async run(input, call) {
        refuse(input, "UploadPartCopy", ["SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"]);
        refuse(input, "UploadPartCopy", [
          "CopySourceSSECustomerAlgorithm",
          "CopySourceSSECustomerKey",
          "CopySourceSSECustomerKeyMD5",
        ]);
        const upload = await store.read((reader) => existingUpload(reader, input));
        const number = checkPartNumber(input.PartNumber);
        const source = await readCopySource(needs, input, call);
        const range = toCopyRange(input.CopySourceRange, source.object.size);
        const content = await openContent(needs, source.object, source.small, range);
        const received = await receiveAs(needs, content, upload.checksumAlgorithm);
        await writePart(needs, input, number, received, call);
        return {
          CopyPartResult: {
            ETag: `"${received.md5}"`,
            LastModified: new Date(call.now),
            ...partChecksum(upload, received.checksum),
          },
          ...toEncryptionMembers(upload.encryption),
          ...(source.bucket.versioning !== "never" && { CopySourceVersionId: source.object.versionId }),
        };
      },
    },

    CompleteMultipartUpload: {
      authorize: (input, call) => access.object(call, "PutObject", input.Bucket, input.Key),
      async run(input, call) {
        refuse(input, "CompleteMultipartUpload", [
          ...unbuiltChecksums,
          "SSECustomerAlgorithm",
          "SSECustomerKey",
          "SSECustomerKeyMD5",
        ]);
        const asked = input.MultipartUpload?.Parts ?? [];
        if (asked.length === 0) throw malformedXml();
        const { object, bucket } = await store.transact(async (tx) => {
          const bucket = await existingBucket(tx, input);
          const upload = await existingUpload(tx, input);
          await checkWriteConditions(tx, bucket, input);
          const parts = await chooseParts(tx, needs, upload, asked);
          const size = parts.reduce((sum, part) => sum + part.size, 0);
          if (input.MpuObjectSize !== undefined && Number(input.MpuObjectSize) !== size) {
            throw invalidRequest("The provided 'x-amz-mp-object-size' header does not match what was computed.");
          }
          const checksum = completeChecksum(upload, parts);
          checkAsked(input, checksum);
          tx.delete(uploadKey(bucket, input.Key ?? "", upload.uploadId));
          const object = await pushObject(tx, needs.push, bucket, input.Key ?? "", {
            modifiedAt: call.now,
            etag: `${etagOfParts(parts)}-${parts.length}`,
            size,
            content: { kind: "parts", uploadId: upload.uploadId, count: parts.length },
            headers: upload.headers,
            metadata: upload.metadata,
            tags: upload.tags,
            checksum,
            storageClass: upload.storageClass,
            encryption: upload.encryption,
            ...ownedOf(upload),
            ...lockOf(upload, bucket, call.now),
          });
          const event = "ObjectCreated:CompleteMultipartUpload";
          needs.notify(tx, bucket, { event, key: input.Key ?? "", version: object }, causeOf(call));
          return { object, bucket };
        });
        const path = (input.Key ?? "").split("/").map(encodeURIComponent).join("/");
        return {
          Location: `${call.endpoint}/${bucket.name}/${path}`,
          Bucket: bucket.name,
          Key: input.Key ?? "",
          ETag: `"${object.etag}"`,
          ...toExpirationMember(bucket, input.Key ?? "", object),
          ...toChecksumMembers(object.checksum),
          ...toEncryptionMembers(object.encryption),
          ...(bucket.versioning === "Enabled" && { VersionId: object.versionId }),
        };
      },
    },

    AbortMultipartUpload: {
      authorize: (input, call) => access.object(call, "AbortMultipartUpload", input.Bucket, input.Key),
      async run(input) {
        refuse(input, "AbortMultipartUpload", ["IfMatchInitiatedTime"]);
        await store.transact(async (tx) => {
          const bucket = await existingBucket(tx, input);
          const upload = await existingUpload(tx, input);
          tx.delete(uploadKey(bucket, input.Key ?? "", upload.uploadId));
          await releaseParts(tx, needs.blobs, upload.uploadId);
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

export interface UploadName {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly UploadId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

export async function existingUpload(reader: Reader, input: UploadName): Promise<Upload> {
  const bucket = await existingBucket(reader, input);
  const upload = await reader.get<Upload>(uploadKey(bucket, input.Key ?? "", input.UploadId ?? ""));
  if (!upload) throw noSuchUpload(input.UploadId ?? "");
  return upload;
}

function checkPartNumber(number: number | undefined): number {
  if (number === undefined || number < 1 || number > s3Limits.partNumberMax) {
    throw invalidArgument(
      "Part number must be an integer between 1 and 10000, inclusive",
      "partNumber",
      String(number),
    );
  }
  return number;
}

/** The algorithm and type of an upload. Without a word of the client AWS keeps CRC-64/NVME of the whole. */
function toUploadChecksum(
  name: string | undefined,
  type: string | undefined,
): Pick<Upload, "checksumAlgorithm" | "checksumType" | "checksumAsked"> {
  if (name === undefined) {
    if (type !== undefined) {
      throw invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
    }
    return { checksumAlgorithm: "CRC64NVME", checksumType: "FULL_OBJECT", checksumAsked: false };
  }
  const algorithm = parseAlgorithm(name);
  const checksumType = type ?? (algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE");
  if (checksumType !== "FULL_OBJECT" && checksumType !== "COMPOSITE") {
    throw invalidRequest("Value for x-amz-checksum-type header is invalid.");
  }
  const impossible = checksumType === "COMPOSITE" ? algorithm === "CRC64NVME" : !isCrc(algorithm);
  if (impossible) {
    throw invalidRequest(
      `The ${checksumType} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { checksumAlgorithm: algorithm, checksumType, checksumAsked: true };
}

function checkAlgorithm(upload: Upload, sent: ChecksumAlgorithm | undefined): void {
  if (!upload.checksumAsked || sent === undefined || sent === upload.checksumAlgorithm) return;
  throw invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${upload.checksumAlgorithm.toLowerCase()}, actual checksum Type: ${sent.toLowerCase()}`,
  );
}

function partChecksum(upload: Upload, value: string) {
  if (!upload.checksumAsked) return {};
  const members: { [Member in `Checksum${ChecksumAlgorithm}`]?: string } = {};
  members[`Checksum${upload.checksumAlgorithm}`] = value;
  return members;
}

function toCopyRange(range: string | undefined, size: number) {
  if (range === undefined) return undefined;
  const invalid = invalidArgument(
    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
    "x-amz-copy-source-range",
    range,
  );
  if (!/^bytes=\d+-\d+$/.test(range)) throw invalid;
  const parsed = parseRange(range, size);
  const last = Number(range.slice(range.indexOf("-") + 1));
  if (!parsed) throw invalid;
  if (parsed === "unsatisfiable" || last >= size) {
    throw invalidArgument(
      `Range specified is not valid for source object of size: ${size}`,
      "x-amz-copy-source-range",
      range,
    );
  }
  return parsed;
}

/** A part takes the place of the one that had its number. */
async function writePart(
  needs: OperationNeeds,
  input: UploadName,
  number: number,
  received: Received,
  call: Call,
): Promise<void> {
  await commitReceived(needs, received, async (tx, blob) => {
    const upload = await existingUpload(tx, input);
    const key = partKey(upload.uploadId, number);
    const replaced = await tx.get<Part>(key);
    if (replaced) needs.blobs.release(tx, replaced.blob);
    const part: Part = {
      number,
      blob,
      size: received.size,
      etag: received.md5,
      checksum: received.checksum,
      modifiedAt: call.now,
    };
    tx.set(key, part);
  });
}

/** The parts that the client names, checked; those it does not name go. */
async function chooseParts(
  tx: Transaction,
  needs: OperationNeeds,
  upload: Upload,
  asked: readonly CompletedPart[],
): Promise<readonly Part[]> {
  const entries = await tx.range<Part>({ prefix: partPrefix(upload.uploadId) }, { limit: s3Limits.partNumberMax });
  const byNumber = new Map(entries.map(({ value }) => [value.number, value]));
  const chosen: Part[] = [];
  for (const each of asked) {
    const number = each.PartNumber ?? 0;
    if (number <= (chosen.at(-1)?.number ?? 0)) throw invalidPartOrder();
    const part = byNumber.get(number);
    if (!part || part.etag !== each.ETag?.replaceAll('"', "")) throw invalidPart();
    checkPartChecksum(upload, part, each);
    chosen.push(part);
    byNumber.delete(number);
  }
  for (const part of chosen.slice(0, -1)) {
    if (part.size < s3Limits.partBytesMin) throw entityTooSmall(part.size, part.number, part.etag);
  }
  for (const part of byNumber.values()) {
    needs.blobs.release(tx, part.blob);
    tx.delete(partKey(upload.uploadId, part.number));
  }
  return chosen;
}

function checkPartChecksum(upload: Upload, part: Part, asked: CompletedPart): void {
  for (const algorithm of checksumAlgorithms) {
    const value = asked[`Checksum${algorithm}`];
    if (value === undefined || algorithm !== upload.checksumAlgorithm) continue;
    if (value !== part.checksum) throw invalidPart();
    return;
  }
  if (upload.checksumAsked && upload.checksumType === "COMPOSITE") {
    throw invalidRequest(
      `The upload was created using a ${upload.checksumAlgorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`,
    );
  }
}

/** AWS: the MD5 of the parts' MD5s. */
function etagOfParts(parts: readonly Part[]): string {
  const hash = createHash("md5");
  for (const part of parts) hash.update(Buffer.from(part.etag, "hex"));
  return hash.digest("hex");
}

function completeChecksum(upload: Upload, parts: readonly Part[]): Checksum {
  const { checksumAlgorithm: algorithm, checksumType: type } = upload;
  if (type === "FULL_OBJECT" && isCrc(algorithm)) {
    const combined = combineCrcs(
      algorithm,
      parts.map((part) => ({ checksum: Buffer.from(part.checksum, "base64"), bytes: part.size })),
    );
    return { algorithm, value: combined.toString("base64"), type };
  }
  const digest = createDigest(algorithm);
  for (const part of parts) digest.update(Buffer.from(part.checksum, "base64"));
  return { algorithm, value: `${digest.digest().toString("base64")}-${parts.length}`, type };
}

/** What the client says of the whole object. */
function checkAsked(
  input: { readonly ChecksumType?: string | undefined } & {
    readonly [Member in `Checksum${ChecksumAlgorithm}`]?: string | undefined;
  },
  checksum: Checksum,
): void {
  if (input.ChecksumType !== undefined && input.ChecksumType !== checksum.type) {
    throw invalidRequest("The upload was created with another x-amz-checksum-type than the complete request has.");
  }
  for (const algorithm of checksumAlgorithms) {
    const value = input[`Checksum${algorithm}`];
    if (value === undefined) continue;
    if (algorithm !== checksum.algorithm)
      throw invalidRequest(`The upload was created using the ${checksum.algorithm} checksum algorithm.`);
    // A client may leave out the number of parts of a composite checksum.
    if (value !== checksum.value && `${value}-${checksum.value.split("-")[1]}` !== checksum.value) {
      throw badChecksum(algorithm);
    }
  }
}
