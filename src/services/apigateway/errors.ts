import { AwsError } from "../../aws/error.ts";

export function badRequest(message: string): AwsError {
  return new AwsError("BadRequestException", 400, message);
}

export function conflict(message: string): AwsError {
  return new AwsError("ConflictException", 409, message);
}

export function apiNotFound(account: string, apiId: string): AwsError {
  return new AwsError("NotFoundException", 404, `Invalid API identifier specified ${account}:${apiId}`);
}

/** @param kind as AWS names it: `Resource`, `Method`, `Integration`, `stage`, `Deployment` */
export function childNotFound(kind: string): AwsError {
  return new AwsError("NotFoundException", 404, `Invalid ${kind} identifier specified`);
}

/** @param what as AWS names it: `RestApi`, `stage` */
export function stillMapped(what: string, domainNames: readonly string[]): AwsError {
  return badRequest(
    `Please remove all base path mappings related to the ${what} in your domains: ${domainNames.join(", ")}`,
  );
}

export function basePathNotFound(): AwsError {
  return new AwsError("NotFoundException", 404, "Invalid base path mapping identifier specified");
}

export function invalidApiKey(): AwsError {
  return new AwsError("NotFoundException", 404, "Invalid API Key identifier specified");
}

export function invalidUsagePlan(): AwsError {
  return new AwsError("NotFoundException", 404, "Invalid Usage Plan identifier specified");
}

export function statusCodeNotFound(): AwsError {
  return new AwsError("NotFoundException", 404, "Invalid Response status code specified");
}

export function gatewayResponseNotFound(): AwsError {
  return new AwsError("NotFoundException", 404, "Gateway response type not defined on api");
}

export function parameterNotFound(): AwsError {
  return new AwsError("NotFoundException", 404, "Invalid parameter name specified");
}

export function limitExceeded(what: string, limit: number): AwsError {
  return new AwsError("LimitExceededException", 429, `Maximum number of ${what} has been reached. Limit: ${limit}`);
}

/** What a usage plan does not have, or what it cannot have because it is not there. */
export function apiStageNotFound(message: string): AwsError {
  return new AwsError("NotFoundException", 404, message);
}

export function stageInTwoPlans(planId: string, stage: string): AwsError {
  return conflict(
    `Usage Plan ${planId} cannot be added because API Key cannot reference multiple Usage Plans with the same Api Stage: ${stage}`,
  );
}
