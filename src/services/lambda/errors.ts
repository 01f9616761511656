import { AwsError } from "../../aws/error.ts";

const user = { members: { Type: "User" } };

export function invalidParameter(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", 400, message, user);
}

/** What AWS's front refuses before the service sees it. */
export function constraintFailed(value: string | number, member: string, constraint: string): AwsError {
  return new AwsError(
    "ValidationException",
    400,
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}

export function notFound(message: string): AwsError {
  return new AwsError("ResourceNotFoundException", 404, message, user);
}

export function functionNotFound(arn: string): AwsError {
  return notFound(`Function not found: ${arn}`);
}

export function codeSigningConfigNotFound(arn: string): AwsError {
  return new AwsError(
    "CodeSigningConfigNotFoundException",
    404,
    `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${arn}.`,
    user,
  );
}

export function aliasNotFound(arn: string): AwsError {
  return notFound(`Cannot find alias arn: ${arn}`);
}

export function resourceNotFound(): AwsError {
  return notFound("The resource you requested does not exist.");
}

export function conflict(message: string): AwsError {
  return new AwsError("ResourceConflictException", 409, message, user);
}

export function revisionMismatch(read: string): AwsError {
  return new AwsError(
    "PreconditionFailedException",
    412,
    `The RevisionId provided does not match the latest RevisionId. Call the ${read} API to retrieve the latest RevisionId`,
    user,
  );
}

export function requestTooLarge(bytesMax: number, operation: string): AwsError {
  return new AwsError(
    "RequestTooLargeException",
    413,
    `Request must be smaller than ${bytesMax} bytes for the ${operation} operation`,
    user,
  );
}

export function invalidRequestContent(reason: string): AwsError {
  return new AwsError("InvalidRequestContentException", 400, `Could not parse request body into json: ${reason}`, user);
}

export type ThrottleReason =
  | "ReservedFunctionConcurrentInvocationLimitExceeded"
  | "ReservedFunctionInvocationRateLimitExceeded"
  | "ConcurrentInvocationLimitExceeded";

export function tooManyRequests(reason: ThrottleReason): AwsError {
  return new AwsError("TooManyRequestsException", 429, "Rate Exceeded.", {
    members: { Type: "User", Reason: reason, retryAfterSeconds: "1" },
  });
}

export function provisionedConfigNotFound(): AwsError {
  return new AwsError(
    "ProvisionedConcurrencyConfigNotFoundException",
    404,
    "No Provisioned Concurrency Config found for this function",
    user,
  );
}

export function recursiveInvocation(): AwsError {
  return new AwsError(
    "RecursiveInvocationException",
    400,
    "Lambda has detected your function being invoked in a recursive loop with other AWS resources and stopped your function's invocation.",
    user,
  );
}

/** AWS's answer for a runtime that it cannot run; here the host lacks it, and the message says what to install. */
export function invalidRuntime(message: string): AwsError {
  return new AwsError("InvalidRuntimeException", 502, message, { members: { Type: "User" } });
}

const notAssumable = "The role defined for the function cannot be assumed by Lambda.";

/** To CreateFunction and UpdateFunctionConfiguration. */
export function roleNotAssumable(): AwsError {
  return invalidParameter(notAssumable);
}

/** To Invoke, of a function whose role has gone since. */
export function roleRefused(): AwsError {
  return new AwsError("AccessDeniedException", 403, notAssumable);
}

export function cannotUnzip(): AwsError {
  return invalidParameter("Could not unzip uploaded file. Please check your file, then try to upload again.");
}

export function unzippedTooLarge(bytesMax: number): AwsError {
  return invalidParameter(`Unzipped size must be smaller than ${bytesMax} bytes`);
}

/** To Invoke, of a function whose image was deleted from its repository. AWS names the reason in `StateReasonCode`, as ImageDeleted. */
export function imageGone(uri: string): AwsError {
  return new AwsError(
    "CodeArtifactUserDeletedException",
    409,
    `The container image ${uri} of the function was deleted from its repository`,
    user,
  );
}

export function codeStorageExceeded(): AwsError {
  return new AwsError("CodeStorageExceededException", 400, "Code storage limit exceeded.", user);
}

export function policyTooLong(bytes: number, bytesMax: number): AwsError {
  return new AwsError(
    "PolicyLengthExceededException",
    400,
    `The final policy size (${bytes}) is bigger than the limit (${bytesMax}).`,
    user,
  );
}
