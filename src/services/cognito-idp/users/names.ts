import type { Ids } from "../../../kernel/ids.ts";
import { invalidParameter } from "../errors.ts";
import type { Pool } from "../model.ts";
import { isEmail, isPhoneNumber, nameKey } from "../rules.ts";

export interface NewName {
  readonly sub: string;
  readonly username: string;
  readonly key: string;
  readonly attributes: Record<string, string>;
}

/**
 * What a new user is called. Where a pool's names are email addresses or phone numbers, what was given is that attribute, and the
 * user name is the `sub`.
 *
 * @throws InvalidParameterException
 */
export function nameUser(ids: Ids, pool: Pool, given: string, attributes: Readonly<Record<string, string>>): NewName {
  const sub = ids.uuid();
  const names: readonly string[] = pool.settings.UsernameAttributes ?? [];
  if (names.length === 0) {
    const aliases: readonly string[] = pool.settings.AliasAttributes ?? [];
    if (aliases.includes("email") && isEmail(given)) {
      throw invalidParameter("Username cannot be of email format, since user pool is configured for email alias.");
    }
    if (aliases.includes("phone_number") && isPhoneNumber(given)) {
      throw invalidParameter(
        "Username cannot be of phone number format, since user pool is configured for phone number alias.",
      );
    }
    return { sub, username: given, key: nameKey(pool, given), attributes: { ...attributes } };
  }
  const kind =
    names.includes("email") && isEmail(given)
      ? "email"
      : names.includes("phone_number") && isPhoneNumber(given)
        ? "phone_number"
        : undefined;
  if (kind === undefined) {
    const wanted =
      names.length > 1 ? "either an email or a phone number" : names[0] === "email" ? "an email" : "a phone number";
    throw invalidParameter(`Username should be ${wanted}.`);
  }
  if (attributes[kind] !== undefined && nameKey(pool, attributes[kind]) !== nameKey(pool, given)) {
    throw invalidParameter(`Username and the attribute ${kind} must be the same.`);
  }
  return { sub, username: sub, key: nameKey(pool, sub), attributes: { ...attributes, [kind]: given } };
}
