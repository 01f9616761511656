import { AwsError } from "../../../aws/error.ts";

export function badRequest(message: string): AwsError {
  return new AwsError("BadRequestException", 400, message);
}

export function domainNotFound(): AwsError {
  return new AwsError("NotFoundException", 404, "Invalid domain name identifier specified");
}

export function apiNotFound(account: string, apiId: string): AwsError {
  return new AwsError("NotFoundException", 404, `Invalid API identifier specified ${account}:${apiId}`);
}

export function stageNotFound(): AwsError {
  return new AwsError("NotFoundException", 404, "Invalid stage identifier specified");
}

export function domainExists(): AwsError {
  return new AwsError("ConflictException", 409, "The domain name you provided already exists.");
}

/** The name exists in another region: AWS tells them apart by their addresses, and here there is one listener. */
export function domainExistsElsewhere(): AwsError {
  return new AwsError(
    "ConflictException",
    409,
    "The domain name you provided already exists in another account or region of this installation.",
  );
}

export function tooManyDomains(limit: number): AwsError {
  return new AwsError(
    "LimitExceededException",
    429,
    `Maximum number of domain names for this account has been reached. Limit: ${limit}`,
  );
}

export function notCovered(): AwsError {
  return badRequest("The domain name to be created is not covered by the provided certificate.");
}
