import { validationError } from "../errors.ts";

/** Where the next page begins, as an opaque token. */
export function toToken(position: string | number): string {
  return Buffer.from(JSON.stringify({ v: 1, position })).toString("base64url");
}

export function fromToken(token: string | undefined): string | number | undefined {
  if (token === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (typeof value === "object" && value !== null && "position" in value) {
      const { position } = value;
      if (typeof position === "string" || typeof position === "number") return position;
    }
  } catch {
    // Not one of ours.
  }
  throw validationError("NextToken is not valid.");
}

/** One page of a list that is at hand. The position is the index. */
export function pageOf<T>(all: readonly T[], token: string | undefined, size: number): { items: T[]; next?: string } {
  const from = Number(fromToken(token) ?? 0);
  if (!Number.isInteger(from) || from < 0) throw validationError("NextToken is not valid.");
  const items = all.slice(from, from + size);
  return from + size < all.length ? { items, next: toToken(from + size) } : { items };
}
