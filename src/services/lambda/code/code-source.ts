import { AwsError, notImplemented } from "../../../aws/error.ts";
import type { Call } from "../../../wire/service.ts";
import { invalidParameter, requestTooLarge } from "../errors.ts";
import { lambdaLimits } from "../limits.ts";
import type { CodePackage } from "../model.ts";
import type { LambdaNeeds } from "../needs.ts";
import type { CodeStore } from "./code-store.ts";

/** Where a request says its package is. */
export interface CodeSource {
  readonly ZipFile?: Uint8Array | undefined;
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly S3ObjectVersion?: string | undefined;
  readonly S3ObjectStorageMode?: string | undefined;
  readonly ImageUri?: string | undefined;
  readonly SourceKMSKeyArn?: string | undefined;
}

/** Take in the package that a request brings or points to; from S3 as the caller, who must be allowed to read it. */
export async function receiveCode(
  source: CodeSource,
  call: Call,
  needs: { readonly code: CodeStore; readonly s3: LambdaNeeds["s3"] },
): Promise<CodePackage> {
  const { ZipFile, S3Bucket, S3Key } = source;
  if (source.SourceKMSKeyArn !== undefined) throw notImplemented("Code.SourceKMSKeyArn");
  if (source.S3ObjectStorageMode === "REFERENCE") throw notImplemented("Code.S3ObjectStorageMode=REFERENCE");
  if (ZipFile !== undefined) {
    if (S3Bucket !== undefined || S3Key !== undefined) {
      throw invalidParameter("Please do not provide other FunctionCode parameters when providing a ZipFile.");
    }
    if (ZipFile.byteLength > lambdaLimits.zipUploadBytesMax) {
      throw requestTooLarge(lambdaLimits.zipUploadBytesMax, call.operation);
    }
    if (ZipFile.byteLength === 0) throw invalidParameter("Uploaded file must be a non-empty zip");
    return needs.code.receive(ZipFile);
  }
  if (S3Bucket === undefined || S3Key === undefined) {
    throw invalidParameter("Please provide a source for function code.");
  }
  return needs.code.receive(await readObject(S3Bucket, S3Key, source.S3ObjectVersion, call, needs.s3));
}

async function readObject(
  bucket: string,
  key: string,
  version: string | undefined,
  call: Call,
  s3: LambdaNeeds["s3"],
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    const { Body } = await s3(call).GetObject({
      Bucket: bucket,
      Key: key,
      ...(version !== undefined && { VersionId: version }),
    });
    if (Body instanceof Uint8Array) return Body;
    for await (const chunk of Body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > lambdaLimits.unzippedBytesMax) break;
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof AwsError && error.status < 500) {
      throw invalidParameter(
        `Error occurred while GetObject. S3 Error Code: ${error.code}. S3 Error Message: ${error.message}`,
      );
    }
    throw error;
  }
  if (bytes > lambdaLimits.unzippedBytesMax) {
    throw invalidParameter(`Unzipped size must be smaller than ${lambdaLimits.unzippedBytesMax} bytes`);
  }
  return Buffer.concat(chunks);
}
