import { AwsError } from "../../../aws/error.ts";
import { maskAccount } from "../authorizers/resource-policy.ts";
import { sourceArn } from "../lambda-call.ts";
import { refuse, type RestRequest, type RestStep } from "./request.ts";

/** Methods authorized by IAM: the signature is verified, and `execute-api:Invoke` evaluated for the method's ARN. */
export const iamStep: RestStep = (request, next) => {
  const { exchange, stage, body } = request;
  const { needs, published } = stage;
  const { account, region } = published;
  const arn = sourceArn(published, exchange.method, exchange.path);
  const { policy } = published;
  const resource = { account, region, arn, ...(policy === undefined ? {} : { policy }) };
  needs.access.check(exchange, body, resource, request).then(
    (caller) => {
      request.caller = caller;
      next();
    },
    (error: unknown) => {
      if (!(error instanceof AwsError)) needs.log.error("Authorizing a request broke", { error });
      refuseAccess(request, error);
    },
  );
};

function refuseAccess(request: RestRequest, error: unknown): void {
  if (!(error instanceof AwsError) || error.status >= 500) return refuse(request, "API_CONFIGURATION_ERROR");
  if (error.code.startsWith("AccessDenied")) return refuse(request, "ACCESS_DENIED", maskAccount(error.message));
  if (error.code.startsWith("MissingAuthenticationToken")) return refuse(request, "MISSING_AUTHENTICATION_TOKEN");
  if (error.code.startsWith("ExpiredToken")) return refuse(request, "EXPIRED_TOKEN", error.message);
  return refuse(request, "INVALID_SIGNATURE", error.message);
}
