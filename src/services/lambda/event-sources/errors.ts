import { AwsError } from "../../../aws/error.ts";
import { conflict, invalidParameter } from "../errors.ts";

const user = { members: { Type: "User" } };

/** The spaces within the quotation marks are AWS's. */
export function mappingExists(sourceArn: string, functionName: string, uuid: string): AwsError {
  return conflict(
    `The event source arn (" ${sourceArn} ") and function (" ${functionName} ") provided mapping already exists. Please update or delete the existing mapping with UUID ${uuid}`,
  );
}

export function mappingInUse(change: "update" | "delete"): AwsError {
  return new AwsError(
    "ResourceInUseException",
    400,
    `Cannot ${change} the event source mapping because it is in use.`,
    user,
  );
}

export function unrecognizedSource(): AwsError {
  return invalidParameter("Unrecognized event source.");
}

export function invalidFilter(): AwsError {
  return invalidParameter("Invalid filter pattern definition.");
}
