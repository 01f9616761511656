import { AwsError } from "../aws/error.ts";
import type { Violation } from "./constraints.ts";

/**
 * The error that a service answers when an input breaks its constraints. AWS: one framework writes the message for
 * nearly all services, but each has its own code; S3, API Gateway, SQS and SNS check by hand and say it otherwise.
 */
export function toValidationError(service: string, violations: readonly Violation[]): AwsError {
  switch (service) {
    case "s3":
      return toS3Error(violations);
    case "apigateway":
    case "apigatewayv2":
      return new AwsError("BadRequestException", 400, toApiGatewayMessage(violations));
    case "lambda":
      return toLambdaError(violations);
    case "sqs":
      return toSqsError(violations);
    case "sns":
      return new AwsError("InvalidParameter", 400, toMessage(violations));
    case "ecr":
      return toEcrError(violations);
    case "cloudwatch":
      return toCloudWatchError(violations);
    default:
      return new AwsError(codes[service] ?? "ValidationException", 400, toMessage(violations));
  }
}

const codes: Readonly<Record<string, string>> = {
  iam: "ValidationError",
  sts: "ValidationError",
  cloudformation: "ValidationError",
  logs: "InvalidParameterException",
  "cognito-idp": "InvalidParameterException",
};

/** `2 validation errors detected: Value 'x' at 'name' failed to satisfy constraint: …; Value null at …` */
function toMessage(violations: readonly Violation[]): string {
  const count = violations.length;
  return `${count} validation error${count === 1 ? "" : "s"} detected: ${violations.map(toSentence).join("; ")}`;
}

function toSentence(violation: Violation): string {
  const value = violation.value === undefined ? "null" : `'${violation.value}'`;
  return `Value ${value} at '${violation.path}' failed to satisfy constraint: ${violation.constraint}`;
}

/** AWS: an unknown runtime is told apart, as aliases and ARNs could be meant. */
function toLambdaError(violations: readonly Violation[]): AwsError {
  const runtime = violations.find(
    (violation) => violation.kind === "enum" && violation.member.shape.name === "Runtime",
  );
  if (runtime && violations.length === 1) {
    const message = `Value ${runtime.value ?? ""} at 'runtime' failed to satisfy constraint: ${runtime.constraint} or be a valid ARN`;
    return new AwsError("InvalidParameterValueException", 400, message, { members: { Type: "User" } });
  }
  return new AwsError("ValidationException", 400, toMessage(violations));
}

function toS3Error(violations: readonly Violation[]): AwsError {
  const [first] = violations;
  const member = first?.topMember;
  if (first?.kind === "required" && member?.location === undefined && first.member === member) {
    return new AwsError("MissingRequestBodyError", 400, "Request Body is empty");
  }
  if (first?.kind === "enum" && first.member.name === "LocationConstraint") {
    return new AwsError("InvalidLocationConstraint", 400, "The specified location-constraint is not valid", {
      members: { LocationConstraint: first.value ?? null },
    });
  }
  if (member?.location === undefined) {
    return new AwsError(
      "MalformedXML",
      400,
      "The XML you provided was not well-formed or did not validate against our published schema",
    );
  }
  const name = member.locationName ?? member.name;
  const value = first?.value;
  const told = first?.kind === "required" ? undefined : s3Arguments[name];
  if (name === "x-amz-storage-class") return new AwsError("InvalidStorageClass", 400, told?.message ?? "");
  if (told?.code === "InvalidRequest") return new AwsError("InvalidRequest", 400, told.message);
  const message = told?.message ?? "Invalid Argument";
  return new AwsError("InvalidArgument", 400, told?.names ? `${message}${value ?? ""}` : message, {
    members: { ArgumentName: name, ArgumentValue: value ?? null },
  });
}

/** What S3 says of headers and parameters whose value is none of theirs. */
const s3Arguments: Readonly<
  Record<string, { readonly message: string; readonly code?: "InvalidRequest"; readonly names?: true }>
> = {
  "max-buckets": { message: "Argument max-buckets must be an integer between 1 and 10000" },
  "encoding-type": { message: "Invalid Encoding Method specified in Request" },
  // AWS: without a word.
  "x-amz-acl": { message: "" },
  "x-amz-checksum-algorithm": {
    message:
      "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5]",
    code: "InvalidRequest",
  },
  "x-amz-copy-source": {
    message: "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
  },
  "x-amz-metadata-directive": { message: "Unknown metadata directive." },
  "x-amz-object-attributes": { message: "Invalid attribute name specified." },
  "x-amz-object-lock-legal-hold": { message: "Legal Hold must be either of 'ON' or 'OFF'" },
  "x-amz-object-lock-mode": { message: "Unknown wormMode directive." },
  "x-amz-object-ownership": { message: "Invalid x-amz-object-ownership header: ", names: true },
  "x-amz-sdk-checksum-algorithm": {
    message: "Value for x-amz-sdk-checksum-algorithm header is invalid.",
    code: "InvalidRequest",
  },
  "x-amz-server-side-encryption": { message: "The encryption method specified is not supported" },
  "x-amz-storage-class": { message: "The storage class you specified is not valid" },
  "x-amz-tagging-directive": { message: "Unknown tagging directive." },
};

function toApiGatewayMessage(violations: readonly Violation[]): string {
  const [first] = violations;
  if (!first) return "Invalid request input";
  return first.kind === "required"
    ? `Missing required parameter: ${first.member.name}`
    : `Invalid value for ${first.member.name}: ${first.constraint}`;
}

function toSqsError(violations: readonly Violation[]): AwsError {
  const [first] = violations;
  if (first?.kind === "required") {
    return new AwsError("MissingParameter", 400, `The request must contain the parameter ${first.member.name}.`);
  }
  return new AwsError("InvalidParameterValue", 400, toMessage(violations));
}

function toEcrError(violations: readonly Violation[]): AwsError {
  const [first] = violations;
  const constraint = (first?.constraint ?? "")
    .replace(/^Member /, "")
    .replace(/^(must satisfy regular expression) pattern: (.*)$/s, "$1 '$2'");
  return new AwsError(
    "InvalidParameterException",
    400,
    `Invalid parameter at '${first?.path ?? ""}' failed to satisfy constraint: '${constraint}'`,
  );
}

function toCloudWatchError(violations: readonly Violation[]): AwsError {
  const [first] = violations;
  if (first?.kind === "required") {
    return new AwsError("MissingRequiredParameterException", 400, `The parameter ${first.member.name} is required.`);
  }
  return new AwsError("InvalidParameterValueException", 400, toMessage(violations));
}
