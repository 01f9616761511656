import { describe, expect, test } from "vitest";
import { parseQuery } from "./protocols/rest-bindings.ts";
import { createModels } from "./tables/catalog.ts";

const models = createModels();

async function route(service: string, method: string, target: string, headers: Record<string, string> = {}) {
  const { router } = await models.load(service);
  const [path = "/", query = ""] = target.split("?");
  return router.match(method, path, parseQuery(query), headers)?.name;
}

describe("routes", () => {
  test.each([
    ["GET", "/", "ListBuckets"],
    ["GET", "/?x-id=ListDirectoryBuckets", "ListDirectoryBuckets"],
    ["PUT", "/b", "CreateBucket"],
    ["PUT", "/b/", "CreateBucket"],
    ["GET", "/b/", "ListObjects"],
    ["GET", "/b?list-type=2&prefix=a", "ListObjectsV2"],
    ["GET", "/b?location", "GetBucketLocation"],
    ["GET", "/b?lifecycle", "GetBucketLifecycleConfiguration"],
    ["GET", "/b?notification=", "GetBucketNotificationConfiguration"],
    ["GET", "/b?analytics", "ListBucketAnalyticsConfigurations"],
    ["GET", "/b?analytics&id=x", "GetBucketAnalyticsConfiguration"],
    ["HEAD", "/b", "HeadBucket"],
    ["HEAD", "/b/k", "HeadObject"],
    ["GET", "/b/k/", "GetObject"],
    ["GET", "/b//", "GetObject"],
    ["GET", "/b/k?acl", "GetObjectAcl"],
    ["GET", "/b/k?uploadId=u", "ListParts"],
    ["PUT", "/b/k", "PutObject"],
    ["PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"],
    ["PUT", "/b/k?tagging", "PutObjectTagging"],
    ["POST", "/b/k?uploads", "CreateMultipartUpload"],
    ["POST", "/b/k?uploadId=u", "CompleteMultipartUpload"],
    ["POST", "/b?delete", "DeleteObjects"],
    ["DELETE", "/b/k?uploadId=u", "AbortMultipartUpload"],
    ["DELETE", "/b/k?versionId=v", "DeleteObject"],
    ["PATCH", "/b/k", undefined],
  ])("S3: %s %s is %s", async (method, target, operation) => {
    expect(await route("s3", method, target)).toBe(operation);
  });

  test("S3: a source to copy makes PutObject CopyObject, and UploadPart UploadPartCopy", async () => {
    const headers = { "x-amz-copy-source": "a/b" };
    expect(await route("s3", "PUT", "/b/k", headers)).toBe("CopyObject");
    expect(await route("s3", "PUT", "/b/k?partNumber=1&uploadId=u", headers)).toBe("UploadPartCopy");
  });

  test.each([
    ["lambda", "GET", "/2015-03-31/functions/", "ListFunctions"],
    ["lambda", "GET", "/2015-03-31/functions", "ListFunctions"],
    ["lambda", "DELETE", "/2017-03-31/tags/arn%3Aaws%3Alambda?tagKeys=a", "UntagResource"],
    ["lambda", "DELETE", "/2017-03-31/tags/arn%3Aaws%3Alambda", "UntagResource"],
    ["apigateway", "GET", "/restapis/a/resources", "GetResources"],
    ["apigateway", "PUT", "/restapis/a?mode=merge", "PutRestApi"],
    ["apigatewayv2", "GET", "/v2/apis/a/routes/r", "GetRoute"],
    ["lambda", "GET", "/2015-03-31/nothing", undefined],
  ])("%s: %s %s is %s", async (service, method, target, operation) => {
    expect(await route(service, method, target)).toBe(operation);
  });
});
