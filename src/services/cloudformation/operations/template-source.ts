import type * as s3Sdk from "@aws-sdk/client-s3";
import { AwsError } from "../../../aws/error.ts";
import type { Call, ServiceDirectory } from "../../../wire/service.ts";
import { validationError } from "../errors.ts";
import { cloudFormationLimits as limits } from "../limits.ts";

type S3 = typeof s3Sdk;

/** Where a template's text is said to be: exactly one of these. */
export interface TemplateSource {
  readonly TemplateBody?: string | undefined;
  readonly TemplateURL?: string | undefined;
}

/** The text of a template, from the request or, as the caller, from S3. @throws {AwsError} ValidationError */
export async function readTemplateText(
  source: TemplateSource,
  call: Call,
  directory: ServiceDirectory,
): Promise<string> {
  const { TemplateBody: body, TemplateURL: url } = source;
  if (body !== undefined && url !== undefined) {
    throw validationError("Only one of TemplateBody or TemplateURL may be specified.");
  }
  if (body !== undefined) {
    if (Buffer.byteLength(body) > limits.templateBodyBytesMax) {
      throw validationError(
        `1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${limits.templateBodyBytesMax}`,
      );
    }
    return body;
  }
  if (url === undefined) throw validationError("Either Template URL or Template Body must be specified.");
  return fetchFromS3(url, call, directory);
}

async function fetchFromS3(url: string, call: Call, directory: ServiceDirectory): Promise<string> {
  const location = parseS3Url(url, call.endpoint);
  if (!location) throw validationError("TemplateURL must be a supported URL.");
  const { principal, account, region, endpoint, signal } = call;
  const s3 = directory.client<S3>("s3", {
    principal,
    account,
    region,
    endpoint,
    signal,
    calledVia: ["cloudformation.amazonaws.com"],
  });
  try {
    const { bucket: Bucket, key: Key, versionId: VersionId } = location;
    const { Body } = await s3.GetObject({ Bucket, Key, ...(VersionId !== undefined && { VersionId }) });
    if (Body === undefined) return "";
    return await textOf(Body instanceof Uint8Array ? [Body] : Body);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code === "ValidationError") throw error;
    const reason = error.status === 403 ? "Access Denied" : error.message;
    throw validationError(
      `S3 error: ${reason}\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html`,
    );
  }
}

async function textOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > limits.templateUrlBytesMax) {
      throw validationError(`Template may not exceed ${limits.templateUrlBytesMax} bytes in size.`);
    }
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString("utf8");
}

export interface S3Location {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

/**
 * Bucket and key of an S3 address, in path or virtual-host form: of this platform's own endpoint, or of amazonaws.com,
 * whose names tools write into templates. Both mean this platform's S3.
 */
export function parseS3Url(text: string, endpoint: string): S3Location | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const path = safeDecode(url.pathname.slice(1));
  if (path === undefined) return undefined;
  const version = url.searchParams.get("versionId");
  const versionId = version ? { versionId: version } : {};
  if (url.protocol === "s3:") return path === "" ? undefined : { bucket: url.hostname, key: path, ...versionId };
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  const virtual = /^(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.s3[.-]/.exec(url.hostname)?.groups?.["bucket"];
  const own = url.host === new URL(endpoint).host || isLocal(url.hostname);
  if (!own && !url.hostname.endsWith(".amazonaws.com")) return undefined;
  if (virtual !== undefined) return path === "" ? undefined : { bucket: virtual, key: path, ...versionId };
  if (!own && !/^s3[.-]/.test(url.hostname)) return undefined;
  const slash = path.indexOf("/");
  if (slash < 1 || slash === path.length - 1) return undefined;
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1), ...versionId };
}

function isLocal(hostname: string): boolean {
  return (
    hostname === "127.0.0.1" ||
    hostname === "[::1]" ||
    hostname === "localhost" ||
    /(?:^|\.)localhost(?:\.|$)/.test(hostname)
  );
}

function safeDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
