import type { Seal } from "../../../access/server-keys.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Cognito } from "../core.ts";
import { codeMismatch, expiredCode, limitExceeded } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { type Code, type CodePurpose, endKey, inPool, type Pool, type User } from "../model.ts";
import { equalBytes } from "../passwords/srp.ts";

const hourMs = 3_600_000;

/** Six digits, as users read them from a message. */
export function drawCode({ ids }: Pick<Cognito, "ids">): string {
  return ids.random(6, "0123456789");
}

/**
 * Remember a code that is sent to a user; one sent before for the same purpose counts no more.
 *
 * @throws LimitExceededException when too many were sent
 */
export async function writeCode(
  { seal }: Pick<Cognito, "seal">,
  tx: Transaction,
  pool: Pool,
  user: Pick<User, "key">,
  purpose: CodePurpose,
  sent: { readonly code: string; readonly destination: string; readonly attribute?: string; readonly now: number },
): Promise<void> {
  const key = inPool("code", pool.id, user.key, purpose);
  const before = await tx.get<Code>(key);
  const { now } = sent;
  const window = before && now - before.window.from < hourMs ? before.window : { from: now, count: 0 };
  if (window.count >= limits.codesPerHourMax) throw limitExceeded();
  const lifetime = purpose === "reset" ? limits.resetCodeMs : limits.signUpCodeMs;
  const code: Code = {
    v: 1,
    sealed: new Uint8Array(seal.seal(Buffer.from(sent.code))),
    expiresAt: now + lifetime,
    window: { ...window, count: window.count + 1 },
    attempts: 0,
    destination: sent.destination,
    ...(sent.attribute !== undefined && { attribute: sent.attribute }),
  };
  tx.set(key, code);
  tx.set(endKey(code.expiresAt, key), 1);
}

export type CodeOutcome =
  { readonly outcome: "good"; readonly code: Code } | { readonly outcome: "mismatch" | "expired" | "exhausted" };

/**
 * Use a code up, or count a wrong guess. The transaction must commit in either case: the caller throws, by `orRefuse`, after it.
 */
export async function takeCode(
  seal: Seal,
  tx: Transaction,
  pool: Pool,
  user: User,
  purpose: CodePurpose,
  given: string,
  now: number,
): Promise<CodeOutcome> {
  const key = inPool("code", pool.id, user.key, purpose);
  const code = await tx.get<Code>(key);
  if (!code || code.expiresAt <= now) return { outcome: "expired" };
  if (code.attempts >= limits.codeAttemptsMax) return { outcome: "exhausted" };
  const opened = seal.open(code.sealed);
  if (!opened || !equalBytes(opened, Buffer.from(given))) {
    tx.set(key, { ...code, attempts: code.attempts + 1 });
    return { outcome: "mismatch" };
  }
  tx.delete(key);
  return { outcome: "good", code };
}

/** @throws CodeMismatchException, ExpiredCodeException, LimitExceededException */
export function orRefuse(outcome: CodeOutcome): void {
  switch (outcome.outcome) {
    case "good":
      return;
    case "mismatch":
      throw codeMismatch();
    case "expired":
      throw expiredCode();
    case "exhausted":
      throw limitExceeded();
  }
}
