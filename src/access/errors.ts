import { AwsError } from "../aws/error.ts";

/**
 * AWS's services name the same refusal differently. `rest`: Lambda, API Gateway; `json`: the awsJson services, which
 * answer 400 where others answer 403; `query`: IAM, STS, CloudFormation and what descends from them; `s3`.
 */
export type Dialect = "rest" | "json" | "query" | "s3";

const queryServices = new Set([
  "iam",
  "sts",
  "cloudformation",
  "sns",
  "sqs",
  "monitoring",
  "cloudwatch",
  "ec2",
  "autoscaling",
  "elasticloadbalancing",
  "rds",
  "ses",
]);

const jsonServices = new Set([
  "dynamodb",
  "dynamodbstreams",
  "kinesis",
  "firehose",
  "logs",
  "kms",
  "ssm",
  "secretsmanager",
  "events",
  "states",
  "ecr",
  "cloudtrail",
  "cognito-idp",
  "cognito-identity",
  "application-autoscaling",
  "tagging",
  "acm",
]);

/** The dialect of a service, by the name in a credential scope or in an action. */
export function toDialect(service: string): Dialect {
  if (service === "s3") return "s3";
  if (queryServices.has(service)) return "query";
  return jsonServices.has(service) ? "json" : "rest";
}

const mismatch =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

export interface SignatureFacts {
  readonly accessKeyId: string;
  readonly stringToSign: string;
  readonly signature: string;
  readonly canonicalRequest: string;
}

/** The signature is not the one we calculate. S3 tells what it signed; nothing of that is secret. */
export function signatureDoesNotMatch(dialect: Dialect, facts?: SignatureFacts): AwsError {
  if (dialect !== "s3") return invalidSignature(dialect, mismatch);
  const message =
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
  return new AwsError("SignatureDoesNotMatch", 403, message, {
    members: facts
      ? {
          AWSAccessKeyId: facts.accessKeyId,
          StringToSign: facts.stringToSign,
          SignatureProvided: facts.signature,
          StringToSignBytes: toSpacedHex(facts.stringToSign),
          CanonicalRequest: facts.canonicalRequest,
          CanonicalRequestBytes: toSpacedHex(facts.canonicalRequest),
        }
      : {},
  });
}

/** A signature that cannot be right, with AWS's reason. */
export function invalidSignature(dialect: Dialect, message: string): AwsError {
  if (dialect === "s3") return new AwsError("AuthorizationHeaderMalformed", 400, message);
  if (dialect === "query") return new AwsError("SignatureDoesNotMatch", 403, message);
  return new AwsError("InvalidSignatureException", status(dialect), message);
}

export function incompleteSignature(dialect: Dialect, message: string): AwsError {
  if (dialect === "s3") return new AwsError("AuthorizationHeaderMalformed", 400, message);
  const code = dialect === "query" ? "IncompleteSignature" : "IncompleteSignatureException";
  return new AwsError(code, dialect === "json" ? 400 : 403, message);
}

export function unrecognizedClient(dialect: Dialect, accessKeyId: string): AwsError {
  const message = "The security token included in the request is invalid.";
  if (dialect === "query") return new AwsError("InvalidClientTokenId", 403, message);
  if (dialect !== "s3") return new AwsError("UnrecognizedClientException", status(dialect), message);
  return new AwsError("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records.", {
    members: { AWSAccessKeyId: accessKeyId },
  });
}

export function invalidToken(dialect: Dialect, accessKeyId: string): AwsError {
  if (dialect !== "s3") return unrecognizedClient(dialect, accessKeyId);
  return new AwsError("InvalidToken", 400, "The provided token is malformed or otherwise invalid.");
}

export function expiredToken(dialect: Dialect): AwsError {
  if (dialect === "s3") return new AwsError("ExpiredToken", 400, "The provided token has expired.");
  const message = "The security token included in the request is expired";
  if (dialect === "query") return new AwsError("ExpiredToken", 403, message);
  return new AwsError("ExpiredTokenException", status(dialect), message);
}

/** Nobody signed, and the operation is not open to everybody. */
export function missingAuthentication(dialect: Dialect): AwsError {
  if (dialect === "s3") return new AwsError("AccessDenied", 403, "Access Denied");
  if (dialect === "query") {
    return new AwsError("MissingAuthenticationToken", 403, "Request is missing Authentication Token");
  }
  return new AwsError("MissingAuthenticationTokenException", status(dialect), "Missing Authentication Token");
}

export function requestTimeTooSkewed(requestTime: string, now: number, skewMsMax: number): AwsError {
  const message = "The difference between the request time and the current time is too large.";
  return new AwsError("RequestTimeTooSkewed", 403, message, {
    members: {
      RequestTime: requestTime,
      ServerTime: toSeconds(now),
      MaxAllowedSkewMilliseconds: String(skewMsMax),
    },
  });
}

/** S3's answer to a presigned URL that is past its time. */
export function requestHasExpired(expiresSeconds: number, expiresAt: number, now: number): AwsError {
  return new AwsError("AccessDenied", 403, "Request has expired", {
    members: {
      "X-Amz-Expires": String(expiresSeconds),
      Expires: toSeconds(expiresAt),
      ServerTime: toSeconds(now),
    },
  });
}

/** S3's answer to a presigned URL that is not well formed. */
export function authorizationQueryParameters(message: string): AwsError {
  return new AwsError("AuthorizationQueryParametersError", 400, message);
}

/** The policies do not allow it. */
export function accessDenied(dialect: Dialect, message: string): AwsError {
  if (dialect === "s3" || dialect === "query") return new AwsError("AccessDenied", 403, message);
  return new AwsError("AccessDeniedException", status(dialect), message);
}

function status(dialect: Dialect): number {
  return dialect === "json" ? 400 : 403;
}

function toSeconds(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}

function toSpacedHex(text: string): string {
  return Buffer.from(text, "latin1")
    .toString("hex")
    .replaceAll(/..(?=.)/g, "$& ");
}
