import { AwsError } from "../../aws/error.ts";

export function invalidValue(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", 400, message);
}

export function missing(message: string): AwsError {
  return new AwsError("MissingRequiredParameterException", 400, message);
}

export function invalidCombination(message: string): AwsError {
  return new AwsError("InvalidParameterCombinationException", 400, message);
}

/** AWS: GetMetricData tells whatever is wrong with a query as `ValidationException` (`ValidationError` to query clients). */
export function invalidQuery(message: string): AwsError {
  return new AwsError("ValidationException", 400, message);
}

export function invalidToken(): AwsError {
  return new AwsError("InvalidNextToken", 400, "The specified nextToken is invalid.");
}
