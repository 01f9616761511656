import { AwsError } from "../../../aws/error.ts";
import { conflict, invalidParameter, notFound } from "../errors.ts";

const user = { members: { Type: "User" } };

/** Gap: AWS's sentence is not known. */
export function capacityProviderNotFound(name: string): AwsError {
  return notFound(`Capacity provider not found: ${name}`);
}

export function providersExceeded(): AwsError {
  return new AwsError(
    "CapacityProviderLimitExceededException",
    400,
    "The maximum number of capacity providers for your account has been exceeded.",
    user,
  );
}

export function versionsExceeded(): AwsError {
  return new AwsError(
    "FunctionVersionsPerCapacityProviderLimitExceededException",
    400,
    "The maximum number of function versions that can be associated with a single capacity provider has been exceeded.",
    user,
  );
}

/** As observed on AWS (2026-08). */
export function noCapacity(): AwsError {
  return new AwsError(
    "AccessDeniedException",
    403,
    "The function provided by the arn does not contain a capacity provider configuration",
    user,
  );
}

/** To whatever wants to use a version that is not active. */
export function inState(state: string): AwsError {
  return conflict(
    `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
  );
}

/** Gap: AWS's sentence is not known. */
export function otherArchitecture(architecture: string): AwsError {
  return invalidParameter(`The capacity provider runs functions of the architecture ${architecture} alone.`);
}
