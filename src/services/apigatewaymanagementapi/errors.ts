import { AwsError } from "../../aws/error.ts";

export function gone(): AwsError {
  return new AwsError("GoneException", 410, "");
}

export function forbidden(): AwsError {
  return new AwsError("ForbiddenException", 403, "Forbidden");
}

export function limitExceeded(): AwsError {
  return new AwsError("LimitExceededException", 429, "");
}

export function payloadTooLarge(): AwsError {
  return new AwsError("PayloadTooLargeException", 413, "Payload Too Large");
}
