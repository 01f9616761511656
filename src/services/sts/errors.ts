import { AwsError } from "../../aws/error.ts";

export function validationError(message: string): AwsError {
  return new AwsError("ValidationError", 400, message);
}

export function malformedPolicyDocument(message: string): AwsError {
  return new AwsError("MalformedPolicyDocument", 400, message);
}

export function packedPolicyTooLarge(percent: number): AwsError {
  return new AwsError(
    "PackedPolicyTooLarge",
    400,
    `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`,
  );
}

export function accessDenied(message: string): AwsError {
  return new AwsError("AccessDenied", 403, message);
}
