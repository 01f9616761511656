import type { Pool, User } from "./model.ts";

/** Whether names, email addresses and preferred names that differ in case only are different. AWS: by default they are not. */
export function isCaseSensitive(pool: Pool): boolean {
  return pool.settings.UsernameConfiguration?.CaseSensitive === true;
}

/** A name as it is compared. */
export function nameKey(pool: Pool, name: string): string {
  return isCaseSensitive(pool) ? name : name.toLowerCase();
}

export type AliasKind = "email" | "phone_number" | "preferred_username";

/** What stands for a user beside the user name, now. */
export function aliasesOf(pool: Pool, user: User): ReadonlyMap<AliasKind, string> {
  const aliases = new Map<AliasKind, string>();
  const { attributes } = user;
  const names: readonly string[] = pool.settings.UsernameAttributes ?? [];
  const also: readonly string[] = pool.settings.AliasAttributes ?? [];
  for (const kind of ["email", "phone_number"] as const) {
    const value = attributes[kind];
    if (value === undefined || value === "") continue;
    // A name that was signed up with stands for its user at once; an alias, once it is verified.
    if (names.includes(kind) || (also.includes(kind) && attributes[`${kind}_verified`] === "true")) {
      aliases.set(kind, nameKey(pool, value));
    }
  }
  const preferred = attributes["preferred_username"];
  if (also.includes("preferred_username") && preferred) aliases.set("preferred_username", nameKey(pool, preferred));
  return aliases;
}

export function isEmail(text: string): boolean {
  return /^[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)*$/.test(text) && text.length <= 2048;
}

export function isPhoneNumber(text: string): boolean {
  return /^\+[0-9]{1,15}$/.test(text);
}

/** Where a code was sent, as clients are told: `a***@e***`, `+*******1234`. */
export function masked(destination: string): string {
  const at = destination.lastIndexOf("@");
  if (at < 0) return `+${"*".repeat(Math.max(0, destination.length - 5))}${destination.slice(-4)}`;
  return `${destination.slice(0, 1)}***@${destination.slice(at + 1, at + 2)}***`;
}

/** A page token says where the page before ended. */
export function toPageToken(last: string): string {
  return Buffer.from(last).toString("base64url");
}

/** Undefined for what is no token of ours. */
export function parsePageToken(token: string): string | undefined {
  const text = Buffer.from(token, "base64url").toString();
  return toPageToken(text) === token ? text : undefined;
}
