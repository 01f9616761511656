import { nameOf } from "../../../access/authorize.ts";
import type { Call } from "../../../wire/service.ts";
import { aclNotSupported, blockedPublicAcl } from "../errors.ts";
import type { Bucket, Owned } from "../model.ts";
import { arnOfObject } from "../needs.ts";
import {
  type AclHeaders,
  type Grant,
  grantsOfHeaders,
  hasAclHeaders,
  isPublicGrant,
  toUserId,
  withoutDefault,
} from "./grants.ts";

/** Whose an object is to be that this call writes: an account, or `anonymous`. */
export function writerOf(bucket: Bucket, { principal }: Call): string {
  if (principal.type === "anonymous") return "anonymous";
  return "account" in principal ? principal.account : bucket.account;
}

/**
 * Whose a new object is, and its access control list. Source: "Controlling ownership of objects and disabling ACLs for your
 * bucket", S3 User Guide.
 *
 * @throws {AwsError} AccessControlListNotSupported, AccessDenied where a public one is blocked, and what is wrong with the headers
 */
export function toNewAcl(input: AclHeaders & { readonly Key?: string | undefined }, bucket: Bucket, call: Call): Owned {
  if (bucket.ownership === "BucketOwnerEnforced") {
    if (hasAclHeaders(input) && !saysWhatIsSo(input, bucket)) throw aclNotSupported();
    return {};
  }
  const writer = writerOf(bucket, call);
  const given = bucket.ownership === "BucketOwnerPreferred" && input.ACL === "bucket-owner-full-control";
  const owner = given ? bucket.account : writer;
  return {
    ...(owner !== bucket.account && { owner }),
    ...toOwned(grantsOfHeaders(input, { owner, bucketOwner: bucket.account }, "object"), bucket, owner, () =>
      blockedPublicAcl(nameOf(call.principal), "s3:PutObjectAcl", arnOfObject(bucket.name, input.Key ?? "")),
    ),
  };
}

/** AWS: with bucket owner enforced, an ACL is refused unless it says what is so anyway. */
function saysWhatIsSo(input: AclHeaders, bucket: Bucket): boolean {
  if (input.ACL !== undefined && input.ACL !== "bucket-owner-full-control") return false;
  const { ACL: _canned, GrantFullControl, ...others } = input;
  if (hasAclHeaders(others)) return false;
  return GrantFullControl === undefined || GrantFullControl.replaceAll('"', "") === `id=${toUserId(bucket.account)}`;
}

/** A list as it is kept. @throws what `blocked` makes, where it is public and the bucket's public access block says no */
export function toOwned(
  grants: readonly Grant[] | undefined,
  bucket: Pick<Bucket, "publicAccessBlock">,
  owner: string,
  blocked: () => Error,
): { readonly acl?: readonly Grant[] } {
  if (bucket.publicAccessBlock?.blockPublicAcls && grants?.some(isPublicGrant)) throw blocked();
  const acl = grants && withoutDefault(grants, owner);
  return acl ? { acl } : {};
}

/** Whose an object becomes that an upload makes. */
export function ownedOf({ owner, acl }: Owned): Owned {
  return { ...(owner !== undefined && { owner }), ...(acl && { acl }) };
}
