import { createHash } from "node:crypto";

/** An account as the events of S3 name it, and the root when it acts. */
export function toCustomerId(account: string): string {
  return `A${toCanonicalUserId(account).slice(0, 13).toUpperCase()}`;
}

/** An account as S3 names it in owners, grants and the `CanonicalUser` principals of policies: 64 hexadecimal digits. */
export function toCanonicalUserId(account: string): string {
  return createHash("sha256").update(`canonical user ${account}`).digest("hex");
}
