import { CloudFormation } from "@aws-sdk/client-cloudformation";
import type { S3 } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { refusalOf, s3Client } from "../../../testing/s3.ts";

let platform: TestPlatform;
let s3: S3;
let cloudformation: CloudFormation;

beforeAll(async () => {
  platform = await startTestPlatform();
  s3 = s3Client(platform);
  cloudformation = new CloudFormation(platform.settings);
});
afterAll(() => platform.stop());

/** Create or update a stack; its status and outputs once it has come to rest. */
async function deploy(StackName: string, template: object, update = false) {
  const request = { StackName, TemplateBody: JSON.stringify(template) };
  await (update ? cloudformation.updateStack(request) : cloudformation.createStack(request));
  return settled(StackName);
}

async function settled(StackName: string) {
  for (;;) {
    await platform.platform.jobs.drain();
    const { Stacks } = await cloudformation.describeStacks({ StackName });
    const stack = Stacks?.[0];
    if (stack && !stack.StackStatus?.endsWith("IN_PROGRESS")) {
      const outputs = Object.fromEntries((stack.Outputs ?? []).map((each) => [each.OutputKey, each.OutputValue]));
      return { status: stack.StackStatus, outputs };
    }
  }
}

// The shape of SAM CLI's managed stack.
const everything = {
  PublicAccessBlockConfiguration: {
    BlockPublicPolicy: "true",
    BlockPublicAcls: "true",
    IgnorePublicAcls: "true",
    RestrictPublicBuckets: "true",
  },
  BucketEncryption: {
    ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms" } }],
  },
  VersioningConfiguration: { Status: "Enabled" },
  Tags: [{ Key: "ManagedStackSource", Value: "AwsSamCli" }],
};
const policy = {
  Type: "AWS::S3::BucketPolicy",
  Properties: {
    Bucket: { Ref: "Source" },
    PolicyDocument: {
      Statement: [
        {
          Action: ["s3:*"],
          Effect: "Deny",
          Resource: [{ "Fn::Sub": "arn:aws:s3:::${Source}" }, { "Fn::Sub": "arn:aws:s3:::${Source}/*" }],
          Principal: "*",
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ],
    },
  },
};
const templateOf = (Properties: object, more: object = {}) => ({
  Resources: { Source: { Type: "AWS::S3::Bucket", Properties }, ...more },
  Outputs: {
    Name: { Value: { Ref: "Source" } },
    Arn: { Value: { "Fn::GetAtt": ["Source", "Arn"] } },
    Domain: { Value: { "Fn::GetAtt": ["Source", "RegionalDomainName"] } },
  },
});

describe("AWS::S3::Bucket and AWS::S3::BucketPolicy", () => {
  test("become a bucket with all that the template says, which takes uploads over loopback", async () => {
    const { status, outputs } = await deploy("managed", templateOf(everything, { Policy: policy }));
    expect(status).toBe("CREATE_COMPLETE");
    const Bucket = outputs["Name"] ?? "";
    expect(Bucket).toMatch(/^managed-source-[a-z0-9]+$/);
    expect(outputs).toMatchObject({ Arn: `arn:aws:s3:::${Bucket}`, Domain: `${Bucket}.s3.us-east-1.amazonaws.com` });
    expect((await s3.getBucketVersioning({ Bucket })).Status).toBe("Enabled");
    const { TagSet = [] } = await s3.getBucketTagging({ Bucket });
    expect(TagSet).toContainEqual({ Key: "ManagedStackSource", Value: "AwsSamCli" });
    expect(TagSet).toContainEqual({ Key: "aws:cloudformation:stack-name", Value: "managed" });
    expect((await s3.getBucketPolicy({ Bucket })).Policy).toContain("aws:SecureTransport");
    expect(await s3.putObject({ Bucket, Key: "code.zip", Body: "x" })).toMatchObject({
      ServerSideEncryption: "aws:kms",
    });
  });

  test("change in place, and lose what the template no longer says", async () => {
    const { status, outputs } = await deploy(
      "managed",
      templateOf({ VersioningConfiguration: { Status: "Suspended" } }),
      true,
    );
    expect(status).toBe("UPDATE_COMPLETE");
    const Bucket = outputs["Name"] ?? "";
    expect((await s3.getBucketVersioning({ Bucket })).Status).toBe("Suspended");
    expect(await refusalOf(s3.getBucketPolicy({ Bucket }))).toContain("404 NoSuchBucketPolicy");
    const encryption = await s3.getBucketEncryption({ Bucket });
    expect(encryption.ServerSideEncryptionConfiguration?.Rules?.[0]).toMatchObject({
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" },
    });
  });

  test("stay when they are not empty, and go when they are", async () => {
    const { outputs } = await settled("managed");
    const Bucket = outputs["Name"] ?? "";
    await cloudformation.deleteStack({ StackName: "managed" });
    expect((await settled("managed")).status).toBe("DELETE_FAILED");
    const { Versions = [] } = await s3.listObjectVersions({ Bucket });
    for (const { Key = "", VersionId = "" } of Versions) await s3.deleteObject({ Bucket, Key, VersionId });
    await cloudformation.deleteStack({ StackName: "managed" });
    await platform.platform.jobs.drain();
    expect(await refusalOf(s3.headBucket({ Bucket }))).toContain("404");
  });

  test("do not take over a bucket that was there before", async () => {
    await s3.createBucket({ Bucket: "mine-already" });
    const { status } = await deploy("taken", templateOf({ BucketName: "mine-already" }));
    expect(status).toBe("ROLLBACK_COMPLETE");
    await s3.headBucket({ Bucket: "mine-already" });
  });

  test("are refused, by name, with a property that is not built", async () => {
    const template = templateOf({ ReplicationConfiguration: { Role: "arn:aws:iam::000000000000:role/r", Rules: [] } });
    const refused = cloudformation.createStack({ StackName: "refused", TemplateBody: JSON.stringify(template) });
    await expect(refused).rejects.toThrow("ReplicationConfiguration");
  });
});

test("A template's CORS and lifecycle rules act, and go", async () => {
  const name = "ages";
  const template = (properties: object) => ({
    Resources: { Files: { Type: "AWS::S3::Bucket", Properties: { BucketName: name, ...properties } } },
  });
  const Rules = [
    {
      Id: "a",
      Status: "Enabled",
      Prefix: "p",
      ExpirationInDays: 90,
      Transitions: [{ StorageClass: "STANDARD_IA", TransitionInDays: 30 }],
    },
    {
      Id: "b",
      Status: "Enabled",
      TagFilters: [{ Key: "k", Value: "v" }],
      ObjectSizeLessThan: 9,
      NoncurrentVersionExpirationInDays: 2,
    },
    { Id: "c", Status: "Disabled", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
  ];
  const CorsConfiguration = {
    CorsRules: [{ AllowedMethods: ["GET"], AllowedOrigins: ["*"], ExposedHeaders: ["ETag"], Id: "c", MaxAge: 5 }],
  };
  expect((await deploy(name, template({ LifecycleConfiguration: { Rules }, CorsConfiguration }))).status).toBe(
    "CREATE_COMPLETE",
  );
  const { Rules: stored } = await s3.getBucketLifecycleConfiguration({ Bucket: name });
  expect(stored).toEqual([
    {
      ID: "a",
      Status: "Enabled",
      Filter: { Prefix: "p" },
      Expiration: { Days: 90 },
      Transitions: [{ Days: 30, StorageClass: "STANDARD_IA" }],
    },
    {
      ID: "b",
      Status: "Enabled",
      Filter: { And: { Tags: [{ Key: "k", Value: "v" }], ObjectSizeLessThan: 9 } },
      NoncurrentVersionExpiration: { NoncurrentDays: 2 },
    },
    { ID: "c", Status: "Disabled", Filter: { Prefix: "" }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
  ]);
  expect((await s3.getBucketCors({ Bucket: name })).CORSRules).toEqual([
    { ID: "c", AllowedMethods: ["GET"], AllowedOrigins: ["*"], ExposeHeaders: ["ETag"], MaxAgeSeconds: 5 },
  ]);
  expect((await deploy(name, template({}), true)).status).toBe("UPDATE_COMPLETE");
  expect(await refusalOf(s3.getBucketLifecycleConfiguration({ Bucket: name }))).toMatch(/^404 NoSuchLifecycle/);
  expect(await refusalOf(s3.getBucketCors({ Bucket: name }))).toMatch(/^404 NoSuchCORS/);
});
