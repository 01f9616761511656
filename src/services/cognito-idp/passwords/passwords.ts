import type { Seal } from "../../../access/server-keys.ts";
import type { Ids } from "../../../kernel/ids.ts";
import { invalidPassword, passwordHistoryViolation } from "../errors.ts";
import type { Pool, User } from "../model.ts";
import { createVerifier, matchesVerifier, type Verifier } from "./srp.ts";

/** What is kept of a password, sealed: SRP verifiers. One serves both kinds of sign-in. */
interface PasswordRecord {
  readonly current: SavedVerifier;
  /** Former ones, the latest first. */
  readonly history: readonly SavedVerifier[];
}

/** Hexadecimal. */
interface SavedVerifier {
  readonly salt: string;
  readonly verifier: string;
}

export interface PasswordNeeds {
  readonly seal: Seal;
  readonly ids: Ids;
}

/** The name that a user's password is hashed with: the part of the pool's id after the region, and the user's name. */
export function srpIdentity(pool: Pool, username: string): string {
  return `${pool.id.slice(pool.id.indexOf("_") + 1)}${username}`;
}

/** Whether it is the user's password. Takes as long for a user who has none, or who is none. */
export async function isPassword(
  { seal }: Pick<PasswordNeeds, "seal">,
  pool: Pool,
  user: User | undefined,
  password: string,
): Promise<boolean> {
  const record = openPassword(seal, user);
  const identity = srpIdentity(pool, user?.username ?? "");
  const matches = await matchesVerifier(identity, password, record ? toVerifier(record.current) : nobody);
  return matches && record !== undefined;
}

const nobody: Verifier = { salt: Buffer.alloc(16, 1), verifier: Buffer.alloc(384, 1) };

/** The verifier of a user's password, for SRP. */
export function verifierOf({ seal }: Pick<PasswordNeeds, "seal">, user: User | undefined): Verifier | undefined {
  const record = openPassword(seal, user);
  return record && toVerifier(record.current);
}

/**
 * What is to be stored for a new password.
 *
 * @throws PasswordHistoryPolicyViolationException when it was used before and the pool remembers
 */
export async function newPassword(
  { seal, ids }: PasswordNeeds,
  pool: Pool,
  user: Pick<User, "username"> & { readonly password?: Uint8Array | undefined },
  password: string,
  checkHistory: boolean,
): Promise<Uint8Array> {
  const identity = srpIdentity(pool, user.username);
  const remembered = pool.settings.Policies?.PasswordPolicy?.PasswordHistorySize ?? 0;
  const before = openPassword(seal, user);
  const former = before ? [before.current, ...before.history].slice(0, remembered) : [];
  if (checkHistory) {
    for (const each of former) {
      if (await matchesVerifier(identity, password, toVerifier(each))) throw passwordHistoryViolation();
    }
  }
  const made = await createVerifier(identity, password, saltOf(ids));
  const current = { salt: hex(made.salt), verifier: hex(made.verifier) };
  const record: PasswordRecord = { current, history: former };
  return new Uint8Array(seal.seal(Buffer.from(JSON.stringify(record))));
}

/** Its first bit is not set: clients differ in how they write integers whose first bit is. */
function saltOf(ids: Ids): Uint8Array {
  const salt = ids.bytes(16);
  salt[0] = ((salt[0] ?? 0) & 0x7f) | 0x10;
  return salt;
}

function openPassword(
  seal: Seal,
  user: { readonly password?: Uint8Array | undefined } | undefined,
): PasswordRecord | undefined {
  const opened = user?.password && seal.open(user.password);
  return opened ? parseRecord(Buffer.from(opened).toString("utf8")) : undefined;
}

function parseRecord(text: string): PasswordRecord {
  return JSON.parse(text) as PasswordRecord;
}

function toVerifier({ salt, verifier }: SavedVerifier): Verifier {
  return { salt: Buffer.from(salt, "hex"), verifier: Buffer.from(verifier, "hex") };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** AWS: these count as special characters, and a space within. */
const symbols = /[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+\- ]/;

/** @throws InvalidPasswordException */
export function checkPassword(pool: Pool, password: string): void {
  const policy = pool.settings.Policies?.PasswordPolicy ?? {};
  if (password.length < (policy.MinimumLength ?? 6)) throw invalidPassword("Password not long enough");
  if (policy.RequireUppercase === true && !/[A-Z]/.test(password)) {
    throw invalidPassword("Password must have uppercase characters");
  }
  if (policy.RequireLowercase === true && !/[a-z]/.test(password)) {
    throw invalidPassword("Password must have lowercase characters");
  }
  if (policy.RequireNumbers === true && !/[0-9]/.test(password)) {
    throw invalidPassword("Password must have numeric characters");
  }
  if (policy.RequireSymbols === true && !symbols.test(password)) {
    throw invalidPassword("Password must have symbol characters");
  }
}

/** A temporary password that any policy takes. */
export function temporaryPassword({ ids }: Pick<PasswordNeeds, "ids">, pool: Pool): string {
  const length = Math.max(8, pool.settings.Policies?.PasswordPolicy?.MinimumLength ?? 8);
  const upper = ids.random(1, "ABCDEFGHJKLMNPQRSTUVWXYZ");
  const lower = ids.random(Math.max(1, length - 5), "abcdefghijkmnpqrstuvwxyz");
  const digits = ids.random(2, "23456789");
  const symbol = ids.random(2, "!#%*+-=?@_");
  return `${upper}${lower}${digits}${symbol}`;
}
