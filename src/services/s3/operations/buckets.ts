import type { BucketLocationConstraint } from "@aws-sdk/client-s3";
import { notImplemented } from "../../../aws/error.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import { nameOf } from "../../../access/authorize.ts";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import type { OperationNeeds } from "./operation-needs.ts";
import { type AclHeaders, grantsOfHeaders, hasAclHeaders } from "../acl/grants.ts";
import { toOwned } from "../acl/object-acl.ts";
import { checkOwnership, toOwnership } from "../acl/operations.ts";
import { releaseParts } from "../content.ts";
import {
  blockedPublicAcl,
  bucketAlreadyExists,
  bucketAlreadyOwnedByYou,
  bucketNotEmpty,
  illegalLocationConstraint,
  invalidArgument,
  invalidBucketName,
  invalidLocationConstraint,
  invalidRequest,
} from "../errors.ts";
import { s3Limits } from "../limits.ts";
import {
  type Bucket,
  bucketKey,
  findBucket,
  ownedKey,
  type Upload,
  uploadPrefix,
  versionPrefix,
  writeBucket,
} from "../model.ts";
import { arnOfBucket, existingBucket, refuse, type Sdk, toOwner } from "../needs.ts";
import { checkTags, isBucketName } from "../rules.ts";
import { toTags } from "../tags.ts";

export function bucketOperations(needs: OperationNeeds) {
  const { store, ids, access } = needs;
  return {
    CreateBucket: {
      authorize: (input) =>
        creationActions(input).map((action) => ({ action: `s3:${action}`, resource: arnOfBucket(input.Bucket ?? "") })),
      async run(input, call) {
        const name = input.Bucket ?? "";
        if (!isBucketName(name)) throw invalidBucketName(name);
        const owners = { owner: call.account, bucketOwner: call.account };
        const grants = grantsOfHeaders(input, owners, "bucket");
        const ownership = toOwnership(input.ObjectOwnership ?? "BucketOwnerEnforced", () =>
          invalidArgument(
            "Invalid x-amz-object-ownership header: ",
            "x-amz-object-ownership",
            String(input.ObjectOwnership),
          ),
        );
        checkOwnership(ownership, grants, { name, account: call.account });
        refuse(input, "CreateBucket", ["BucketNamespace"]);
        const { LocationConstraint, Location, Bucket: kind, Tags = [] } = input.CreateBucketConfiguration ?? {};
        if (Location ?? kind) throw notImplemented("Directory buckets");
        const region = toRegion(LocationConstraint, call.region);
        const tags = checkTags(toTags(Tags), s3Limits.bucketTagsMax, "Bucket tag count cannot be greater than 50");
        const publicAccessBlock = {
          blockPublicAcls: true,
          ignorePublicAcls: true,
          blockPublicPolicy: true,
          restrictPublicBuckets: true,
        };
        const bucket: Bucket = {
          format: 1,
          name,
          id: ids.random(16, lowerAlphanumeric),
          account: call.account,
          region,
          createdAt: call.now,
          versioning: input.ObjectLockEnabledForBucket ? "Enabled" : "never",
          tags,
          // What AWS gives new buckets since 2023: all public access blocked, ACLs off, AES-256.
          encryption: { algorithm: "AES256", bucketKey: false },
          publicAccessBlock,
          ownership,
          ...(input.ObjectLockEnabledForBucket && { objectLock: {} }),
          ...toOwned(grants, { publicAccessBlock }, call.account, () =>
            blockedPublicAcl(nameOf(call.principal), "s3:PutBucketAcl", arnOfBucket(name)),
          ),
        };
        await store.transact(async (tx) => {
          const existing = await findBucket(tx, name);
          if (!existing) {
            writeBucket(tx, bucket);
            tx.set(ownedKey(call.account, name), null);
          } else if (existing.account !== call.account) {
            throw bucketAlreadyExists(name);
          } else if (region !== "us-east-1" || existing.region !== region) {
            // AWS: in us-east-1 alone, creating one's own bucket again succeeds.
            throw bucketAlreadyOwnedByYou(name);
          }
        });
        return {
          Location: region === "us-east-1" ? `/${name}` : `${call.endpoint}/${name}`,
          BucketArn: arnOfBucket(name),
        };
      },
    },

    DeleteBucket: {
      authorize: (input, call) => access.bucket(call, "DeleteBucket", input.Bucket),
      async run(input) {
        await store.transact(async (tx) => {
          const bucket = await existingBucket(tx, input);
          const versions = await tx.range({ prefix: versionPrefix(bucket) }, { limit: 1 });
          if (versions.length > 0) throw bucketNotEmpty(bucket.name, bucket.versioning !== "never");
          await abortUploads(tx, needs, bucket);
          tx.delete(bucketKey(bucket.name));
          tx.delete(ownedKey(bucket.account, bucket.name));
        });
        return {};
      },
    },

    HeadBucket: {
      authorize: (input, call) => access.bucket(call, "ListBucket", input.Bucket),
      async run(input) {
        const bucket = await store.read((reader) => existingBucket(reader, input));
        return { BucketArn: arnOfBucket(bucket.name), BucketRegion: bucket.region, AccessPointAlias: false };
      },
    },

    GetBucketLocation: {
      authorize: (input, call) => access.bucket(call, "GetBucketLocation", input.Bucket),
      async run(input) {
        const { region } = await store.read((reader) => existingBucket(reader, input));
        // AWS: us-east-1 is said by saying nothing.
        return region === "us-east-1" ? {} : { LocationConstraint: parseLocation(region) };
      },
    },

    ListBuckets: {
      authorize: () => [{ action: "s3:ListAllMyBuckets", resource: "*" }],
      async run(input, call) {
        const { Prefix = "", BucketRegion, MaxBuckets, ContinuationToken } = input;
        if (MaxBuckets !== undefined && (MaxBuckets < 1 || MaxBuckets > s3Limits.bucketsMax)) {
          throw invalidArgument(
            "Argument max-buckets must be an integer between 1 and 10000",
            "max-buckets",
            String(MaxBuckets),
          );
        }
        const after = ContinuationToken === undefined ? undefined : fromToken(ContinuationToken);
        const all = await store.read(async (reader) => {
          const entries = await reader.range({ prefix: ["s3", "owned", call.account] }, { limit: s3Limits.bucketsMax });
          const names = entries
            .map(({ key }) => String(key[3]))
            .filter((name) => name.startsWith(Prefix) && (after === undefined || name > after));
          return reader.getMany<Bucket>(names.map(bucketKey));
        });
        const found = all
          .filter((bucket) => bucket !== undefined)
          .filter((bucket) => BucketRegion === undefined || bucket.region === BucketRegion);
        const page = found.slice(0, MaxBuckets ?? s3Limits.bucketsMax);
        const last = page.at(-1);
        return {
          Buckets: page.map((bucket) => ({
            Name: bucket.name,
            CreationDate: new Date(bucket.createdAt),
            // AWS: the region and the ARN come with paginated requests.
            ...((MaxBuckets ?? BucketRegion ?? ContinuationToken) !== undefined && {
              BucketRegion: bucket.region,
              BucketArn: arnOfBucket(bucket.name),
            }),
          })),
          Owner: toOwner(call.account),
          ...(input.Prefix !== undefined && { Prefix }),
          ...(page.length < found.length && last && { ContinuationToken: toToken(last.name) }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** Source: CreateBucket, "Permissions", Amazon S3 API Reference. */
function creationActions(
  input: AclHeaders & {
    readonly ObjectOwnership?: string | undefined;
    readonly ObjectLockEnabledForBucket?: boolean | undefined;
  },
): readonly string[] {
  const { ACL, ...others } = input;
  return [
    "CreateBucket",
    ...((ACL !== undefined && ACL !== "private") || hasAclHeaders(others) ? ["PutBucketAcl"] : []),
    ...(input.ObjectLockEnabledForBucket ? ["PutBucketObjectLockConfiguration", "PutBucketVersioning"] : []),
    ...(input.ObjectOwnership === undefined ? [] : ["PutBucketOwnershipControls"]),
  ];
}

/** A region is a location constraint, whichever regions the SDK's version knows. */
function parseLocation(region: string): BucketLocationConstraint {
  return region as BucketLocationConstraint;
}

function toRegion(constraint: string | undefined, endpointRegion: string): string {
  if (constraint === undefined) {
    if (endpointRegion === "us-east-1") return endpointRegion;
    throw illegalLocationConstraint("unspecified");
  }
  const region = constraint === "EU" ? "eu-west-1" : constraint;
  if (region === "us-east-1" || !/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) throw invalidLocationConstraint(constraint);
  if (endpointRegion !== "us-east-1" && endpointRegion !== region) throw illegalLocationConstraint(constraint);
  return region;
}

/** AWS: a bucket may go while uploads into it are under way; they go with it. */
async function abortUploads(tx: Transaction, needs: OperationNeeds, bucket: Bucket): Promise<void> {
  const uploads = await tx.range<Upload>({ prefix: uploadPrefix(bucket) }, { limit: s3Limits.pageMax });
  if (uploads.length === s3Limits.pageMax) {
    throw invalidRequest("The bucket has too many multipart uploads under way. Abort them first.");
  }
  for (const { key, value } of uploads) {
    tx.delete(key);
    await releaseParts(tx, needs.blobs, value.uploadId);
  }
}

function toToken(name: string): string {
  return Buffer.from(name, "utf8").toString("base64url");
}

function fromToken(token: string): string {
  return Buffer.from(token, "base64url").toString("utf8");
}
