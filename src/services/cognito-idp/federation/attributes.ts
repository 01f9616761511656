import type { ExternalClaims } from "./provider.ts";

/**
 * A user's attributes by a provider's mapping: from the pool's attribute to the provider's. What the provider does not say, or
 * says as no plain value, is left out; `username` and `sub` are not attributes.
 */
export function mapAttributes(
  mapping: Readonly<Record<string, string>>,
  claims: ExternalClaims,
): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {};
  for (const [attribute, claim] of Object.entries(mapping)) {
    if (attribute === "username" || attribute === "sub" || attribute === "identities") continue;
    const value = Object.hasOwn(claims, claim) ? toText(claims[claim]) : undefined;
    if (value !== undefined) attributes[attribute] = value;
  }
  return attributes;
}

/** AWS: lists become text as they are printed, in brackets. */
function toText(value: unknown): string | undefined {
  if (typeof value === "string") return value.slice(0, 2048);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.map((each) => toText(each) ?? "").join(", ")}]`.slice(0, 2048);
  return undefined;
}
