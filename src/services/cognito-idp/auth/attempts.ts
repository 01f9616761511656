import { attemptsExceeded } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { endKey, inPool, type Pool } from "../model.ts";
import type { CognitoNeeds } from "../needs.ts";

interface Failures {
  readonly v: 1;
  readonly count: number;
  readonly at: number;
  /** When they are forgotten. */
  readonly expiresAt: number;
}

type Secret = "password" | "change" | "totp";

/** How long nobody may try after so many failures. Source: developer guide, "Lockout behavior for failed sign-in attempts". */
export function lockMsAfter(failures: number): number {
  const over = failures - limits.failuresFree;
  if (over < 0) return 0;
  return Math.min(limits.lockMs * 2 ** over, limits.lockMsMax);
}

/**
 * Let one try a secret, or refuse because there were too many failures. Counts for names that nobody has, too.
 *
 * @param key the user's, or the name as it was given
 * @throws NotAuthorizedException, or what is given
 */
export async function guardAttempt(
  { store }: Pick<CognitoNeeds, "store">,
  pool: Pool,
  key: string,
  secret: Secret,
  now: number,
  refusal: () => Error = attemptsExceeded,
): Promise<void> {
  const failures = await store.read((reader) => reader.get<Failures>(inPool("failures", pool.id, key, secret)));
  if (failures && now < failures.expiresAt && now < failures.at + lockMsAfter(failures.count)) throw refusal();
}

export async function failedAttempt(
  { store }: Pick<CognitoNeeds, "store">,
  pool: Pool,
  key: string,
  secret: Secret,
  now: number,
): Promise<void> {
  await store.transact(async (tx) => {
    const name = inPool("failures", pool.id, key, secret);
    const before = await tx.get<Failures>(name);
    const count = (before && now < before.expiresAt ? before.count : 0) + 1;
    const expiresAt = now + limits.lockMsMax;
    tx.set(name, { v: 1, count, at: now, expiresAt } satisfies Failures);
    tx.set(endKey(expiresAt, name), 1);
  });
}

export async function forgetFailures(
  { store }: Pick<CognitoNeeds, "store">,
  pool: Pool,
  key: string,
  secret: Secret,
): Promise<void> {
  const name = inPool("failures", pool.id, key, secret);
  // Nearly always there are none, and then nothing is written.
  if ((await store.read((reader) => reader.get(name))) === undefined) return;
  await store.transact(async (tx) => tx.delete(name));
}
