import type { Grant, Permission } from "./grants.ts";

type Actions = Readonly<Record<Exclude<Permission, "FULL_CONTROL">, readonly string[]>>;

/** Source: "Mapping of ACL permissions and access policy permissions", S3 User Guide. */
const ofBucket: Actions = {
  READ: ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"],
  // With the access control list that a new object is given.
  WRITE: ["s3:PutObject", "s3:PutObjectAcl"],
  READ_ACP: ["s3:GetBucketAcl"],
  WRITE_ACP: ["s3:PutBucketAcl"],
};
const ofObject: Actions = {
  READ: ["s3:GetObject", "s3:GetObjectVersion"],
  // Nothing: whoever may write into the bucket writes objects.
  WRITE: [],
  READ_ACP: ["s3:GetObjectAcl", "s3:GetObjectVersionAcl"],
  WRITE_ACP: ["s3:PutObjectAcl", "s3:PutObjectVersionAcl"],
};

/**
 * An access control list as the evaluator reads it: a policy of the resource that only allows. Undefined when it allows nothing.
 *
 * @param owns of a bucket's list: the caller owns the object at the key, so that writing means overwriting and deleting, too
 */
export function toPolicy(
  grants: readonly Grant[],
  kind: "bucket" | "object",
  owns: "nothing there" | "own" | "another's" = "another's",
): string | undefined {
  const statements = grants.flatMap(({ grantee, permission }, index): object[] => {
    const actions = actionsOf(permission, kind, owns);
    if (actions.length === 0) return [];
    const statement = { Sid: `Grant${index + 1}`, Effect: "Allow", Action: actions, Resource: "*" };
    if ("user" in grantee) return [{ ...statement, Principal: { CanonicalUser: grantee.user } }];
    if (grantee.group === "LogDelivery") return [];
    const signed = { Condition: { StringNotEquals: { "aws:PrincipalType": ["Anonymous", "Service"] } } };
    return [{ ...statement, Principal: "*", ...(grantee.group === "AuthenticatedUsers" && signed) }];
  });
  return statements.length === 0 ? undefined : JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

function actionsOf(permission: Permission, kind: "bucket" | "object", owns: string): readonly string[] {
  const named: readonly (keyof Actions)[] =
    permission === "FULL_CONTROL" ? ["READ", "WRITE", "READ_ACP", "WRITE_ACP"] : [permission];
  return named.flatMap((each) => {
    const actions = (kind === "bucket" ? ofBucket : ofObject)[each];
    if (kind === "object" || each !== "WRITE" || owns === "nothing there") return actions;
    return owns === "own" ? actions.concat("s3:DeleteObject") : [];
  });
}

/** What is left of a bucket's policy for an object of another account: it may deny, and lets in nobody. */
export function onlyDenials(policy: string): string | undefined {
  const document: unknown = JSON.parse(policy);
  const all = typeof document === "object" && document !== null && "Statement" in document ? document.Statement : [];
  const denials = (Array.isArray(all) ? all : [all]).filter(
    (each: unknown) => typeof each === "object" && each !== null && "Effect" in each && each.Effect === "Deny",
  );
  if (denials.length === 0) return undefined;
  return JSON.stringify({ ...Object(document), Statement: denials });
}
