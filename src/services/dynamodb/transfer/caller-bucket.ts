import type * as S3Sdk from "@aws-sdk/client-s3";
import { AwsError } from "../../../aws/error.ts";
import type { Principal } from "../../../aws/principal.ts";
import type { CallAs, ClientOf } from "../../../wire/service.ts";
import type { Place } from "../model.ts";

/** S3 with the permissions of whoever asked for an export or import. */
export function asCaller(
  s3: (as: CallAs) => ClientOf<typeof S3Sdk>,
  place: Place,
  caller: { readonly principal: Principal; readonly endpoint: string },
  signal: AbortSignal,
): ClientOf<typeof S3Sdk> {
  const { account, region } = place;
  return s3({ ...caller, account, region, signal, calledVia: ["dynamodb.amazonaws.com"] });
}

/** How an export or import tells what S3 refused; undefined for anything that may go well another time. */
export function toFailure(error: unknown): { readonly code: string; readonly message: string } | undefined {
  if (!(error instanceof AwsError) || error.status >= 500) return undefined;
  return { code: `S3${error.code}`, message: error.message };
}
