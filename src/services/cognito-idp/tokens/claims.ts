import type { Reader } from "../../../kernel/store/store.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { type Client, type Group, inPool, type Pool, type User } from "../model.ts";

/** A user's groups, those of the least precedence first, as tokens name them. */
export async function groupsOf(reader: Reader, pool: Pool, user: User): Promise<readonly Group[]> {
  const entries = await reader.range(
    { prefix: inPool("groupOf", pool.id, user.key) },
    { limit: limits.groupsOfUserMax },
  );
  const names = entries.map(({ key }) => String(key.at(-1)));
  const groups = await reader.getMany<Group>(names.map((name) => inPool("group", pool.id, name)));
  const found = groups.filter((group) => group !== undefined);
  return found.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

function rank(group: Group): number {
  return group.precedence ?? Number.MAX_SAFE_INTEGER;
}

export interface GroupFacts {
  readonly names: readonly string[];
  readonly roles: readonly string[];
  /** The role of the group that goes before all others; none where two of the same rank have different ones. */
  readonly preferredRole: string | undefined;
}

export function factsOf(groups: readonly Group[]): GroupFacts {
  const roles = groups.flatMap(({ roleArn }) => roleArn ?? []);
  const first = groups.find(({ roleArn }) => roleArn !== undefined);
  const best = new Set(
    groups
      .filter((group) => first !== undefined && rank(group) === rank(first))
      .flatMap(({ roleArn }) => roleArn ?? []),
  );
  return {
    names: groups.map(({ name }) => name),
    roles: [...new Set(roles)],
    preferredRole: first !== undefined && best.size === 1 ? first.roleArn : undefined,
  };
}

/** Whether a client may read an attribute. Without a list it may read all. */
export function mayRead(client: Client, attribute: string): boolean {
  const listed = client.settings.ReadAttributes;
  return listed === undefined || listed.length === 0 || listed.includes(attribute);
}

/**
 * Which attributes the scopes of an OAuth grant tell. AWS: `openid` alone, or `profile`, all that the client may read; with others
 * only theirs. Source: developer guide, "Scopes, M2M, and resource servers".
 */
export function isOfScopes(attribute: string, scopes: readonly string[]): boolean {
  const narrowing = scopes.filter((scope) => scope === "email" || scope === "phone" || scope === "profile");
  if (narrowing.length === 0 || narrowing.includes("profile")) return true;
  if (attribute === "email" || attribute === "email_verified") return narrowing.includes("email");
  if (attribute === "phone_number" || attribute === "phone_number_verified") return narrowing.includes("phone");
  return false;
}

/** A user's attributes as claims of an ID token. @param scopes of an OAuth grant, which may tell fewer */
export function attributeClaims(client: Client, user: User, scopes: readonly string[] = []): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(user.attributes)) {
    if (name === "identities" || name.startsWith("dev:") || !mayRead(client, name) || !isOfScopes(name, scopes))
      continue;
    if (name === "email_verified" || name === "phone_number_verified") claims[name] = value === "true";
    else if (name === "address") claims[name] = { formatted: value };
    else claims[name] = value;
  }
  if (user.identities && user.identities.length > 0) {
    claims["identities"] = user.identities.map((each) => ({
      dateCreated: String(each.dateCreated),
      userId: each.userId,
      providerName: each.providerName,
      providerType: each.providerType,
      issuer: each.issuer,
      primary: String(each.primary),
    }));
  }
  return claims;
}

/** What triggers are told of a user's attributes. */
export function attributesForTriggers(user: User): Record<string, string> {
  return {
    sub: user.sub,
    ...user.attributes,
    "cognito:user_status": user.status,
  };
}
