import { AwsError } from "../../aws/error.ts";

function refusal(code: string, message: string): AwsError {
  return new AwsError(code, 400, message);
}

export function invalidParameter(message: string): AwsError {
  return refusal("InvalidParameterException", message);
}

export function notAuthorized(message: string): AwsError {
  return refusal("NotAuthorizedException", message);
}

export function poolNotFound(poolId: string): AwsError {
  return refusal("ResourceNotFoundException", `IdentityPool '${poolId}' not found.`);
}

export function identityNotFound(identityId: string): AwsError {
  return refusal("ResourceNotFoundException", `Identity '${identityId}' not found.`);
}

export function resourceConflict(message: string): AwsError {
  return refusal("ResourceConflictException", message);
}

export function limitExceeded(message: string): AwsError {
  return refusal("LimitExceededException", message);
}

export function developerUserAlreadyRegistered(): AwsError {
  return refusal(
    "DeveloperUserAlreadyRegisteredException",
    "The provided developer user identifier is already registered with Cognito under a different identity ID.",
  );
}

export function invalidPoolConfiguration(): AwsError {
  return refusal(
    "InvalidIdentityPoolConfigurationException",
    "Invalid identity pool configuration. Check assigned IAM roles for this pool.",
  );
}

export function unauthenticatedRefused(): AwsError {
  return notAuthorized("Unauthenticated access is not supported for this identity pool.");
}

export function loginsDoNotMatch(): AwsError {
  return notAuthorized(
    "Logins don't match. Please include at least one valid login for this identity or identity pool.",
  );
}

export function unsupportedProvider(): AwsError {
  return notAuthorized("Token is not from a supported provider of this identity pool.");
}

export function invalidLoginToken(why: string): AwsError {
  return notAuthorized(`Invalid login token. ${why}`);
}
