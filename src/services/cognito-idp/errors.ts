import { AwsError } from "../../aws/error.ts";

/** Cognito answers every refusal with 400, and its faults with 500. */
function refusal(code: string, message: string): AwsError {
  return new AwsError(code, 400, message);
}

export function invalidParameter(message: string): AwsError {
  return refusal("InvalidParameterException", message);
}

export function poolNotFound(poolId: string): AwsError {
  return refusal("ResourceNotFoundException", `User pool ${poolId} does not exist.`);
}

export function clientNotFound(clientId: string): AwsError {
  return refusal("ResourceNotFoundException", `User pool client ${clientId} does not exist.`);
}

export function resourceNotFound(message: string): AwsError {
  return refusal("ResourceNotFoundException", message);
}

export function userNotFound(): AwsError {
  return refusal("UserNotFoundException", "User does not exist.");
}

export function notAuthorized(message: string): AwsError {
  return refusal("NotAuthorizedException", message);
}

export function incorrectPassword(): AwsError {
  return notAuthorized("Incorrect username or password.");
}

export function attemptsExceeded(): AwsError {
  return notAuthorized("Password attempts exceeded");
}

export function userDisabled(): AwsError {
  return notAuthorized("User is disabled.");
}

export function userNotConfirmed(): AwsError {
  return refusal("UserNotConfirmedException", "User is not confirmed.");
}

export function passwordResetRequired(): AwsError {
  return refusal("PasswordResetRequiredException", "Password reset required for the user");
}

/** @param attribute what the name is taken as, where names are email addresses or phone numbers */
export function usernameExists(attribute?: string): AwsError {
  return refusal(
    "UsernameExistsException",
    attribute === undefined ? "User already exists" : `An account with the given ${attribute} already exists.`,
  );
}

export function aliasExists(attribute: string): AwsError {
  return refusal("AliasExistsException", `An account with the ${attribute} already exists.`);
}

export function codeMismatch(): AwsError {
  return refusal("CodeMismatchException", "Invalid verification code provided, please try again.");
}

export function wrongMfaCode(): AwsError {
  return refusal("CodeMismatchException", "Invalid code received for user");
}

export function expiredCode(): AwsError {
  return refusal("ExpiredCodeException", "Invalid code provided, please request a code again.");
}

export function limitExceeded(message = "Attempt limit exceeded, please try after some time."): AwsError {
  return refusal("LimitExceededException", message);
}

export function invalidPassword(why: string): AwsError {
  return refusal("InvalidPasswordException", `Password did not conform with policy: ${why}`);
}

export function passwordHistoryViolation(): AwsError {
  return refusal(
    "PasswordHistoryPolicyViolationException",
    "Password does not conform to policy: Password has previously been used",
  );
}

export function invalidSession(why?: string): AwsError {
  return notAuthorized(`Invalid session for the user${why === undefined ? "." : `, ${why}.`}`);
}

export function unsupportedToken(message: string): AwsError {
  return refusal("UnsupportedTokenTypeException", message);
}

export function unsupportedOperation(message: string): AwsError {
  return refusal("UnsupportedOperationException", message);
}

export function refreshTokenReuse(): AwsError {
  return refusal("RefreshTokenReuseException", "Refresh token has been rotated and cannot be used again");
}

export function userLambdaValidation(message: string): AwsError {
  return refusal("UserLambdaValidationException", message);
}

export function preconditionNotMet(message: string): AwsError {
  return refusal("PreconditionNotMetException", message);
}

export function unexpectedLambda(message: string): AwsError {
  return refusal("UnexpectedLambdaException", message);
}

export function invalidLambdaResponse(message: string): AwsError {
  return refusal("InvalidLambdaResponseException", message);
}

export function unsupportedUserState(message: string): AwsError {
  return refusal("UnsupportedUserStateException", message);
}

export function softwareTokenNotFound(): AwsError {
  return refusal("SoftwareTokenMFANotFoundException", "Software Token MFA is not enabled by the userPool");
}

export function enableSoftwareToken(): AwsError {
  return refusal("EnableSoftwareTokenMFAException", "Code mismatch");
}

export function groupNotFound(): AwsError {
  return refusal("ResourceNotFoundException", "Group not found.");
}

export function groupExists(): AwsError {
  return refusal("GroupExistsException", "A group with the name already exists.");
}

export function duplicateProvider(name: string): AwsError {
  return refusal("DuplicateProviderException", `A provider with the name ${name} already exists in the user pool.`);
}

export function scopeDoesNotExist(scope: string): AwsError {
  return refusal("ScopeDoesNotExistException", `Scope ${scope} does not exist.`);
}

export function featureUnavailable(feature: string): AwsError {
  return refusal("FeatureUnavailableInTierException", `${feature} is not available in the feature plan LITE.`);
}

export function invalidOAuthFlow(message: string): AwsError {
  return refusal("InvalidOAuthFlowException", message);
}

export function webAuthn(kind: WebAuthnError, message: string): AwsError {
  return refusal(`WebAuthn${kind}Exception`, message);
}

type WebAuthnError =
  | "ChallengeNotFound"
  | "ClientMismatch"
  | "ConfigurationMissing"
  | "CredentialNotSupported"
  | "NotEnabled"
  | "OriginNotAllowed"
  | "RelyingPartyMismatch";
