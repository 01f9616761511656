import { AwsError } from "../../aws/error.ts";

// Codes, statuses and texts: "Error responses", Amazon S3 API Reference, and what S3 answers.

export const noSuchBucket = (bucket: string) =>
  new AwsError("NoSuchBucket", 404, "The specified bucket does not exist", { members: { BucketName: bucket } });

export const noSuchKey = (key: string) =>
  new AwsError("NoSuchKey", 404, "The specified key does not exist.", { members: { Key: key } });

export const noSuchVersion = (key: string, versionId: string) =>
  new AwsError("NoSuchVersion", 404, "The specified version does not exist.", {
    members: { Key: key, VersionId: versionId },
  });

export const noSuchUpload = (uploadId: string) =>
  new AwsError(
    "NoSuchUpload",
    404,
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { members: { UploadId: uploadId } },
  );

export const bucketAlreadyExists = (bucket: string) =>
  new AwsError(
    "BucketAlreadyExists",
    409,
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
    { members: { BucketName: bucket } },
  );

export const bucketAlreadyOwnedByYou = (bucket: string) =>
  new AwsError(
    "BucketAlreadyOwnedByYou",
    409,
    "Your previous request to create the named bucket succeeded and you already own it.",
    { members: { BucketName: bucket } },
  );

export const bucketNotEmpty = (bucket: string, versioned: boolean) =>
  new AwsError(
    "BucketNotEmpty",
    409,
    versioned
      ? "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
      : "The bucket you tried to delete is not empty",
    { members: { BucketName: bucket } },
  );

export const invalidBucketName = (bucket: string) =>
  new AwsError("InvalidBucketName", 400, "The specified bucket is not valid.", { members: { BucketName: bucket } });

export const illegalLocationConstraint = (constraint: string) =>
  new AwsError(
    "IllegalLocationConstraintException",
    400,
    `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );

export const invalidLocationConstraint = (constraint: string) =>
  new AwsError("InvalidLocationConstraint", 400, "The specified location-constraint is not valid", {
    members: { LocationConstraint: constraint },
  });

export const wrongRegion = (asked: string, actual: string) =>
  new AwsError(
    "AuthorizationHeaderMalformed",
    400,
    `The authorization header is malformed; the region '${asked}' is wrong; expecting '${actual}'`,
    { members: { Region: actual }, headers: { "x-amz-bucket-region": actual } },
  );

export const accessDenied = () => new AwsError("AccessDenied", 403, "Access Denied");

const blocked = (who: string, action: string, resource: string, why: string) =>
  new AwsError(
    "AccessDenied",
    403,
    `User: ${who} is not authorized to perform: ${action} on resource: "${resource}" because public ${why} block public access setting.`,
  );

export const blockedPublicPolicy = (who: string, resource: string) =>
  blocked(who, "s3:PutBucketPolicy", resource, "policies are blocked by the BlockPublicPolicy");

export const blockedPublicAcl = (who: string, action: string, resource: string) =>
  blocked(who, action, resource, "access control lists (ACLs) are blocked by the BlockPublicAcls");

export const noSuchBucketPolicy = (bucket: string) =>
  new AwsError("NoSuchBucketPolicy", 404, "The bucket policy does not exist", { members: { BucketName: bucket } });

export const malformedPolicy = (why: string) => new AwsError("MalformedPolicy", 400, why);

export const noSuchTagSet = (bucket: string) =>
  new AwsError("NoSuchTagSet", 404, "The TagSet does not exist", { members: { BucketName: bucket } });

export const noSuchPublicAccessBlock = (bucket: string) =>
  new AwsError("NoSuchPublicAccessBlockConfiguration", 404, "The public access block configuration was not found", {
    members: { BucketName: bucket },
  });

export const noOwnershipControls = (bucket: string) =>
  new AwsError("OwnershipControlsNotFoundError", 404, "The bucket ownership controls were not found", {
    members: { BucketName: bucket },
  });

export const aclNotSupported = () =>
  new AwsError("AccessControlListNotSupported", 400, "The bucket does not allow ACLs");

export const noSuchWebsite = (bucket: string) =>
  new AwsError("NoSuchWebsiteConfiguration", 404, "The specified bucket does not have a website configuration", {
    members: { BucketName: bucket },
  });

export const incorrectEndpoint = (bucket: string, region: string) =>
  new AwsError(
    "IncorrectEndpoint",
    400,
    "The specified bucket exists in another region. Please direct requests to the specified endpoint.",
    { members: { Endpoint: `${bucket}.s3-website-${region}.amazonaws.com` } },
  );

export const noObjectLock = (bucket: string) =>
  new AwsError(
    "ObjectLockConfigurationNotFoundError",
    404,
    "Object Lock configuration does not exist for this bucket",
    { members: { BucketName: bucket } },
  );

export const noObjectLockOf = (key: string) =>
  new AwsError("NoSuchObjectLockConfiguration", 404, "The specified object does not have a ObjectLock configuration", {
    members: { Key: key },
  });

export const lacksObjectLock = () => invalidRequest("Bucket is missing Object Lock Configuration");

export const lockNeedsVersioning = () =>
  new AwsError(
    "InvalidBucketState",
    409,
    "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
  );

export const versioningIsLocked = () =>
  new AwsError(
    "InvalidBucketState",
    409,
    "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
  );

export const protectedByLock = () =>
  new AwsError("AccessDenied", 403, "Access Denied because object protected by object lock.");

export const aclWithOwnerEnforced = (bucket: string) =>
  new AwsError(
    "InvalidBucketAclWithObjectOwnership",
    400,
    "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    { members: { BucketName: bucket } },
  );

export const malformedAcl = () =>
  new AwsError(
    "MalformedACLError",
    400,
    "The XML you provided was not well-formed or did not validate against our published schema",
  );

/** AWS: "As of October 1, 2025, Amazon S3 has discontinued support for Email Grantee Access Control Lists". */
export const emailGrantee = () =>
  new AwsError("MethodNotAllowed", 405, "The specified method is not allowed against this resource.");

export const mixedAcls = () => invalidRequest("Specifying both Canned ACLs and Header Grants is not allowed");

export const unexpectedContent = () => new AwsError("UnexpectedContent", 400, "This request does not support content");

export const missingAcl = () =>
  new AwsError("MissingSecurityHeader", 400, "Your request was missing a required header", {
    members: { MissingHeaderName: "x-amz-acl" },
  });

export const malformedXml = () =>
  new AwsError(
    "MalformedXML",
    400,
    "The XML you provided was not well-formed or did not validate against our published schema",
  );

export const invalidArgument = (message: string, name?: string, value?: string) =>
  new AwsError("InvalidArgument", 400, message, { members: { ArgumentName: name, ArgumentValue: value } });

export const noSuchCors = (bucket: string) =>
  new AwsError("NoSuchCORSConfiguration", 404, "The CORS configuration does not exist", {
    members: { BucketName: bucket },
  });

export const malformedForm = () =>
  new AwsError("MalformedPOSTRequest", 400, "The body of your POST request is not well-formed multipart/form-data.");

export const tooLargeFields = () =>
  new AwsError(
    "MaxPostPreDataLengthExceeded",
    400,
    "Your POST request fields preceding the upload file were too large.",
  );

export const formWithoutFile = () =>
  new AwsError("IncorrectNumberOfFilesInPostRequest", 400, "POST requires exactly one file upload per request.");

export const formField = (name: string) =>
  invalidArgument(
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
    name,
    "",
  );

export const invalidPolicyDocument = (why: string) =>
  new AwsError("InvalidPolicyDocument", 400, `Invalid Policy: ${why}`);

export const invalidByPolicy = (why: string) =>
  new AwsError("AccessDenied", 403, `Invalid according to Policy: ${why}`);

export const entityTooLargeForm = (proposed: number, max: number) =>
  new AwsError("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size", {
    members: { ProposedSize: String(proposed), MaxSizeAllowed: String(max) },
  });

export const entityTooSmallForm = (proposed: number, min: number) =>
  new AwsError("EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size", {
    members: { ProposedSize: String(proposed), MinSizeAllowed: String(min) },
  });

export const noSuchLifecycle = (bucket: string) =>
  new AwsError("NoSuchLifecycleConfiguration", 404, "The lifecycle configuration does not exist", {
    members: { BucketName: bucket },
  });

export const corsIncomplete = (message: string) => new AwsError("BadRequest", 400, message);

export const corsForbidden = (message: string, method: string, resourceType: "BUCKET" | "OBJECT") =>
  new AwsError("AccessForbidden", 403, message, { members: { Method: method, ResourceType: resourceType } });

export const invalidDestination = (arn: string) =>
  new AwsError("InvalidArgument", 400, "Unable to validate the following destination configurations", {
    members: { ArgumentName1: `${arn}, null`, ArgumentValue1: `Not authorized to invoke function [${arn}]` },
  });

export const invalidRequest = (message: string) => new AwsError("InvalidRequest", 400, message);

export const invalidTag = (message: string) => new AwsError("InvalidTag", 400, message);

export const tooManyTags = (message: string) => new AwsError("BadRequest", 400, message);

export const entityTooLarge = (bytesMax: number) =>
  new AwsError("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size", {
    members: { MaxSizeAllowed: bytesMax },
  });

export const entityTooSmall = (bytes: number, part: number, etag: string) =>
  new AwsError("EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size", {
    members: { ProposedSize: bytes, MinSizeAllowed: 5_242_880, PartNumber: part, ETag: etag },
  });

export const keyTooLong = (bytes: number, bytesMax: number) =>
  new AwsError("KeyTooLongError", 400, "Your key is too long", { members: { Size: bytes, MaxSizeAllowed: bytesMax } });

export const metadataTooLarge = (bytes: number, bytesMax: number) =>
  new AwsError("MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size", {
    members: { Size: bytes, MaxSizeAllowed: bytesMax },
  });

export const invalidPart = () =>
  new AwsError(
    "InvalidPart",
    400,
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  );

export const invalidPartOrder = () =>
  new AwsError(
    "InvalidPartOrder",
    400,
    "The list of parts was not in ascending order. Parts must be ordered by part number.",
  );

export const invalidPartNumber = (partNumber: number, count: number) =>
  new AwsError("InvalidPartNumber", 416, "The requested partnumber is not satisfiable", {
    members: { PartNumberRequested: partNumber, ActualPartCount: count },
  });

export const invalidRange = (asked: string, size: number) =>
  new AwsError("InvalidRange", 416, "The requested range is not satisfiable", {
    members: { RangeRequested: asked, ActualObjectSize: size },
    headers: { "content-range": `bytes */${size}` },
  });

export const preconditionFailed = (condition: string) =>
  new AwsError("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold", {
    members: { Condition: condition },
  });

export const notModified = (headers: Readonly<Record<string, string>>) =>
  new AwsError("NotModified", 304, "Not Modified", { headers });

export const methodNotAllowed = (method: string, headers: Readonly<Record<string, string>>) =>
  new AwsError("MethodNotAllowed", 405, "The specified method is not allowed against this resource.", {
    members: { Method: method, ResourceType: "DeleteMarker" },
    headers,
  });

export const conditionNotImplemented = (header: string) =>
  new AwsError("NotImplemented", 501, "A header you provided implies functionality that is not implemented", {
    members: { Header: header },
  });
