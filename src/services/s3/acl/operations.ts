import { nameOf } from "../../../access/authorize.ts";
import type { AwsError } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import {
  aclNotSupported,
  aclWithOwnerEnforced,
  blockedPublicAcl,
  malformedXml,
  missingAcl,
  noOwnershipControls,
  unexpectedContent,
} from "../errors.ts";
import { concealAbsence, existingObject } from "../find-object.ts";
import { type Bucket, rewriteVersion, writeBucket } from "../model.ts";
import { arnOfBucket, arnOfObject, existingBucket, type Sdk } from "../needs.ts";
import { causeOf } from "../notifications/message.ts";
import type { OperationNeeds } from "../operations/operation-needs.ts";
import {
  type AclHeaders,
  formatAcl,
  type Grant,
  grantsOfBody,
  grantsOfHeaders,
  hasAclHeaders,
  sharesWithOthers,
} from "./grants.ts";
import { toOwned } from "./object-acl.ts";

interface OfObject {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

type AclInput = AclHeaders & { readonly AccessControlPolicy?: Parameters<typeof grantsOfBody>[0] | undefined };

/** Access control lists, and who owns objects. */
export function aclOperations(needs: OperationNeeds) {
  const { store, access } = needs;
  const asObject = (action: string, versionAction: string, input: OfObject, call: Call) =>
    access.object(
      call,
      input.VersionId === undefined ? action : versionAction,
      input.Bucket,
      input.Key,
      {},
      input.VersionId,
    );

  return {
    GetBucketAcl: {
      authorize: (input, call) => access.bucket(call, "GetBucketAcl", input.Bucket),
      async run(input) {
        const { acl, account } = await store.read((reader) => existingBucket(reader, input));
        return formatAcl(acl, account);
      },
    },
    PutBucketAcl: {
      authorize: (input, call) => access.bucket(call, "PutBucketAcl", input.Bucket),
      async run(input, call) {
        await store.transact(async (tx) => {
          const { acl: _acl, ...bucket } = await existingBucket(tx, input);
          const blocked = () => blockedPublicAcl(nameOf(call.principal), "s3:PutBucketAcl", arnOfBucket(bucket.name));
          const grants = toGrants(input, bucket, bucket.account, "bucket");
          writeBucket(tx, { ...bucket, ...toOwned(grants, bucket, bucket.account, blocked) });
        });
        return {};
      },
    },

    GetObjectAcl: {
      authorize: (input, call) => asObject("GetObjectAcl", "GetObjectVersionAcl", input, call),
      async run(input, call) {
        const { bucket, object } = await concealAbsence(access, call, input.Bucket ?? "", () =>
          store.read(async (reader) => {
            const bucket = await existingBucket(reader, input);
            return { bucket, object: await existingObject(reader, bucket, input, call) };
          }),
        );
        // AWS: with bucket owner enforced every object is the bucket owner's.
        if (bucket.ownership === "BucketOwnerEnforced") return formatAcl(undefined, bucket.account);
        return formatAcl(object.acl, object.owner ?? bucket.account);
      },
    },
    PutObjectAcl: {
      authorize: (input, call) => asObject("PutObjectAcl", "PutObjectVersionAcl", input, call),
      async run(input, call) {
        const key = input.Key ?? "";
        return concealAbsence(access, call, input.Bucket ?? "", () =>
          store.transact(async (tx) => {
            const bucket = await existingBucket(tx, input);
            const { acl: _acl, ...object } = await existingObject(tx, bucket, input, call);
            const owner = object.owner ?? bucket.account;
            const blocked = () =>
              blockedPublicAcl(nameOf(call.principal), "s3:PutObjectAcl", arnOfObject(bucket.name, key));
            const grants = toGrants(input, bucket, owner, "object");
            const changed = { ...object, ...toOwned(grants, bucket, owner, blocked) };
            await rewriteVersion(tx, bucket, key, changed);
            needs.notify(tx, bucket, { event: "ObjectAcl:Put", key, version: changed }, causeOf(call));
            return {};
          }),
        );
      },
    },

    GetBucketOwnershipControls: {
      authorize: (input, call) => access.bucket(call, "GetBucketOwnershipControls", input.Bucket),
      async run(input) {
        const { name, ownership } = await store.read((reader) => existingBucket(reader, input));
        if (!ownership) throw noOwnershipControls(name);
        return { OwnershipControls: { Rules: [{ ObjectOwnership: ownership }] } };
      },
    },
    PutBucketOwnershipControls: {
      authorize: (input, call) => access.bucket(call, "PutBucketOwnershipControls", input.Bucket),
      async run(input) {
        const [rule, ...more] = input.OwnershipControls?.Rules ?? [];
        if (!rule || more.length > 0) throw malformedXml();
        const ownership = toOwnership(rule.ObjectOwnership, malformedXml);
        await store.transact(async (tx) => {
          const bucket = await existingBucket(tx, input);
          checkOwnership(ownership, bucket.acl, bucket);
          writeBucket(tx, { ...bucket, ownership });
        });
        return {};
      },
    },
    DeleteBucketOwnershipControls: {
      authorize: (input, call) => access.bucket(call, "PutBucketOwnershipControls", input.Bucket),
      async run(input) {
        await store.transact(async (tx) => {
          const { ownership: _ownership, ...bucket } = await existingBucket(tx, input);
          writeBucket(tx, bucket);
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

type Ownership = NonNullable<Bucket["ownership"]>;

/** @param refusal of what is none */
export function toOwnership(asked: string | undefined, refusal: () => AwsError): Ownership {
  if (asked === "BucketOwnerEnforced" || asked === "BucketOwnerPreferred" || asked === "ObjectWriter") return asked;
  throw refusal();
}

/** A list that lets others in must go before lists are turned off. */
export function checkOwnership(
  ownership: Ownership,
  acl: readonly Grant[] | undefined,
  bucket: { readonly name: string; readonly account: string },
): void {
  if (ownership === "BucketOwnerEnforced" && sharesWithOthers(acl, bucket.account)) {
    throw aclWithOwnerEnforced(bucket.name);
  }
}

/** The list that a request asks for: by a canned name, by headers, or in its body, one of them. */
function toGrants(input: AclInput, bucket: Bucket, owner: string, kind: "bucket" | "object"): readonly Grant[] {
  if (bucket.ownership === "BucketOwnerEnforced") throw aclNotSupported();
  const { AccessControlPolicy: body } = input;
  if (hasAclHeaders(input)) {
    if (body) throw unexpectedContent();
    return grantsOfHeaders(input, { owner, bucketOwner: bucket.account }, kind) ?? [];
  }
  if (!body) throw missingAcl();
  return grantsOfBody(body, owner);
}
