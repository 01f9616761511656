import type { AccessControlPolicy, Grant as AnsweredGrant } from "@aws-sdk/client-s3";
import { toCanonicalUserId } from "../../../aws/canonical-user.ts";
import { notImplemented } from "../../../aws/error.ts";
import { emailGrantee, invalidArgument, malformedAcl, mixedAcls } from "../errors.ts";
import { s3Limits } from "../limits.ts";

/** Source: "Access control list (ACL) overview", S3 User Guide. */
export type Permission = (typeof permissions)[number];
const permissions = ["FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"] as const;

export type Group = keyof typeof groupUris;
const groupUris = {
  AllUsers: "http://acs.amazonaws.com/groups/global/AllUsers",
  AuthenticatedUsers: "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
  LogDelivery: "http://acs.amazonaws.com/groups/s3/LogDelivery",
} as const;

export interface Grant {
  /** An account, by its canonical user id, or one of S3's groups. */
  readonly grantee: { readonly user: string } | { readonly group: Group };
  readonly permission: Permission;
}

/** AWS: whoever wrote an object without a signature. */
const anonymousUser = "65a011a29cdf8ec533ec3d1ccaae921c";

/** @param account an account, or `anonymous` */
export function toUserId(account: string): string {
  return account === "anonymous" ? anonymousUser : toCanonicalUserId(account);
}

/** What requests say of the access control list to be, in headers. */
export interface AclHeaders {
  readonly ACL?: string | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWrite?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
}

const headers = {
  GrantFullControl: "FULL_CONTROL",
  GrantRead: "READ",
  GrantWrite: "WRITE",
  GrantReadACP: "READ_ACP",
  GrantWriteACP: "WRITE_ACP",
} as const satisfies Partial<Record<keyof AclHeaders, Permission>>;

const headerNames = Object.keys(headers) as readonly (keyof typeof headers)[];

export function headerOf(member: keyof typeof headers): string {
  return `x-amz-grant-${headers[member].toLowerCase().replace("_", "-")}`;
}

export function hasAclHeaders(input: AclHeaders): boolean {
  return input.ACL !== undefined || headerNames.some((name) => input[name] !== undefined);
}

/** Whose the object (or the bucket) and the bucket are: accounts. */
interface Owners {
  readonly owner: string;
  readonly bucketOwner: string;
}

/** What the headers ask for; undefined when they say nothing. @throws {AwsError} InvalidRequest, InvalidArgument */
export function grantsOfHeaders(
  input: AclHeaders,
  of: Owners,
  kind: "bucket" | "object",
): readonly Grant[] | undefined {
  const granted = headerNames.flatMap((name) => parseGrantHeader(name, input[name]));
  if (input.ACL === undefined) return granted.length > 0 ? checkCount(granted) : undefined;
  if (granted.length > 0) throw mixedAcls();
  return cannedGrants(input.ACL, of, kind);
}

function parseGrantHeader(member: keyof typeof headers, value: string | undefined): Grant[] {
  if (value === undefined) return [];
  return value.split(",").map((each) => {
    const match = /^\s*(id|uri|emailAddress)\s*=\s*"?([^"]*)"?\s*$/i.exec(each);
    const [, kind = "", text = ""] = match ?? [];
    if (!match) throw invalidArgument("Argument format not recognized", headerOf(member), each.trim());
    const permission = headers[member];
    if (kind.toLowerCase() === "emailaddress") throw emailGrantee();
    if (kind.toLowerCase() === "uri") return { grantee: { group: toGroup(text, "uri") }, permission };
    return { grantee: { user: toUser(text, "id") }, permission };
  });
}

function toGroup(uri: string, argument: string): Group {
  const found = Object.entries(groupUris).find(([, each]) => each === uri)?.[0];
  if (found === "AllUsers" || found === "AuthenticatedUsers" || found === "LogDelivery") return found;
  throw invalidArgument("Invalid group uri", argument, uri);
}

function toUser(id: string, argument: string): string {
  if (/^[0-9a-f]{64}$/.test(id) || id === anonymousUser) return id;
  throw invalidArgument("Invalid id", argument, id);
}

const fullControl = (account: string): Grant => ({
  grantee: { user: toUserId(account) },
  permission: "FULL_CONTROL",
});
const toEverybody = (group: Group, permission: Permission): Grant => ({ grantee: { group }, permission });

/** Source: "Canned ACL", S3 User Guide. */
function cannedGrants(name: string, { owner, bucketOwner }: Owners, kind: "bucket" | "object"): readonly Grant[] {
  const own = fullControl(owner);
  switch (name) {
    case "private":
      return [own];
    case "public-read":
      return [own, toEverybody("AllUsers", "READ")];
    case "public-read-write":
      return [own, toEverybody("AllUsers", "READ"), toEverybody("AllUsers", "WRITE")];
    case "authenticated-read":
      return [own, toEverybody("AuthenticatedUsers", "READ")];
    case "aws-exec-read":
      throw notImplemented("The canned ACL aws-exec-read");
    case "log-delivery-write":
      if (kind === "object") break;
      return [own, toEverybody("LogDelivery", "WRITE"), toEverybody("LogDelivery", "READ_ACP")];
    case "bucket-owner-read":
    case "bucket-owner-full-control":
      // AWS: of a bucket they say nothing.
      if (kind === "bucket" || owner === bucketOwner) return [own];
      return [own, { ...fullControl(bucketOwner), ...(name === "bucket-owner-read" && { permission: "READ" }) }];
  }
  throw invalidArgument("", "x-amz-acl", name);
}

/** An access control list as a body. @throws {AwsError} MalformedACLError, InvalidArgument, AccessDenied */
export function grantsOfBody(policy: AccessControlPolicy, owner: string): readonly Grant[] {
  if (!policy.Owner || !policy.Grants) throw malformedAcl();
  if (policy.Owner.ID !== undefined && toUser(policy.Owner.ID, "CanonicalUser/ID") !== toUserId(owner)) {
    throw malformedAcl();
  }
  return checkCount(
    policy.Grants.map(({ Grantee, Permission: asked }) => {
      const permission = permissions.find((each) => each === asked);
      if (!Grantee || !permission) throw malformedAcl();
      if (Grantee.Type === "AmazonCustomerByEmail") throw emailGrantee();
      if (Grantee.Type === "Group") {
        return { grantee: { group: toGroup(Grantee.URI ?? "", "Group/URI") }, permission };
      }
      if (Grantee.Type !== "CanonicalUser") throw malformedAcl();
      return { grantee: { user: toUser(Grantee.ID ?? "", "CanonicalUser/ID") }, permission };
    }),
  );
}

function checkCount(grants: readonly Grant[]): readonly Grant[] {
  if (grants.length > s3Limits.grantsMax) throw malformedAcl();
  return grants;
}

/** As GetBucketAcl and GetObjectAcl answer. */
export function formatAcl(grants: readonly Grant[] | undefined, owner: string) {
  return {
    Owner: { ID: toUserId(owner) },
    Grants: (grants ?? [fullControl(owner)]).map(({ grantee, permission }): AnsweredGrant => ({
      Grantee:
        "user" in grantee
          ? { ID: grantee.user, Type: "CanonicalUser" }
          : { URI: groupUris[grantee.group], Type: "Group" },
      Permission: permission,
    })),
  };
}

/** Undefined for a list that says no more than whose it is: that is what an absent one means. */
export function withoutDefault(grants: readonly Grant[], owner: string): readonly Grant[] | undefined {
  const [only, ...more] = grants;
  const plain =
    only !== undefined &&
    more.length === 0 &&
    only.permission === "FULL_CONTROL" &&
    "user" in only.grantee &&
    only.grantee.user === toUserId(owner);
  return plain ? undefined : grants;
}

/** Source: "The meaning of 'public'", Blocking public access to your Amazon S3 storage. */
export function isPublicGrant({ grantee }: Grant): boolean {
  return "group" in grantee && grantee.group !== "LogDelivery";
}

/** Whether somebody but the owner's account is given something. */
export function sharesWithOthers(grants: readonly Grant[] | undefined, owner: string): boolean {
  return (grants ?? []).some(({ grantee }) => !("user" in grantee) || grantee.user !== toUserId(owner));
}
