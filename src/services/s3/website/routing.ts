import type { RoutingRule } from "./configuration.ts";

/** Where the client believes to be. */
export interface Address {
  readonly protocol: "http" | "https";
  /** With the port. */
  readonly host: string;
  /** In front of every path: empty, but for the path form of a website's address. */
  readonly base: string;
}

/** The first rule whose conditions hold; before the object is looked for (without an error) none that waits for one. */
export function findRule(
  rules: readonly RoutingRule[],
  key: string,
  errorCode: number | undefined,
): RoutingRule | undefined {
  return rules.find(
    (rule) => rule.errorCode === errorCode && (rule.prefix === undefined || key.startsWith(rule.prefix)),
  );
}

/** Where a rule sends who asks for the key. */
export function toLocation({ prefix = "", to }: RoutingRule, key: string, at: Address): string {
  const target = to.key ?? (to.prefix === undefined ? key : to.prefix + key.slice(prefix.length));
  const base = to.host === undefined ? at.base : "";
  return `${to.protocol ?? at.protocol}://${to.host ?? at.host}${base}/${encodePath(target)}`;
}

/** A key as a path: what rules add may have a query. */
export function encodePath(key: string): string {
  return encodeURI(key).replaceAll("#", "%23");
}
