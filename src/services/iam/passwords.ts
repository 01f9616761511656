import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import type { Key, Reader, Store, Transaction } from "../../kernel/store/store.ts";
import { passwordPolicyViolation } from "./errors.ts";
import { iamLimits } from "./limits.ts";

/** What a password is checked against, and nothing that it could be read from. */
interface PasswordHash {
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** A user's password for the console. Stored; dates are epoch milliseconds. */
export interface LoginProfile {
  readonly v: 1;
  readonly password: PasswordHash;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly resetRequired: boolean;
  /** Latest first: those that a policy may forbid to use again. */
  readonly earlier: readonly PasswordHash[];
  readonly failures: number;
  readonly lockedUntil: number;
}

/** By the user's id: it stays when the name changes. */
function loginProfileKey(account: string, userId: string): Key {
  return ["iamLogin", account, userId];
}

export async function readLoginProfile(
  reader: Reader,
  account: string,
  userId: string,
): Promise<LoginProfile | undefined> {
  return await reader.get<LoginProfile>(loginProfileKey(account, userId));
}

export function writeLoginProfile(tx: Transaction, account: string, userId: string, profile: LoginProfile): void {
  tx.set(loginProfileKey(account, userId), profile);
}

export function deleteLoginProfile(tx: Transaction, account: string, userId: string): void {
  tx.delete(loginProfileKey(account, userId));
}

/** N = 2^15, r = 8, p = 1: 32 MiB and some tens of milliseconds. Source: OWASP's Password Storage Cheat Sheet. */
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

export async function hashPassword(password: string, salt: Uint8Array = randomBytes(16)): Promise<PasswordHash> {
  const hash = await new Promise<Buffer>((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, 32, cost, (error, derived) => {
      if (error) reject(error);
      else resolve(derived);
    });
  });
  return { salt: new Uint8Array(salt), hash: new Uint8Array(hash) };
}

export async function isPassword(password: string, known: PasswordHash): Promise<boolean> {
  const { hash } = await hashPassword(password, known.salt);
  return timingSafeEqual(hash, known.hash);
}

/**
 * Whether it is the user's password. After some wrong ones nothing is right for a while, so that it cannot be guessed.
 */
export async function checkPassword(
  store: Store,
  account: string,
  userId: string,
  password: string,
  now: number,
): Promise<boolean> {
  const profile = await store.read((reader) => readLoginProfile(reader, account, userId));
  if (!profile || profile.lockedUntil > now) return false;
  const isRight = await isPassword(password, profile.password);
  if (isRight && profile.failures === 0) return true;
  await store.transact(async (tx) => {
    const known = await readLoginProfile(tx, account, userId);
    if (!known) return;
    const failures = isRight ? 0 : known.failures + 1;
    const extra = failures - iamLimits.passwordFailuresFree;
    const lockedUntil = extra < 0 ? 0 : now + Math.min(iamLimits.passwordLockMsMax, 1_000 * 2 ** Math.min(extra, 20));
    writeLoginProfile(tx, account, userId, { ...known, failures, lockedUntil });
  });
  return isRight;
}

/** An account's own rules. Stored. */
export interface PasswordPolicy {
  readonly v: 1;
  readonly minimumLength: number;
  readonly symbols: boolean;
  readonly numbers: boolean;
  readonly uppercase: boolean;
  readonly lowercase: boolean;
  readonly usersMayChange: boolean;
  readonly maxAgeDays: number | undefined;
  readonly reusePrevention: number | undefined;
  readonly hardExpiry: boolean | undefined;
}

export function passwordPolicyKey(account: string): Key {
  return ["iam", account, "passwordPolicy"];
}

export async function readPasswordPolicy(reader: Reader, account: string): Promise<PasswordPolicy | undefined> {
  return await reader.get<PasswordPolicy>(passwordPolicyKey(account));
}

const kinds = { uppercase: /[A-Z]/, lowercase: /[a-z]/, numbers: /\d/, symbols: /[!@#$%^&*()_+\-=[\]{}|']/ };
const told = {
  uppercase: "Password should have at least one uppercase letter",
  lowercase: "Password should have at least one lowercase letter",
  numbers: "Password should have at least one number",
  symbols: "Password should have at least one symbol",
};

/**
 * Throws PasswordPolicyViolation. Without a policy of the account AWS's default holds: 8 characters of three kinds, and
 * not the account's or user's name. Source: "Set an account password policy for IAM users".
 */
export function checkPasswordRules(password: string, policy: PasswordPolicy | undefined, userName: string): void {
  const minimum = policy?.minimumLength ?? 8;
  if (password.length < minimum) {
    throw passwordPolicyViolation(`Password should have a minimum length of ${minimum}`);
  }
  const names = ["uppercase", "lowercase", "numbers", "symbols"] as const;
  if (policy) {
    for (const name of names) {
      if (policy[name] && !kinds[name].test(password)) throw passwordPolicyViolation(told[name]);
    }
    return;
  }
  if (names.filter((name) => kinds[name].test(password)).length < 3 || password === userName) {
    throw passwordPolicyViolation("Password does not conform to the account password policy.");
  }
}

/** Throws PasswordPolicyViolation for one of the passwords that the policy keeps in mind. */
export async function checkReuse(password: string, profile: LoginProfile, policy: PasswordPolicy | undefined) {
  const kept = policy?.reusePrevention ?? 0;
  for (const known of [profile.password, ...profile.earlier].slice(0, kept)) {
    if (await isPassword(password, known)) {
      throw passwordPolicyViolation("Password does not conform to the account password policy.");
    }
  }
}

const dayMs = 24 * 3_600_000;

/** When a password has to be changed, epoch milliseconds; undefined when never. */
export function expiryOf(profile: LoginProfile, policy: PasswordPolicy | undefined): number | undefined {
  return policy?.maxAgeDays === undefined ? undefined : profile.changedAt + policy.maxAgeDays * dayMs;
}
