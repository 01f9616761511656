import type { AuthorizationRequest } from "../../access/authorization.ts";
import { parsePolicyDocument, type Statement } from "../../access/policy/document.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { Call } from "../../wire/service.ts";
import { groundsOf } from "./acl/grounds.ts";
import { noSuchBucket, wrongRegion } from "./errors.ts";
import { type Bucket, findBucket } from "./model.ts";
import { arnOfBucket, arnOfObject } from "./needs.ts";
import { checkKey } from "./rules.ts";

type Context = Readonly<Record<string, readonly string[]>>;

/** The questions of operations on a bucket and its objects, with the bucket's policy where it counts. */
export interface S3Access {
  bucket(call: Call, action: string, bucket: string | undefined, context?: Context): Promise<AuthorizationRequest[]>;
  object(
    call: Call,
    actions: string | readonly string[],
    bucket: string | undefined,
    key: string | undefined,
    context?: Context,
    versionId?: string,
  ): Promise<AuthorizationRequest[]>;
  /** The bucket of this name as it was when this call was last asked about it. */
  asked(call: Call, bucket: string | undefined): Bucket | undefined;
}

export function createS3Access(store: Store): S3Access {
  const buckets = new WeakMap<Call, Bucket>();

  async function ask(
    call: Call,
    actions: readonly string[],
    bucketName: string,
    resource: string,
    context: Context,
    named?: { readonly key: string; readonly versionId: string | undefined },
  ): Promise<AuthorizationRequest[]> {
    const bucket = await store.read((reader) => findBucket(reader, bucketName));
    if (!bucket && call.principal.type === "anonymous") throw noSuchBucket(bucketName);
    if (bucket) {
      checkRegion(bucket, call);
      buckets.set(call, bucket);
    }
    const policy = bucket && policyFor(bucket, call);
    if (bucket && bucket.ownership !== "BucketOwnerEnforced") {
      return store.read((reader) =>
        Promise.all(
          actions.map(async (action) => ({
            action: `s3:${action}`,
            resource,
            context,
            ...(await groundsOf(reader, bucket, action, named, call, policy)),
          })),
        ),
      );
    }
    return actions.map((action) => ({
      action: `s3:${action}`,
      resource,
      context,
      ...(bucket && { resourceAccount: bucket.account }),
      ...(policy !== undefined && { resourcePolicy: policy }),
    }));
  }

  return {
    asked: (call, name) => {
      const bucket = buckets.get(call);
      return bucket?.name === name ? bucket : undefined;
    },
    bucket: (call, action, bucket = "", context = {}) => ask(call, [action], bucket, arnOfBucket(bucket), context),
    object: async (call, actions, bucket = "", key = "", context = {}, versionId = undefined) => {
      // Whatever is asked of an object passes here: no key is too long for the store behind it.
      checkKey(key);
      const all = typeof actions === "string" ? [actions] : actions;
      return ask(call, all, bucket, arnOfObject(bucket, key), context, { key, versionId });
    },
  };
}

/** A request signed for another region than the bucket's is told where the bucket is. */
function checkRegion(bucket: Bucket, call: Call): void {
  if (!call.http || call.principal.type === "anonymous" || call.operation === "GetBucketLocation") return;
  if (call.region !== bucket.region) throw wrongRegion(call.region, bucket.region);
}

const policyOperations = new Set(["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"]);

/** RestrictPublicBuckets: a public policy lets in nobody but the owner's account and services of the platform. */
function policyFor(bucket: Bucket, call: Call): string | undefined {
  const { principal } = call;
  // AWS: no bucket policy can keep the root of the bucket's account from reading, replacing and deleting it.
  if (principal.type === "root" && principal.account === bucket.account && policyOperations.has(call.operation)) {
    return undefined;
  }
  if (!bucket.policyIsPublic || !bucket.publicAccessBlock?.restrictPublicBuckets) return bucket.policy;
  const inside = principal.type === "service" || ("account" in principal && principal.account === bucket.account);
  return inside ? bucket.policy : undefined;
}

/**
 * Whether a policy is public: it allows everyone something, without a condition that fixes who or from where.
 * Source: "The meaning of 'public'", Blocking public access to your Amazon S3 storage.
 *
 * @throws {PolicyGrammarError}
 */
export function isPublicPolicy(text: string): boolean {
  return parsePolicyDocument(text, "resource").statements.some(isPublicStatement);
}

const fixingKeys = new Set([
  "aws:principalorgid",
  "aws:principalorgpaths",
  "aws:principalaccount",
  "aws:principalarn",
  "aws:sourcearn",
  "aws:sourceaccount",
  "aws:sourceowner",
  "aws:sourceorgid",
  "aws:sourcevpc",
  "aws:sourcevpce",
  "aws:sourceip",
  "aws:userid",
  "aws:username",
  "s3:dataaccesspointarn",
  "s3:dataaccesspointaccount",
]);

function isPublicStatement({ effect, principals, conditions }: Statement): boolean {
  if (effect !== "Allow" || !principals) return false;
  const everyone = principals.not || principals.entries.some(({ kind, value }) => kind === "AWS" && value === "*");
  const fixed = conditions.some(
    ({ key, operator, ifExists, values }) =>
      fixingKeys.has(key) &&
      !ifExists &&
      /^(String|Arn|IpAddress)/.test(operator) &&
      !operator.includes("Not") &&
      values.every((value) => !/^(\*|0\.0\.0\.0\/0|::\/0)$/.test(value)),
  );
  return everyone && !fixed;
}
