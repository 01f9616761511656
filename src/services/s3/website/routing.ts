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

/** Where a rule sends who asks for the key. What the rule says may have a query, the key may not. */
export function toLocation({ prefix = "", to }: RoutingRule, key: string, at: Address): string {
  const rest = to.prefix === undefined ? encodeKey(key) : encodeText(to.prefix) + encodeKey(key.slice(prefix.length));
  const target = to.key === undefined ? rest : encodeText(to.key);
  const base = to.host === undefined ? at.base : "";
  return `${to.protocol ?? at.protocol}://${to.host ?? at.host}${base}/${target}`;
}

function encodeText(text: string): string {
  return encodeURI(text).replaceAll("#", "%23");
}

function encodeKey(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}
