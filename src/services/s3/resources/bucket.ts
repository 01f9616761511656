import type {
  BucketCannedACL,
  BucketLocationConstraint,
  CORSRule,
  ObjectLockConfiguration,
  ObjectLockEnabled,
  ObjectLockRetentionMode,
  ObjectOwnership,
  ServerSideEncryption,
} from "@aws-sdk/client-s3";
import { AwsError } from "../../../aws/error.ts";
import type { ClientOf } from "../../../wire/service.ts";
import type { ResourceContext, ResourceState, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { lifecycleProperties, toLifecycleRules } from "./lifecycle.ts";
import { toNotifications } from "./notifications.ts";
import { isAwsError, listOf, recordOf, textOf } from "./properties.ts";
import { toWebsite, toWebsiteUrl, websiteProperties } from "./website.ts";

export const bucketType: ResourceType = {
  type: "AWS::S3::Bucket",
  properties: [
    "AccessControl",
    "BucketName",
    "BucketEncryption.ServerSideEncryptionConfiguration[].BucketKeyEnabled",
    "BucketEncryption.ServerSideEncryptionConfiguration[].ServerSideEncryptionByDefault.SSEAlgorithm",
    "CorsConfiguration.CorsRules[].AllowedHeaders",
    "CorsConfiguration.CorsRules[].AllowedMethods",
    "CorsConfiguration.CorsRules[].AllowedOrigins",
    "CorsConfiguration.CorsRules[].ExposedHeaders",
    "CorsConfiguration.CorsRules[].Id",
    "CorsConfiguration.CorsRules[].MaxAge",
    ...lifecycleProperties,
    "NotificationConfiguration.LambdaConfigurations[].Event",
    "NotificationConfiguration.LambdaConfigurations[].Filter.S3Key.Rules[].Name",
    "NotificationConfiguration.LambdaConfigurations[].Filter.S3Key.Rules[].Value",
    "NotificationConfiguration.LambdaConfigurations[].Function",
    "ObjectLockConfiguration.ObjectLockEnabled",
    "ObjectLockConfiguration.Rule.DefaultRetention.Days",
    "ObjectLockConfiguration.Rule.DefaultRetention.Mode",
    "ObjectLockConfiguration.Rule.DefaultRetention.Years",
    "ObjectLockEnabled",
    "OwnershipControls.Rules[].ObjectOwnership",
    "PublicAccessBlockConfiguration.BlockPublicAcls",
    "PublicAccessBlockConfiguration.BlockPublicPolicy",
    "PublicAccessBlockConfiguration.IgnorePublicAcls",
    "PublicAccessBlockConfiguration.RestrictPublicBuckets",
    "Tags[].Key",
    "Tags[].Value",
    "VersioningConfiguration.Status",
    ...websiteProperties,
  ],
  attributes: ["Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"],

  async create(context) {
    const s3 = context.client<Sdk>("s3");
    const name = textOf(context.properties["BucketName"]) ?? context.generateName(63, "lowercase");
    // AWS: in us-east-1 creating one's own bucket again succeeds; a stack must not take it over for that.
    if (!context.resumed && (await exists(s3, name))) {
      throw new AwsError("AlreadyExists", 409, `${name} already exists`);
    }
    try {
      await s3.CreateBucket({
        Bucket: name,
        ...(isTrue(context.properties["ObjectLockEnabled"]) && { ObjectLockEnabledForBucket: true }),
        ...(context.region !== "us-east-1" && {
          CreateBucketConfiguration: { LocationConstraint: parseLocation(context.region) },
        }),
      });
    } catch (error) {
      if (!context.resumed || !isAwsError(error, "BucketAlreadyOwnedByYou")) throw error;
    }
    try {
      await configure(context, name, {});
    } catch (error) {
      await s3.DeleteBucket({ Bucket: name });
      throw error;
    }
    return toState(context, name);
  },

  async update(context) {
    await configure(context, context.state.physicalId, context.previous);
    return toState(context, context.state.physicalId);
  },

  async delete(context) {
    try {
      await context.client<Sdk>("s3").DeleteBucket({ Bucket: context.state.physicalId });
    } catch (error) {
      if (!isAwsError(error, "NoSuchBucket")) throw error;
    }
  },
};

async function exists(s3: ClientOf<Sdk>, bucket: string): Promise<boolean> {
  try {
    await s3.HeadBucket({ Bucket: bucket });
    return true;
  } catch (error) {
    // Whatever else is wrong, CreateBucket says it better.
    if (error instanceof AwsError) return false;
    throw error;
  }
}

/** Bring a bucket's settings to what the template says; one that it no longer names goes back to its default. */
async function configure(
  context: ResourceContext,
  bucket: string,
  previous: Readonly<Record<string, unknown>>,
): Promise<void> {
  const s3 = context.client<Sdk>("s3");
  const { properties } = context;
  const had = (name: string) => previous[name] !== undefined;

  const block = recordOf(properties["PublicAccessBlockConfiguration"]);
  if (block) {
    await s3.PutPublicAccessBlock({
      Bucket: bucket,
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: isTrue(block["BlockPublicAcls"]),
        BlockPublicPolicy: isTrue(block["BlockPublicPolicy"]),
        IgnorePublicAcls: isTrue(block["IgnorePublicAcls"]),
        RestrictPublicBuckets: isTrue(block["RestrictPublicBuckets"]),
      },
    });
  } else if (had("PublicAccessBlockConfiguration")) await s3.DeletePublicAccessBlock({ Bucket: bucket });

  const [rule] = listOf(recordOf(properties["BucketEncryption"])?.["ServerSideEncryptionConfiguration"]).map(recordOf);
  if (rule) {
    const algorithm = textOf(recordOf(rule["ServerSideEncryptionByDefault"])?.["SSEAlgorithm"]) ?? "AES256";
    await s3.PutBucketEncryption({
      Bucket: bucket,
      ServerSideEncryptionConfiguration: {
        Rules: [
          {
            ApplyServerSideEncryptionByDefault: { SSEAlgorithm: parseAlgorithm(algorithm) },
            BucketKeyEnabled: isTrue(rule["BucketKeyEnabled"]),
          },
        ],
      },
    });
  } else if (had("BucketEncryption")) await s3.DeleteBucketEncryption({ Bucket: bucket });

  const [control] = listOf(recordOf(properties["OwnershipControls"])?.["Rules"]).map(recordOf);
  if (control) {
    const asked = textOf(control["ObjectOwnership"]) ?? "";
    await s3.PutBucketOwnershipControls({
      Bucket: bucket,
      OwnershipControls: { Rules: [{ ObjectOwnership: parseOwnership(asked) }] },
    });
  } else if (had("OwnershipControls")) await s3.DeleteBucketOwnershipControls({ Bucket: bucket });

  const canned = textOf(properties["AccessControl"]);
  if (canned !== undefined) await s3.PutBucketAcl({ Bucket: bucket, ACL: parseAcl(canned) });
  else if (had("AccessControl")) await s3.PutBucketAcl({ Bucket: bucket, ACL: "private" });

  const status = textOf(recordOf(properties["VersioningConfiguration"])?.["Status"]);
  const locked = isTrue(properties["ObjectLockEnabled"]);
  // AWS: what is locked stays versioned, though the template says nothing of it.
  if (status !== undefined || (had("VersioningConfiguration") && !locked)) {
    await s3.PutBucketVersioning({
      Bucket: bucket,
      VersioningConfiguration: { Status: status === "Enabled" ? "Enabled" : "Suspended" },
    });
  }

  const lock = recordOf(properties["ObjectLockConfiguration"]);
  if (lock ?? (locked && had("ObjectLockConfiguration"))) {
    await s3.PutObjectLockConfiguration({ Bucket: bucket, ObjectLockConfiguration: toObjectLock(lock) });
  }

  const website = recordOf(properties["WebsiteConfiguration"]);
  if (website) await s3.PutBucketWebsite({ Bucket: bucket, WebsiteConfiguration: toWebsite(website) });
  else if (had("WebsiteConfiguration")) await s3.DeleteBucketWebsite({ Bucket: bucket });

  const cors = recordOf(properties["CorsConfiguration"]);
  if (cors) {
    const CORSRules = listOf(cors["CorsRules"]).map(toCorsRule);
    await s3.PutBucketCors({ Bucket: bucket, CORSConfiguration: { CORSRules } });
  } else if (had("CorsConfiguration")) await s3.DeleteBucketCors({ Bucket: bucket });

  const lifecycle = properties["LifecycleConfiguration"];
  if (lifecycle !== undefined) {
    const LifecycleConfiguration = { Rules: toLifecycleRules(lifecycle) };
    await s3.PutBucketLifecycleConfiguration({ Bucket: bucket, LifecycleConfiguration });
  } else if (had("LifecycleConfiguration")) await s3.DeleteBucketLifecycle({ Bucket: bucket });

  if (properties["NotificationConfiguration"] !== undefined || had("NotificationConfiguration")) {
    await s3.PutBucketNotificationConfiguration({
      Bucket: bucket,
      NotificationConfiguration: toNotifications(properties["NotificationConfiguration"]),
    });
  }

  const tags = { ...context.tags };
  for (const tag of listOf(properties["Tags"]).map(recordOf)) {
    tags[textOf(tag?.["Key"]) ?? ""] = textOf(tag?.["Value"]) ?? "";
  }
  const tagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  await s3.PutBucketTagging({ Bucket: bucket, Tagging: { TagSet: tagSet } });
}

function toState(context: ResourceContext, name: string): ResourceState {
  return {
    physicalId: name,
    attributes: {
      Arn: `arn:aws:s3:::${name}`,
      DomainName: `${name}.s3.amazonaws.com`,
      DualStackDomainName: `${name}.s3.dualstack.${context.region}.amazonaws.com`,
      RegionalDomainName: `${name}.s3.${context.region}.amazonaws.com`,
      WebsiteURL: toWebsiteUrl(name, context),
    },
  };
}

function toCorsRule(value: unknown): CORSRule {
  const given = recordOf(value);
  const texts = (name: string) => listOf(given?.[name]).map(String);
  const maxAge = given?.["MaxAge"];
  return {
    ID: textOf(given?.["Id"]),
    AllowedMethods: texts("AllowedMethods"),
    AllowedOrigins: texts("AllowedOrigins"),
    AllowedHeaders: texts("AllowedHeaders"),
    ExposeHeaders: texts("ExposedHeaders"),
    MaxAgeSeconds: maxAge === undefined ? undefined : Number(maxAge),
  };
}

function isTrue(value: unknown): boolean {
  return String(value) === "true";
}

function toObjectLock(given: Readonly<Record<string, unknown>> | undefined): ObjectLockConfiguration {
  const retention = recordOf(recordOf(given?.["Rule"])?.["DefaultRetention"]);
  const numberOf = (name: string) => (retention?.[name] === undefined ? undefined : Number(retention[name]));
  return {
    ObjectLockEnabled: parseLockEnabled(textOf(given?.["ObjectLockEnabled"]) ?? "Enabled"),
    ...(retention && {
      Rule: {
        DefaultRetention: {
          Mode: parseLockMode(textOf(retention["Mode"]) ?? ""),
          Days: numberOf("Days"),
          Years: numberOf("Years"),
        },
      },
    }),
  };
}

/** `PublicRead` of templates is `public-read` of requests. */
function parseAcl(text: string): BucketCannedACL {
  return text.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase() as BucketCannedACL;
}

// What these say is checked by the operation, whichever values the SDK's version knows.
function parseLocation(text: string): BucketLocationConstraint {
  return text as BucketLocationConstraint;
}

function parseAlgorithm(text: string): ServerSideEncryption {
  return text as ServerSideEncryption;
}

function parseLockEnabled(text: string): ObjectLockEnabled {
  return text as ObjectLockEnabled;
}

function parseLockMode(text: string): ObjectLockRetentionMode {
  return text as ObjectLockRetentionMode;
}

function parseOwnership(text: string): ObjectOwnership {
  return text as ObjectOwnership;
}
