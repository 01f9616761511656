import { escapeText } from "../../../wire/protocols/xml.ts";
import { notImplemented } from "../../../aws/error.ts";
import { formField, formWithoutFile } from "../errors.ts";
import type { PostedForm, PostedObject } from "../port.ts";
import { checkPostPolicy, parsePostPolicy, withinRange } from "./policy.ts";
import { readForm, type ReadForm } from "./read-form.ts";
import { parseTaggingXml } from "./tagging.ts";

const xml = (name: string, text: string) => `<${name}>${escapeText(text)}</${name}>`;

/** Members of PutObject by the fields that say the same. */
const members: Readonly<Record<string, string>> = {
  acl: "ACL",
  "cache-control": "CacheControl",
  "content-disposition": "ContentDisposition",
  "content-encoding": "ContentEncoding",
  "content-type": "ContentType",
  expires: "Expires",
  "x-amz-checksum-crc32": "ChecksumCRC32",
  "x-amz-checksum-crc32c": "ChecksumCRC32C",
  "x-amz-checksum-crc64nvme": "ChecksumCRC64NVME",
  "x-amz-checksum-sha1": "ChecksumSHA1",
  "x-amz-checksum-sha256": "ChecksumSHA256",
  "x-amz-checksum-sha512": "ChecksumSHA512",
  "x-amz-checksum-md5": "ChecksumMD5",
  "x-amz-checksum-algorithm": "ChecksumAlgorithm",
  "x-amz-sdk-checksum-algorithm": "ChecksumAlgorithm",
  "x-amz-server-side-encryption": "ServerSideEncryption",
  "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
  "x-amz-storage-class": "StorageClass",
  "x-amz-website-redirect-location": "WebsiteRedirectLocation",
};

/** Fields that say how the form is sent, not what the object is. */
const ofTheForm = new Set([
  "bucket",
  "file",
  "key",
  "policy",
  "redirect",
  "submit",
  "success_action_redirect",
  "success_action_status",
  "tagging",
  "x-amz-algorithm",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-signature",
]);

/**
 * Reads a form: who has signed it, and what PutObject is to be asked. Source: "POST Object", Amazon S3 API Reference.
 *
 * @throws {AwsError} what S3 answers to a form that it does not take
 */
export async function postObject(form: PostedForm): Promise<PostedObject> {
  const read = await readForm(form.contentType, form.body);
  if (!read) throw formWithoutFile();
  try {
    return await toPutObject(form, read);
  } catch (error) {
    read.discard();
    throw error;
  }
}

async function toPutObject(form: PostedForm, read: ReadForm): Promise<PostedObject> {
  const fields = new Map([...read.fields, ["bucket", form.bucket]]);
  const field = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined || value === "") throw formField(name);
    return value;
  };
  const key = field("key").replaceAll("${filename}", () => read.fileName);
  const encoded = fields.get("policy");
  const policy = encoded === undefined ? undefined : parsePostPolicy(encoded);
  const signer =
    encoded === undefined
      ? undefined
      : await form.verify({
          policy: encoded,
          credential: checkAlgorithm(field("x-amz-algorithm"), field("x-amz-credential")),
          signature: field("x-amz-signature"),
          ...(fields.has("x-amz-security-token") && { sessionToken: field("x-amz-security-token") }),
        });
  if (policy) checkPostPolicy(policy, new Map([...fields, ["key", key]]), form.now);
  return {
    principal: signer?.principal ?? { type: "anonymous" },
    region: signer?.region,
    input: {
      Bucket: form.bucket,
      Key: key,
      ...toMembers(fields),
      ...(fields.has("tagging") && { Tagging: parseTaggingXml(field("tagging")) }),
      Body: withinRange(policy, read.file),
    },
    answer: (etag) => toAnswer(form, fields, key, etag),
  };
}

function checkAlgorithm(algorithm: string, credential: string): string {
  if (algorithm !== "AWS4-HMAC-SHA256") throw notImplemented(`The form field x-amz-algorithm with ${algorithm}`);
  return credential;
}

function toMembers(fields: ReadonlyMap<string, string>): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  const metadata: Record<string, string> = {};
  for (const [name, value] of fields) {
    const member = members[name];
    if (member !== undefined) input[member] = value;
    else if (name.startsWith("x-amz-meta-")) metadata[name.slice("x-amz-meta-".length)] = value;
    else if (name.startsWith("x-amz-") && !ofTheForm.has(name)) throw notImplemented(`The form field ${name}`);
  }
  return { ...input, Metadata: metadata };
}

function toAnswer(form: PostedForm, fields: ReadonlyMap<string, string>, key: string, etag: string) {
  const path = key.split("/").map(encodeURIComponent).join("/");
  const location = `${form.endpoint}/${form.bucket}/${path}`;
  const redirect = URL.parse(fields.get("success_action_redirect") ?? fields.get("redirect") ?? "");
  if (redirect && /^https?:$/.test(redirect.protocol)) {
    redirect.searchParams.set("bucket", form.bucket);
    redirect.searchParams.set("key", key);
    redirect.searchParams.set("etag", etag);
    return { status: 303, headers: { location: redirect.href, etag }, body: "" };
  }
  const asked = fields.get("success_action_status");
  if (asked === "201") {
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>${xml("Location", location)}${xml("Bucket", form.bucket)}${xml("Key", key)}${xml("ETag", etag)}</PostResponse>`;
    return { status: 201, headers: { "content-type": "application/xml", location, etag }, body };
  }
  // AWS: whatever else is asked for is 204.
  return { status: asked === "200" ? 200 : 204, headers: { location, etag }, body: "" };
}
