import { createHash, timingSafeEqual } from "node:crypto";
import type { Transaction } from "../../../kernel/store/store.ts";
import { endKey, root, type Pool } from "../model.ts";
import { oauthLimits as limits } from "./limits.ts";

/** What a code stands for, until it is exchanged. */
export interface CodeGrant {
  readonly v: 1;
  readonly clientId: string;
  readonly userKey: string;
  readonly sub: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly nonce?: string;
  readonly codeChallenge?: string;
  /** When the user signed in, epoch milliseconds. */
  readonly authTime: number;
  readonly expiresAt: number;
  readonly source: "TokenGeneration_HostedAuth" | "TokenGeneration_NewPasswordChallenge";
  readonly deviceKey?: string;
  /** The sign-in that its tokens belong to, once it was exchanged: who comes with it again ends that. */
  readonly usedFor?: string;
}

// The code itself is not stored.
function keyOf(pool: Pool, code: string) {
  return [root, "oauthCode", pool.id, createHash("sha256").update(code).digest()] as const;
}

export function writeCode(tx: Transaction, pool: Pool, code: string, grant: CodeGrant): void {
  const key = keyOf(pool, code);
  tx.set(key, grant);
  tx.set(endKey(grant.expiresAt, key), 1);
}

export function readCode(tx: Pick<Transaction, "get">, pool: Pool, code: string): Promise<CodeGrant | undefined> {
  return tx.get<CodeGrant>(keyOf(pool, code));
}

/** Whether the verifier is that of the challenge (RFC 7636, section 4.6). */
export function isVerifier(challenge: string | undefined, verifier: string | undefined): boolean {
  if (challenge === undefined) return verifier === undefined;
  const { verifierCharactersMin: min, verifierCharactersMax: max } = limits;
  if (verifier === undefined || verifier.length < min || verifier.length > max) return false;
  if (!/^[A-Za-z0-9._~-]+$/.test(verifier)) return false;
  const expected = Buffer.from(challenge, "base64url");
  const actual = createHash("sha256").update(verifier).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
