import { AwsError } from "../../../aws/error.ts";
import { sourceArn } from "../lambda-call.ts";
import { refuse, type HttpStep } from "./request.ts";

/** Routes authorized by IAM: the signature is verified, and `execute-api:Invoke` evaluated for the route's ARN. */
export const iamStep: HttpStep = (request, next) => {
  const { exchange, stage, body } = request;
  const { needs, published } = stage;
  const { account, region } = published;
  const arn = sourceArn(published, exchange.method, exchange.path);
  needs.access.check(exchange, body, { account, region, arn }, request).then(
    (caller) => {
      request.caller = caller;
      next();
    },
    (error: unknown) => {
      if (!(error instanceof AwsError)) needs.log.error("Authorizing a request broke", { error });
      const refused = error instanceof AwsError && error.status < 500;
      refuse(request, refused ? 403 : 500, refused ? "Forbidden" : "Internal Server Error");
    },
  );
};
