/**
 * What AWS's services write and botocore's models do not say, because its parsers do not look: the names of root
 * elements. Source: the response syntax in the Amazon S3 API Reference.
 */
const s3Roots: Readonly<Record<string, string>> = {
  CompleteMultipartUploadOutput: "CompleteMultipartUploadResult",
  CreateMultipartUploadOutput: "InitiateMultipartUploadResult",
  CreateSessionOutput: "CreateSessionResult",
  DeleteObjectsOutput: "DeleteResult",
  GetBucketAccelerateConfigurationOutput: "AccelerateConfiguration",
  GetBucketAclOutput: "AccessControlPolicy",
  GetBucketCorsOutput: "CORSConfiguration",
  GetBucketLifecycleConfigurationOutput: "LifecycleConfiguration",
  GetBucketLifecycleOutput: "LifecycleConfiguration",
  GetBucketLocationOutput: "LocationConstraint",
  GetBucketLoggingOutput: "BucketLoggingStatus",
  GetBucketRequestPaymentOutput: "RequestPaymentConfiguration",
  GetBucketTaggingOutput: "Tagging",
  GetBucketVersioningOutput: "VersioningConfiguration",
  GetBucketWebsiteOutput: "WebsiteConfiguration",
  GetObjectAclOutput: "AccessControlPolicy",
  GetObjectAttributesOutput: "GetObjectAttributesResponse",
  GetObjectTaggingOutput: "Tagging",
  ListBucketAnalyticsConfigurationsOutput: "ListBucketAnalyticsConfigurationResult",
  ListBucketInventoryConfigurationsOutput: "ListInventoryConfigurationsResult",
  ListBucketMetricsConfigurationsOutput: "ListMetricsConfigurationsResult",
  ListBucketsOutput: "ListAllMyBucketsResult",
  ListDirectoryBucketsOutput: "ListAllMyDirectoryBucketsResult",
  ListMultipartUploadsOutput: "ListMultipartUploadsResult",
  ListObjectVersionsOutput: "ListVersionsResult",
  ListObjectsOutput: "ListBucketResult",
  ListObjectsV2Output: "ListBucketResult",
  ListPartsOutput: "ListPartsResult",
};

type Facts = Record<string, unknown>;

/** Adds to a service's table what its model lacks. */
export function overlay(service: string, table: Facts): Facts {
  if (service === "apigatewaymanagementapi") return withoutDataMax(table);
  if (service === "cognito-idp") return withHosts(table);
  if (service !== "s3") return table;
  const shapes = { ...Object(table["shapes"]) };
  for (const [name, root] of Object.entries(s3Roots)) {
    if (shapes[name] === undefined) throw new Error(`S3 has no shape ${name} any more`);
    shapes[name] = { ...shapes[name], locationName: root };
  }
  // AWS takes the names of filter rules in any case, and says of an event it does not know more than that the XML is wrong.
  for (const name of ["Event", "FilterRuleName"]) {
    const { enum: _values, ...text } = Object(shapes[name]);
    shapes[name] = text;
  }
  const operations = { ...Object(table["operations"]) };
  // Its one member is the text of the root element.
  operations["GetBucketLocation"] = { ...operations["GetBucketLocation"], unwrapped: true };
  const metadata = { ...Object(table["metadata"]), xmlNamespace: "http://s3.amazonaws.com/doc/2006-03-01/" };
  return { metadata, operations, shapes };
}

/** More than a message may hold is a PayloadTooLargeException of the operation, not a constraint that is checked before it. */
function withoutDataMax(table: Facts): Facts {
  const shapes = { ...Object(table["shapes"]) };
  const { max: _max, ...data } = Object(shapes["Data"]);
  return { ...table, shapes: { ...shapes, Data: data } };
}

/** The model knows prefixes only; custom domains are hosts, with dots. */
function withHosts(table: Facts): Facts {
  const shapes = { ...Object(table["shapes"]) };
  shapes["DomainType"] = { ...shapes["DomainType"], pattern: String.raw`^[a-z0-9](?:[a-z0-9\-.]{0,61}[a-z0-9])?$` };
  return { ...table, shapes };
}
