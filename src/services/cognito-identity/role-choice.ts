import type { IdentityPool, MappingRule } from "./model.ts";

/** What a verified login says of its owner. */
export type Claims = Readonly<Record<string, unknown>>;

/** `denied`: the mapping says so; `mismatch`: the role that was asked for is not the owner's; `none`: the pool has no role. */
export type RoleChoice = { readonly role: string } | { readonly refused: "denied" | "mismatch" | "none" };

/**
 * The role of an authenticated identity. Source: "Using role-based access control" in the Cognito developer guide.
 *
 * @param mappingName the name under which the pool maps the provider: for a user pool `PROVIDER_NAME:CLIENT_ID`
 * @param customRoleArn the role that the caller asks for among several
 */
export function chooseRole(
  pool: Pick<IdentityPool, "roles" | "roleMappings">,
  mappingName: string | undefined,
  claims: Claims,
  customRoleArn: string | undefined,
): RoleChoice {
  const mapping =
    mappingName !== undefined && Object.hasOwn(pool.roleMappings, mappingName)
      ? pool.roleMappings[mappingName]
      : undefined;
  if (mapping === undefined) {
    if (customRoleArn !== undefined) return { refused: "mismatch" };
    return toChoice(pool.roles.authenticated);
  }
  const candidates =
    mapping.type === "Token"
      ? textsOf(claims["cognito:roles"])
      : mapping.rules.filter((rule) => holds(rule, claims)).map(({ roleArn }) => roleArn);
  if (customRoleArn !== undefined) {
    return candidates.includes(customRoleArn) ? { role: customRoleArn } : { refused: "mismatch" };
  }
  const chosen = mapping.type === "Token" ? preferred(claims, candidates) : candidates[0];
  if (chosen !== undefined) return { role: chosen };
  return mapping.ambiguous === "Deny" ? { refused: "denied" } : toChoice(pool.roles.authenticated);
}

function toChoice(role: string | undefined): RoleChoice {
  return role === undefined ? { refused: "none" } : { role };
}

/** The claim that prefers one; without it, the only one there is. */
function preferred(claims: Claims, roles: readonly string[]): string | undefined {
  const claim = claims["cognito:preferred_role"];
  if (typeof claim === "string" && claim !== "") return claim;
  return roles.length === 1 ? roles[0] : undefined;
}

/** AWS: a claim that is a list holds when one of its values does; what is absent equals nothing, and so differs from all. */
function holds(rule: MappingRule, claims: Claims): boolean {
  const claim = Object.hasOwn(claims, rule.claim) ? claims[rule.claim] : undefined;
  const values = textsOf(claim);
  switch (rule.match) {
    case "Equals":
      return values.includes(rule.value);
    case "NotEqual":
      return values.length > 0 && !values.includes(rule.value);
    case "Contains":
      return values.some((value) => value.includes(rule.value));
    case "StartsWith":
      return values.some((value) => value.startsWith(rule.value));
    default:
      return rule.match satisfies never;
  }
}

function textsOf(claim: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return list.flatMap((value) =>
    typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? [String(value)] : [],
  );
}

/** Source: "Using attributes for access control": by default the client and the subject of the login. */
const defaultTags: Readonly<Record<string, string>> = { client: "aud", username: "sub" };

/** Session tags of the credentials, by the pool's map of the provider. A claim that is absent or no plain value tags nothing. */
export function principalTagsOf(
  pool: Pick<IdentityPool, "principalTags">,
  provider: string | undefined,
  claims: Claims,
): Readonly<Record<string, string>> {
  const map =
    provider !== undefined && Object.hasOwn(pool.principalTags, provider) ? pool.principalTags[provider] : undefined;
  if (map === undefined) return {};
  const tags = map.useDefaults ? defaultTags : map.tags;
  return Object.fromEntries(
    Object.entries(tags).flatMap(([tag, claim]) => {
      const [value] = textsOf(Object.hasOwn(claims, claim) ? claims[claim] : undefined);
      return value === undefined || value.length > 256 ? [] : [[tag, value] as const];
    }),
  );
}
