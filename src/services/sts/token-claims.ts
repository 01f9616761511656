import type { Claims } from "../../access/tokens/token.ts";
import { invalidIdentityToken } from "./errors.ts";

interface SessionClaims {
  readonly tags?: Readonly<Record<string, string>>;
  readonly transitiveTagKeys?: readonly string[];
  readonly sourceIdentity?: string;
}

/**
 * What a token says of the session it is for. Source: "Passing session tags using AssumeRoleWithWebIdentity" and "Monitor and
 * control actions taken with assumed roles" in the IAM user guide.
 */
export function readSessionClaims(claims: Claims): SessionClaims {
  const sourceIdentity = claims["https://aws.amazon.com/source_identity"];
  const about = claims["https://aws.amazon.com/tags"];
  return {
    ...(typeof sourceIdentity === "string" && { sourceIdentity: checkSourceIdentity(sourceIdentity) }),
    ...(typeof about === "object" && about !== null && readTags({ ...about })),
  };
}

function readTags(about: Readonly<Record<string, unknown>>): SessionClaims {
  const { principal_tags: listed, transitive_tag_keys: transitive } = about;
  const entries = typeof listed === "object" && listed !== null ? Object.entries(listed) : [];
  const tags = entries.map(([key, values]: [string, unknown]) => {
    const [value, ...more]: readonly unknown[] = Array.isArray(values) ? values : [values];
    if (typeof value !== "string" || more.length > 0 || key.length > 128 || value.length > 256) throw malformed();
    return [key, value] as const;
  });
  return {
    tags: Object.fromEntries(tags),
    transitiveTagKeys: Array.isArray(transitive) ? transitive.filter((key) => typeof key === "string") : [],
  };
}

function checkSourceIdentity(text: string): string {
  if (!/^[\w+=,.@-]{2,64}$/.test(text)) throw malformed();
  return text;
}

function malformed(): Error {
  return invalidIdentityToken("The ID Token provided has session tags or a source identity that are not valid");
}
