import { AwsError } from "../../aws/error.ts";

export function invalidParameter(message: string): AwsError {
  return new AwsError("InvalidParameterException", 400, message);
}

export function filterNotFound(kind: "subscription" | "metric"): AwsError {
  return new AwsError("ResourceNotFoundException", 400, `The specified ${kind} filter does not exist.`);
}

export function policyNotFound(name: string): AwsError {
  return new AwsError("ResourceNotFoundException", 400, `Policy with name [${name}] does not exist`);
}

export function limitExceeded(): AwsError {
  return new AwsError("LimitExceededException", 400, "Resource limit exceeded.");
}

export function groupNotFound(): AwsError {
  return new AwsError("ResourceNotFoundException", 400, "The specified log group does not exist.");
}

export function streamNotFound(): AwsError {
  return new AwsError("ResourceNotFoundException", 400, "The specified log stream does not exist.");
}

export function groupExists(): AwsError {
  return new AwsError("ResourceAlreadyExistsException", 400, "The specified log group already exists");
}

export function streamExists(): AwsError {
  return new AwsError("ResourceAlreadyExistsException", 400, "The specified log stream already exists");
}

export function deletionProtected(): AwsError {
  return new AwsError("ValidationException", 400, "The log group has deletion protection enabled.");
}

export function tooManyTags(arn: string): AwsError {
  return new AwsError("TooManyTagsException", 400, "The resource can have no more than 50 tags.", {
    members: { resourceName: arn },
  });
}
