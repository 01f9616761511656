import type { Ids } from "../kernel/ids.ts";

// AWS's identifiers are base 32 (RFC 4648), its secrets 40 characters of base 64.
const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * An IAM unique identifier, 20 or more characters: `AKIA` access key, `ASIA` temporary access key, `AIDA` user, `AROA`
 * role, `AGPA` group, `ANPA` managed policy, `AIPA`
 * instance profile.
 */
export function createAccessKeyId(ids: Ids, prefix: "AKIA" | "ASIA"): string {
  return prefix + ids.random(16, base32);
}

export function createUniqueId(ids: Ids, prefix: "AIDA" | "AROA" | "AGPA" | "ANPA" | "AIPA"): string {
  return prefix + ids.random(17, base32);
}

export function createSecretAccessKey(ids: Ids): string {
  return ids.random(40, base64);
}
