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

export function invalidIdentityToken(message: string): AwsError {
  return new AwsError("InvalidIdentityToken", 400, message);
}

/** @param now and `expiresAt`, in seconds */
export function expiredIdentityToken(now: number, expiresAt: number): AwsError {
  return new AwsError(
    "ExpiredTokenException",
    400,
    `Token expired: current date/time ${now} must be before the expiration date/time ${expiresAt}`,
  );
}

export function invalidAuthorizationMessage(): AwsError {
  return new AwsError("InvalidAuthorizationMessageException", 400, "Message is not valid");
}
