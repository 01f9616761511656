import { AwsError } from "../../aws/error.ts";
import type { EntityKind } from "./model.ts";

export function noSuchEntity(message: string): AwsError {
  return new AwsError("NoSuchEntity", 404, message);
}

export function entityNotFound(kind: EntityKind, name: string): AwsError {
  return noSuchEntity(`The ${kind} with name ${name} cannot be found.`);
}

export function inlinePolicyNotFound(kind: EntityKind, policyName: string): AwsError {
  return noSuchEntity(`The ${kind} policy with name ${policyName} cannot be found.`);
}

export function policyNotFound(policyArn: string): AwsError {
  return noSuchEntity(`Policy ${policyArn} was not found.`);
}

export function policyNotAttachable(policyArn: string): AwsError {
  return noSuchEntity(`Policy ${policyArn} does not exist or is not attachable.`);
}

export function policyNotAttached(policyArn: string): AwsError {
  return noSuchEntity(`Policy ${policyArn} was not found.`);
}

export function policyVersionNotFound(policyArn: string, versionId: string): AwsError {
  return noSuchEntity(`Policy ${policyArn} version ${versionId} does not exist or is not attachable.`);
}

export function accessKeyNotFound(accessKeyId: string): AwsError {
  return noSuchEntity(`The Access Key with id ${accessKeyId} cannot be found.`);
}

export function entityAlreadyExists(kind: EntityKind, name: string): AwsError {
  const noun = { role: "Role", user: "User", group: "Group" }[kind];
  return new AwsError("EntityAlreadyExists", 409, `${noun} with name ${name} already exists.`);
}

export function policyAlreadyExists(name: string): AwsError {
  return new AwsError(
    "EntityAlreadyExists",
    409,
    `A policy called ${name} already exists. Duplicate names are not allowed.`,
  );
}

/** @param first what must happen first: `must detach all policies first` */
export function deleteConflict(first: string): AwsError {
  return new AwsError("DeleteConflict", 409, `Cannot delete entity, ${first}.`);
}

export function policyInUse(message: string): AwsError {
  return new AwsError("DeleteConflict", 409, message);
}

export function quotaExceeded(quota: string, limit: number): AwsError {
  return limitExceeded(`Cannot exceed quota for ${quota}: ${limit}`);
}

export function limitExceeded(message: string): AwsError {
  return new AwsError("LimitExceeded", 409, message);
}

export function malformedPolicyDocument(message: string): AwsError {
  return new AwsError("MalformedPolicyDocument", 400, message);
}

export function validationError(message: string): AwsError {
  return new AwsError("ValidationError", 400, message);
}

/** The wording of AWS for a managed policy of its own. */
export function notYourPolicy(policyArn: string): AwsError {
  return new AwsError("AccessDenied", 403, `Policy ${policyArn} is outside your own account.`);
}

export function alreadyExists(message: string): AwsError {
  return new AwsError("EntityAlreadyExists", 409, message);
}

export function invalidInput(message: string): AwsError {
  return new AwsError("InvalidInput", 400, message);
}

export function invalidAuthenticationCode(): AwsError {
  return new AwsError("InvalidAuthenticationCode", 403, "Authentication code for device is not valid.");
}

export function accessDenied(message: string): AwsError {
  return new AwsError("AccessDenied", 403, message);
}

export function passwordPolicyViolation(message: string): AwsError {
  return new AwsError("PasswordPolicyViolation", 400, message);
}

export function invalidUserType(): AwsError {
  return new AwsError("InvalidUserType", 400, "Only IAM Users can change their own password");
}

/** A role that only the service may change that it is linked to. */
export function unmodifiableEntity(roleName: string): AwsError {
  const message = `Cannot perform the operation on the protected role '${roleName}' - this role is only modifiable by AWS`;
  return new AwsError("UnmodifiableEntity", 400, message);
}

export function reportNotPresent(): AwsError {
  return new AwsError("ReportNotPresent", 410, "No report exists. Generate a new credential report.");
}

export function reportExpired(): AwsError {
  return new AwsError("ReportExpired", 410, "Report has expired. Generate a new credential report.");
}
