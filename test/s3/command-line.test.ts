import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { runTool, tools } from "../../src/testing/tools.ts";

let platform: TestPlatform;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  platform = await startTestPlatform();
  folder = await mkdtemp(join(tmpdir(), "cumulet-s3-"));
  env = {
    HOME: folder,
    AWS_ENDPOINT_URL: platform.endpoint,
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: platform.settings.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: platform.settings.credentials.secretAccessKey,
  };
});
afterAll(async () => {
  await platform.stop();
  await rm(folder, { recursive: true });
});

// Version 2.9 of the AWS CLI knows no AWS_ENDPOINT_URL; boto3 below stands for what version 1 does.
test.skipIf(!tools.awsV2)(
  "the AWS CLI makes a bucket, syncs up, copies down, presigns, moves and removes all again",
  { timeout: 180_000 },
  async () => {
    const aws = async (...args: string[]) => {
      const result = await runTool(tools.awsV2 ?? "", ["--endpoint-url", platform.endpoint, ...args], {
        cwd: folder,
        env,
      });
      expect(`${result.status} ${result.stderr}`).toMatch(/^0 /);
      return result.stdout;
    };
    const large = randomBytes(17 * 1024 * 1024);
    await mkdir(join(folder, "up/deep"), { recursive: true });
    await writeFile(join(folder, "up/large.bin"), large);
    await writeFile(join(folder, "up/deep/ü b+c.txt"), "small");
    await aws("s3", "mb", "s3://cli");
    await aws("s3", "sync", "up", "s3://cli/up");
    await aws("s3", "cp", "--recursive", "s3://cli/up", "down");
    expect((await readFile(join(folder, "down/large.bin"))).equals(large)).toBe(true);
    expect(await readFile(join(folder, "down/deep/ü b+c.txt"), "utf8")).toBe("small");
    const url = (await aws("s3", "presign", "s3://cli/up/deep/ü b+c.txt")).trim();
    expect(await (await fetch(url)).text()).toBe("small");
    await aws("s3", "mv", "s3://cli/up/deep/ü b+c.txt", "s3://cli/moved.txt");
    await aws("s3", "mv", "s3://cli/moved.txt", "moved.txt");
    expect(await readFile(join(folder, "moved.txt"), "utf8")).toBe("small");
    await rm(join(folder, "up/large.bin"));
    expect(await aws("s3", "sync", "--delete", "up", "s3://cli/up")).toContain("delete: s3://cli/up/large.bin");
    expect(await aws("s3", "rm", "--recursive", "s3://cli/up")).toContain("delete: s3://cli/up/deep/ü b+c.txt");
    expect(await aws("s3", "ls", "s3://cli")).toBe("");
    expect(await aws("s3", "rb", "--force", "s3://cli")).toContain("remove_bucket: cli");
  },
);

const script = `
import boto3, io, os
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
s3 = boto3.client("s3")
s3.create_bucket(Bucket="boto", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
print("location", s3.get_bucket_location(Bucket="boto")["LocationConstraint"])
s3.upload_fileobj(io.BytesIO(b"x" * 20_000_000), "boto", "large")
body = s3.get_object(Bucket="boto", Key="large", Range="bytes=19999990-")
print("range", body["ContentRange"], body["Body"].read().decode())
s3.put_object(Bucket="boto", Key="a b/ü", Body=b"1", Metadata={"k": "v"})
print("keys", [o["Key"] for p in s3.get_paginator("list_objects_v2").paginate(Bucket="boto", PaginationConfig={"PageSize": 1}) for o in p["Contents"]])
print("metadata", s3.head_object(Bucket="boto", Key="a b/ü")["Metadata"])
try:
    s3.get_object(Bucket="boto", Key="absent")
except ClientError as error:
    print("error", error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
try:
    s3.head_object(Bucket="boto", Key="absent")
except ClientError as error:
    print("head", error.response["Error"]["Code"])
print("waiter", s3.get_waiter("object_exists").wait(Bucket="boto", Key="large"))
bucket = boto3.resource("s3").Bucket("boto")
open("sent.bin", "wb").write(os.urandom(12_000_000))
bucket.upload_file("sent.bin", "sent", Config=TransferConfig(multipart_threshold=1, multipart_chunksize=5 * 1024 * 1024))
bucket.Object("copied").copy({"Bucket": "boto", "Key": "sent"})
bucket.download_file("copied", "got.bin", Config=TransferConfig(multipart_threshold=1, multipart_chunksize=1024 * 1024))
print("transfer", open("sent.bin", "rb").read() == open("got.bin", "rb").read(), bucket.Object("sent").e_tag[-3:])
bucket.objects.all().delete()
s3.delete_bucket(Bucket="boto")
print("buckets", [b["Name"] for b in s3.list_buckets()["Buckets"]])
`;

test.skipIf(!tools.python)(
  "boto3 does what it does with AWS, redirected to the bucket's region",
  { timeout: 120_000 },
  async () => {
    const result = await runTool(tools.python ?? "", ["-c", script], { cwd: folder, env });
    expect(result.stderr).toBe("");
    expect(result.stdout.trim().split("\n")).toEqual([
      "location eu-west-1",
      "range bytes 19999990-19999999/20000000 xxxxxxxxxx",
      "keys ['a b/ü', 'large']",
      "metadata {'k': 'v'}",
      "error NoSuchKey 404",
      "head 404",
      "waiter None",
      'transfer True -3"',
      "buckets []",
    ]);
  },
);
