import type { ServerSideEncryptionRule } from "@aws-sdk/client-s3";
import { nameOf } from "../../../access/authorize.ts";
import { parsePolicyDocument, PolicyGrammarError } from "../../../access/policy/document.ts";
import { notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { isPublicPolicy } from "../access.ts";
import {
  blockedPublicPolicy,
  malformedPolicy,
  malformedXml,
  noSuchBucketPolicy,
  noSuchPublicAccessBlock,
  noSuchTagSet,
  versioningIsLocked,
} from "../errors.ts";
import { s3Limits } from "../limits.ts";
import { type Bucket, type BucketEncryption, writeBucket } from "../model.ts";
import { arnOfBucket, existingBucket, refuse, type Sdk } from "../needs.ts";
import { checkTags } from "../rules.ts";
import { toTags, toTagSet } from "../tags.ts";
import type { OperationNeeds } from "./operation-needs.ts";

interface OfBucket {
  readonly Bucket?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

export function bucketSettingOperations({ store, access }: OperationNeeds) {
  const read = (input: OfBucket) => store.read((reader) => existingBucket(reader, input));
  const change = (input: OfBucket, to: (bucket: Bucket) => Bucket) =>
    store.transact(async (tx) => writeBucket(tx, to(await existingBucket(tx, input))));
  const may = (action: string) => (input: OfBucket, call: Call) => access.bucket(call, action, input.Bucket);

  return {
    GetBucketVersioning: {
      authorize: may("GetBucketVersioning"),
      async run(input) {
        const { versioning } = await read(input);
        return versioning === "never" ? {} : { Status: versioning };
      },
    },
    PutBucketVersioning: {
      authorize: may("PutBucketVersioning"),
      async run(input) {
        refuse(input, "PutBucketVersioning", ["MFA"]);
        const { Status, MFADelete } = input.VersioningConfiguration ?? {};
        if (MFADelete === "Enabled") throw notImplemented("MFADelete of PutBucketVersioning");
        if (Status !== "Enabled" && Status !== "Suspended") throw malformedXml();
        await change(input, (bucket) => {
          if (bucket.objectLock && Status !== "Enabled") throw versioningIsLocked();
          return { ...bucket, versioning: Status };
        });
        return {};
      },
    },

    GetBucketPolicy: {
      authorize: may("GetBucketPolicy"),
      async run(input) {
        const bucket = await read(input);
        if (bucket.policy === undefined) throw noSuchBucketPolicy(bucket.name);
        return { Policy: bucket.policy };
      },
    },
    GetBucketPolicyStatus: {
      authorize: may("GetBucketPolicyStatus"),
      async run(input) {
        const bucket = await read(input);
        if (bucket.policy === undefined) throw noSuchBucketPolicy(bucket.name);
        return { PolicyStatus: { IsPublic: bucket.policyIsPublic ?? false } };
      },
    },
    PutBucketPolicy: {
      authorize: may("PutBucketPolicy"),
      async run(input, call) {
        const policy = input.Policy ?? "";
        const policyIsPublic = checkPolicy(policy, input.Bucket ?? "");
        await change(input, (bucket) => {
          if (policyIsPublic && bucket.publicAccessBlock?.blockPublicPolicy) {
            throw blockedPublicPolicy(nameOf(call.principal), arnOfBucket(bucket.name));
          }
          return { ...bucket, policy, policyIsPublic };
        });
        return {};
      },
    },
    DeleteBucketPolicy: {
      authorize: may("DeleteBucketPolicy"),
      async run(input) {
        await change(input, ({ policy: _policy, policyIsPublic: _public, ...bucket }) => bucket);
        return {};
      },
    },

    GetBucketTagging: {
      authorize: may("GetBucketTagging"),
      async run(input) {
        const bucket = await read(input);
        if (bucket.tags.length === 0) throw noSuchTagSet(bucket.name);
        return { TagSet: toTagSet(bucket.tags) };
      },
    },
    PutBucketTagging: {
      authorize: may("PutBucketTagging"),
      async run(input, call) {
        const system = call.http === undefined;
        const tags = toTags(input.Tagging?.TagSet);
        const own = system ? tags.filter((tag) => !tag.key.startsWith("aws:")) : tags;
        checkTags(own, s3Limits.bucketTagsMax, "Bucket tag count cannot be greater than 50");
        await change(input, (bucket) => ({ ...bucket, tags: system ? tags : [...systemTags(bucket), ...tags] }));
        return {};
      },
    },
    DeleteBucketTagging: {
      authorize: may("PutBucketTagging"),
      async run(input) {
        await change(input, (bucket) => ({ ...bucket, tags: systemTags(bucket) }));
        return {};
      },
    },

    GetBucketEncryption: {
      authorize: may("GetEncryptionConfiguration"),
      async run(input) {
        const { encryption } = await read(input);
        return {
          ServerSideEncryptionConfiguration: {
            Rules: [
              {
                ApplyServerSideEncryptionByDefault: {
                  SSEAlgorithm: encryption.algorithm,
                  ...(encryption.keyId !== undefined && { KMSMasterKeyID: encryption.keyId }),
                },
                BucketKeyEnabled: encryption.bucketKey,
              },
            ],
          },
        };
      },
    },
    PutBucketEncryption: {
      authorize: may("PutEncryptionConfiguration"),
      async run(input) {
        const encryption = toBucketEncryption(input.ServerSideEncryptionConfiguration?.Rules);
        await change(input, (bucket) => ({ ...bucket, encryption }));
        return {};
      },
    },
    DeleteBucketEncryption: {
      authorize: may("PutEncryptionConfiguration"),
      async run(input) {
        await change(input, (bucket) => ({ ...bucket, encryption: { algorithm: "AES256", bucketKey: false } }));
        return {};
      },
    },

    GetPublicAccessBlock: {
      authorize: may("GetBucketPublicAccessBlock"),
      async run(input) {
        const bucket = await read(input);
        if (!bucket.publicAccessBlock) throw noSuchPublicAccessBlock(bucket.name);
        return {
          PublicAccessBlockConfiguration: {
            BlockPublicAcls: bucket.publicAccessBlock.blockPublicAcls,
            IgnorePublicAcls: bucket.publicAccessBlock.ignorePublicAcls,
            BlockPublicPolicy: bucket.publicAccessBlock.blockPublicPolicy,
            RestrictPublicBuckets: bucket.publicAccessBlock.restrictPublicBuckets,
          },
        };
      },
    },
    PutPublicAccessBlock: {
      authorize: may("PutBucketPublicAccessBlock"),
      async run(input) {
        const asked = input.PublicAccessBlockConfiguration;
        if (!asked) throw malformedXml();
        await change(input, (bucket) => ({
          ...bucket,
          publicAccessBlock: {
            blockPublicAcls: asked.BlockPublicAcls ?? false,
            ignorePublicAcls: asked.IgnorePublicAcls ?? false,
            blockPublicPolicy: asked.BlockPublicPolicy ?? false,
            restrictPublicBuckets: asked.RestrictPublicBuckets ?? false,
          },
        }));
        return {};
      },
    },
    DeletePublicAccessBlock: {
      authorize: may("PutBucketPublicAccessBlock"),
      async run(input) {
        await change(input, ({ publicAccessBlock: _block, ...bucket }) => bucket);
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** Tags of CloudFormation's, which users cannot change. */
function systemTags(bucket: Bucket) {
  return bucket.tags.filter((tag) => tag.key.startsWith("aws:"));
}

/** Whether the policy is public; MalformedPolicy when it is none for this bucket. */
function checkPolicy(policy: string, bucket: string): boolean {
  if (Buffer.byteLength(policy) > s3Limits.policyBytesMax) {
    throw malformedPolicy("Policy exceeds the maximum allowed document size.");
  }
  try {
    const { statements } = parsePolicyDocument(policy, "resource");
    const arn = arnOfBucket(bucket);
    for (const { actions, resources } of statements) {
      if (actions.patterns.some((action) => action !== "*" && !action.toLowerCase().startsWith("s3:"))) {
        throw malformedPolicy("Policy has invalid action");
      }
      if (
        !resources ||
        !resources.patterns.every((each) => each === arn || each.startsWith(`${arn}/`) || each === `${arn}*`)
      ) {
        throw malformedPolicy("Policy has invalid resource");
      }
    }
    return isPublicPolicy(policy);
  } catch (error) {
    throw error instanceof PolicyGrammarError ? malformedPolicy(error.message) : error;
  }
}

function toBucketEncryption(rules: readonly ServerSideEncryptionRule[] | undefined): BucketEncryption {
  const [rule, ...more] = rules ?? [];
  const { SSEAlgorithm: algorithm, KMSMasterKeyID: keyId } = rule?.ApplyServerSideEncryptionByDefault ?? {};
  if (!rule || more.length > 0 || algorithm === undefined) throw malformedXml();
  refuse(rule, "PutBucketEncryption", ["BlockedEncryptionTypes"]);
  if (algorithm !== "AES256" && algorithm !== "aws:kms")
    throw notImplemented(`SSEAlgorithm ${algorithm} of PutBucketEncryption`);
  if (keyId !== undefined) throw notImplemented("KMSMasterKeyID of PutBucketEncryption");
  return { algorithm, bucketKey: rule.BucketKeyEnabled ?? false };
}
