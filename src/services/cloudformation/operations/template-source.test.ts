import { expect, test } from "vitest";
import { parseS3Url } from "./template-source.ts";

const endpoint = "http://127.0.0.1:4566";

test.each([
  ["http://127.0.0.1:4566/bucket/a/b.yaml", { bucket: "bucket", key: "a/b.yaml" }],
  ["http://localhost:4566/bucket/a", { bucket: "bucket", key: "a" }],
  ["http://bucket.s3.localhost:4566/a%20b", { bucket: "bucket", key: "a b" }],
  ["https://s3.amazonaws.com/bucket/a", { bucket: "bucket", key: "a" }],
  ["https://s3.eu-west-1.amazonaws.com/bucket/a", { bucket: "bucket", key: "a" }],
  ["https://s3-eu-west-1.amazonaws.com/bucket/a", { bucket: "bucket", key: "a" }],
  ["https://bucket.s3.amazonaws.com/a?versionId=v", { bucket: "bucket", key: "a", versionId: "v" }],
  ["https://my.bucket.s3.us-east-1.amazonaws.com/a", { bucket: "my.bucket", key: "a" }],
  ["https://bucket.s3-us-west-2.amazonaws.com/a", { bucket: "bucket", key: "a" }],
  ["s3://bucket/a", { bucket: "bucket", key: "a" }],
])("%s", (url, location) => {
  expect(parseS3Url(url, endpoint)).toEqual(location);
});

test.each([
  "https://example.com/bucket/a",
  "https://s3.amazonaws.com.example.com/bucket/a",
  "https://bucket.s3.example.com/a",
  "http://169.254.169.254/bucket/a",
  "ftp://bucket.s3.amazonaws.com/a",
  "https://ec2.amazonaws.com/bucket/a",
  "http://127.0.0.1:4566/bucket",
  "http://127.0.0.1:4566/bucket/",
  "http://127.0.0.1:4566/%zz/a",
  "nonsense",
])("%s is not a template's address", (url) => {
  expect(parseS3Url(url, endpoint)).toBeUndefined();
});
