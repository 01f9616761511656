import type { ConditionKeys } from "../../access/further-keys.ts";
import { requestTagKeys } from "../../wire/request-tags.ts";
import type { Call, ConditionKeysOf, HttpFacts, Service } from "../../wire/service.ts";
import type { Sdk } from "./needs.ts";

/**
 * What policies may look at in every request to S3: how it was signed, and when. Source: "Amazon S3 Signature Version 4
 * authentication-specific policy keys".
 */
function ofRequest({ headers, query, tlsVersion }: HttpFacts, now: number): ConditionKeys {
  const isPresigned = query.has("X-Amz-Signature");
  const isSigned = isPresigned || headers["authorization"] !== undefined;
  const at = toTime(isPresigned ? query.get("X-Amz-Date") : headers["x-amz-date"]);
  const tls = tlsVersion?.();
  const sha256 = headers["x-amz-content-sha256"];
  return {
    ...(isSigned && {
      "s3:authType": [isPresigned ? "REST-QUERY-STRING" : "REST-HEADER"],
      "s3:signatureversion": ["AWS4-HMAC-SHA256"],
      ...(at !== undefined && { "s3:signatureAge": [String(Math.max(0, now - at))] }),
    }),
    ...(sha256 !== undefined && { "s3:x-amz-content-sha256": [sha256] }),
    ...(tls !== undefined && { "s3:TlsVersion": [tls] }),
  };
}

/** `20260102T030405Z` in milliseconds. */
function toTime(text: string | null | undefined): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "");
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** Members that are condition keys, with the keys; all but the last two only of what writes. */
const memberKeys = {
  ACL: "s3:x-amz-acl",
  GrantFullControl: "s3:x-amz-grant-full-control",
  GrantRead: "s3:x-amz-grant-read",
  GrantReadACP: "s3:x-amz-grant-read-acp",
  GrantWrite: "s3:x-amz-grant-write",
  GrantWriteACP: "s3:x-amz-grant-write-acp",
  ServerSideEncryption: "s3:x-amz-server-side-encryption",
  SSEKMSKeyId: "s3:x-amz-server-side-encryption-aws-kms-key-id",
  SSECustomerAlgorithm: "s3:x-amz-server-side-encryption-customer-algorithm",
  StorageClass: "s3:x-amz-storage-class",
  WebsiteRedirectLocation: "s3:x-amz-website-redirect-location",
  ObjectOwnership: "s3:x-amz-object-ownership",
  IfMatch: "s3:if-match",
  IfNoneMatch: "s3:if-none-match",
} as const;

const writing = new Set(["CreateBucket", "PutBucketAcl", "PutObject", "PutObjectAcl", "PutObjectVersionAcl"]);

function ofMembers(input: object, action: string): ConditionKeys {
  const name = action.slice("s3:".length);
  if (!writing.has(name) && name !== "DeleteObject") return {};
  const given = new Map<string, unknown>(Object.entries(input));
  const keys: Record<string, readonly string[]> = {};
  for (const [member, key] of Object.entries(memberKeys)) {
    const value = given.get(member);
    if (typeof value === "string" && (name !== "DeleteObject" || member === "IfMatch")) keys[key] = [value];
  }
  return keys;
}

/** Tags that a request gives an object. */
function ofTags(tags: readonly (readonly [key: string, value: string])[]): ConditionKeys {
  if (tags.length === 0) return {};
  return {
    "s3:RequestObjectTagKeys": tags.map(([key]) => key),
    ...Object.fromEntries(tags.map(([key, value]) => [`s3:RequestObjectTag/${key}`, [value]])),
  };
}

/** What a request says that writes an object: its tags, and how it is locked. */
function ofDraft(
  input: {
    readonly Tagging?: string | undefined;
    readonly ObjectLockMode?: string | undefined;
    readonly ObjectLockRetainUntilDate?: Date | undefined;
    readonly ObjectLockLegalHoldStatus?: string | undefined;
  },
  { now }: Call,
): ConditionKeys {
  const { ObjectLockMode: mode, ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus: hold } = input;
  return {
    ...ofTags([...new URLSearchParams(input.Tagging ?? "")]),
    ...ofRetention(mode, until, now),
    ...(hold !== undefined && { "s3:object-lock-legal-hold": [hold] }),
  };
}

const dayMs = 86_400_000;

function ofRetention(mode: string | undefined, until: Date | undefined, now: number): ConditionKeys {
  return {
    ...(mode !== undefined && { "s3:object-lock-mode": [mode] }),
    ...(until && {
      "s3:object-lock-retain-until-date": [until.toISOString()],
      "s3:object-lock-remaining-retention-days": [String(Math.ceil((until.getTime() - now) / dayMs))],
    }),
  };
}

/** Whether the request makes an object appear, as the parts of an upload do not: rules for conditional writes look at it. */
const creates = (text: "true" | "false"): ConditionKeys => ({ "s3:ObjectCreationOperation": [text] });

const reads = (action: string): boolean => action.startsWith("s3:Get");

const byOperation: ConditionKeysOf<Sdk> = {
  CreateBucket: ({ CreateBucketConfiguration: given }) => ({
    // Without one it is us-east-1, which has no name as a constraint.
    ...(given?.LocationConstraint !== undefined && { "s3:locationconstraint": [given.LocationConstraint] }),
    ...requestTagKeys(given?.Tags),
  }),
  PutObject: (input, call) => ({ ...ofDraft(input, call), ...creates("true") }),
  CopyObject: (input, call, action) => (reads(action) ? {} : { ...ofDraft(input, call), ...creates("true") }),
  CreateMultipartUpload: (input, call) => ({ ...ofDraft(input, call), ...creates("false") }),
  UploadPart: () => creates("false"),
  UploadPartCopy: (_input, _call, action) => (reads(action) ? {} : creates("false")),
  CompleteMultipartUpload: () => creates("true"),
  PutObjectTagging: (input) =>
    ofTags((input.Tagging?.TagSet ?? []).map(({ Key = "", Value = "" }) => [Key, Value] as const)),
  PutObjectRetention: ({ Retention }, call) => ofRetention(Retention?.Mode, Retention?.RetainUntilDate, call.now),
  PutObjectLegalHold: ({ LegalHold }) =>
    LegalHold?.Status === undefined ? {} : { "s3:object-lock-legal-hold": [LegalHold.Status] },
};

/** Of every operation there is. */
export function s3ConditionKeys(operations: Service["operations"]): NonNullable<Service["conditionKeys"]> {
  const own: NonNullable<Service["conditionKeys"]> = byOperation;
  return Object.fromEntries(
    Object.keys(operations).map((name) => [
      name,
      async (input: never, call: Call, action: string) => ({
        ...(call.http && ofRequest(call.http, call.now)),
        ...ofMembers(input, action),
        ...(await own[name]?.(input, call, action)),
      }),
    ]),
  );
}
