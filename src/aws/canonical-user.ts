import { createHash } from "node:crypto";

/** An account as S3 names it in owners, grants and the `CanonicalUser` principals of policies: 64 hexadecimal digits. */
export function toCanonicalUserId(account: string): string {
  return createHash("sha256").update(`canonical user ${account}`).digest("hex");
}
