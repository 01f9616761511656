import { createHash } from "node:crypto";
import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import { aliasExists, userNotFound, usernameExists } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { inPool, type Pool, root, type User } from "../model.ts";
import { type AliasKind, aliasesOf, nameKey } from "../rules.ts";

export function readUser(reader: Reader, pool: Pool, key: string): Promise<User | undefined> {
  return reader.get<User>(inPool("user", pool.id, key));
}

/** The user that a name stands for: a user name, an alias, or the `sub`. */
export async function findUser(reader: Reader, pool: Pool, name: string): Promise<User | undefined> {
  const key = nameKey(pool, name);
  const direct = await readUser(reader, pool, key);
  if (direct) return direct;
  const names: Key[] = [inPool("sub", pool.id, name)];
  if (hasAliases(pool)) for (const kind of aliasKinds) names.push(inPool("alias", pool.id, kind, key));
  for (const found of await reader.getMany<string>(names)) {
    const user = found === undefined ? undefined : await readUser(reader, pool, found);
    if (user) return user;
  }
  return undefined;
}

/** @throws UserNotFoundException */
export async function existingUser(reader: Reader, pool: Pool, name: string): Promise<User> {
  const user = await findUser(reader, pool, name);
  if (!user) throw userNotFound();
  return user;
}

const aliasKinds = ["email", "phone_number", "preferred_username"] as const;

function hasAliases(pool: Pool): boolean {
  return (pool.settings.AliasAttributes?.length ?? 0) > 0 || (pool.settings.UsernameAttributes?.length ?? 0) > 0;
}

/** The user who has an alias now. */
export async function ownerOfAlias(
  reader: Reader,
  pool: Pool,
  kind: AliasKind,
  value: string,
): Promise<string | undefined> {
  return reader.get<string>(inPool("alias", pool.id, kind, nameKey(pool, value)));
}

/**
 * Write a user with all that finds it.
 *
 * @param before the user as it is stored; undefined for a new one
 * @param force take aliases from whoever has them: that user's attribute is not verified any more
 * @throws UsernameExistsException for a name that is taken; AliasExistsException for an alias
 */
export async function writeUser(
  tx: Transaction,
  pool: Pool,
  user: User,
  before: User | undefined,
  force = false,
): Promise<void> {
  if (!before && (await readUser(tx, pool, user.key))) throw usernameExists();
  const had = before ? aliasesOf(pool, before) : new Map<AliasKind, string>();
  const has = aliasesOf(pool, user);
  const isName = (kind: string) => (pool.settings.UsernameAttributes ?? []).some((name) => name === kind);
  for (const [kind, value] of has) {
    if (had.get(kind) === value) continue;
    const key = inPool("alias", pool.id, kind, value);
    const owner = await tx.get<string>(key);
    if (owner !== undefined && owner !== user.key) {
      if (!before && isName(kind)) throw usernameExists(kind);
      if (!force) throw aliasExists(kind);
      await releaseAlias(tx, pool, owner, kind);
    }
    tx.set(key, user.key);
  }
  for (const [kind, value] of had) {
    if (has.get(kind) !== value) tx.delete(inPool("alias", pool.id, kind, value));
  }
  const found = indexOf(pool, user);
  const old = before ? indexOf(pool, before) : new Map<string, Key>();
  for (const [name, key] of found) if (!old.has(name)) tx.set(key, 1);
  for (const [name, key] of old) if (!found.has(name)) tx.delete(key);
  if (!before) {
    tx.set(inPool("sub", pool.id, user.sub), user.key);
    await count(tx, pool, user, 1);
  }
  tx.set(inPool("user", pool.id, user.key), user);
}

async function releaseAlias(tx: Transaction, pool: Pool, owner: string, kind: AliasKind): Promise<void> {
  const other = await readUser(tx, pool, owner);
  if (!other) return;
  const attributes = { ...other.attributes };
  if (kind === "preferred_username") delete attributes[kind];
  else attributes[`${kind}_verified`] = "false";
  await writeUser(tx, pool, { ...other, attributes }, other);
}

/** Remove a user and all that belongs to it. */
export async function deleteUser(tx: Transaction, pool: Pool, user: User): Promise<void> {
  for (const [kind, value] of aliasesOf(pool, user)) tx.delete(inPool("alias", pool.id, kind, value));
  for (const key of indexOf(pool, user).values()) tx.delete(key);
  tx.delete(inPool("sub", pool.id, user.sub));
  for (const { providerName, userId } of user.identities ?? []) {
    tx.delete(inPool("linked", pool.id, providerName, userId));
  }
  for (const kind of ["device", "passkey", "session", "code", "failures", "pending", "update"] as const) {
    await deleteBelow(tx, inPool(kind, pool.id, user.key));
  }
  const memberships = await tx.range({ prefix: inPool("groupOf", pool.id, user.key) }, { limit: 10_000 });
  for (const { key } of memberships) {
    const group = key.at(-1);
    tx.delete(key);
    if (typeof group === "string") tx.delete(inPool("member", pool.id, group, user.key));
  }
  tx.delete(inPool("user", pool.id, user.key));
  await count(tx, pool, user, -1);
}

async function deleteBelow(tx: Transaction, prefix: Key): Promise<void> {
  const entries = await tx.range({ prefix }, { limit: 10_000 });
  for (const { key } of entries) tx.delete(key);
}

/** Attributes that ListUsers filters by. */
export const searchable = [
  "username",
  "email",
  "phone_number",
  "name",
  "given_name",
  "family_name",
  "preferred_username",
  "cognito:user_status",
  "status",
  "sub",
] as const;

export type Searchable = (typeof searchable)[number];

/** What of a user a filter looks at. */
export function searchedValue(user: User, attribute: Searchable): string | undefined {
  switch (attribute) {
    case "username":
      return user.username;
    case "cognito:user_status":
      return user.status;
    case "status":
      return user.enabled ? "Enabled" : "Disabled";
    case "sub":
      return user.sub;
    default:
      return user.attributes[attribute];
  }
}

/** A value as it is found and compared: names and addresses without case, where the pool takes them so. */
export function searchKey(pool: Pool, attribute: Searchable, value: string): string {
  const folds = attribute === "username" || attribute === "email" || attribute === "preferred_username";
  return folds ? nameKey(pool, value) : value;
}

export function indexed(value: string): string {
  return value.slice(0, limits.indexedCharactersMax).toWellFormed();
}

/** By name, so that two states of a user can be compared. */
function indexOf(pool: Pool, user: User): ReadonlyMap<string, Key> {
  const keys = new Map<string, Key>();
  for (const attribute of searchable) {
    // These two are the user's key and `sub` entries already.
    if (attribute === "username" || attribute === "sub") continue;
    const value = searchedValue(user, attribute);
    if (value === undefined || value === "") continue;
    const text = indexed(searchKey(pool, attribute, value));
    keys.set(`${attribute} ${text}`, inPool("find", pool.id, attribute, text, user.key));
  }
  return keys;
}

const shards = 16;

/** In shards: sign-ups side by side must not conflict about a number. */
async function count(tx: Transaction, pool: Pool, user: User, by: number): Promise<void> {
  const shard = (createHash("sha256").update(user.key).digest()[0] ?? 0) % shards;
  const key = [root, "count", pool.id, shard];
  tx.set(key, ((await tx.get<number>(key)) ?? 0) + by);
}

export async function countUsers(reader: Reader, pool: Pool): Promise<number> {
  const entries = await reader.range<number>({ prefix: [root, "count", pool.id] }, { limit: shards });
  return entries.reduce((sum, { value }) => sum + value, 0);
}
