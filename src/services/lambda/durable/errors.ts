import { AwsError } from "../../../aws/error.ts";
import { invalidParameter, notFound } from "../errors.ts";

const user = { members: { Type: "User" } };

export function executionNotFound(): AwsError {
  return notFound("Durable Execution does not exist");
}

export function invalidToken(): AwsError {
  return invalidParameter("Invalid checkpoint token");
}

export function tokenOfAnother(): AwsError {
  return invalidParameter("Checkpoint token is not valid for the durable execution ARN");
}

export function invalidMarker(): AwsError {
  return invalidParameter("Invalid marker");
}

export function alreadyStarted(arn: string): AwsError {
  return new AwsError("DurableExecutionAlreadyStartedException", 409, `Execution already started: ${arn}`, user);
}

export function invalidCallbackId(): AwsError {
  return invalidParameter("Invalid callback id");
}

export function callbackClosed(): AwsError {
  return new AwsError("CallbackTimeoutException", 400, "The callback is either timed out or already completed", user);
}

export function unqualified(): AwsError {
  return invalidParameter("You cannot invoke a durable function using an unqualified ARN.");
}

export function tooLongToWaitFor(): AwsError {
  return invalidParameter(
    "You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.",
  );
}

/** Ours: AWS's words are not known. */
export function notDurable(): AwsError {
  return invalidParameter("DurableExecutionName can only be used with a durable function.");
}
