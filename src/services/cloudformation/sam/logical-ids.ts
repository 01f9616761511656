import { createHash } from "node:crypto";
import { canonicalJson, isGiven, isString } from "./values.ts";

/** AWS's way to make a logical id depend on a value: ten hexadecimal digits of SHA-1 over its canonical JSON (a text as it is). */
export function hashSuffix(value: unknown, length = 10): string {
  if (!isGiven(value)) return "";
  return createHash("sha1")
    .update(isString(value) ? value : canonicalJson(value), "utf8")
    .digest("hex")
    .slice(0, length);
}

export function hashedId(prefix: string, value: unknown): string {
  return prefix + hashSuffix(value);
}

/** A suffix stands readable in the id when it is alphanumeric, and as a hash when it is not. */
export function suffixedId(prefix: string, suffix: string): string {
  return isAlphanumeric(suffix) ? prefix + suffix : hashedId(prefix, suffix);
}

export function isAlphanumeric(text: string): boolean {
  return /^[\p{L}\p{N}]+$/u.test(text);
}
