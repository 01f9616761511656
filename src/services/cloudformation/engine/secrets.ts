import type { Deployment } from "../model.ts";
import { isList, isObject, type JsonValue } from "../template/parse.ts";

/** The values that `NoEcho` keeps from being shown. */
export function secretsOf(deployments: Iterable<Pick<Deployment, "parameters"> | undefined>): readonly string[] {
  const secrets = new Set<string>();
  for (const deployment of deployments) {
    for (const { noEcho, value } of deployment?.parameters ?? []) if (noEcho && value !== "") secrets.add(value);
  }
  // Longer ones first: one may be a part of another.
  return [...secrets].toSorted((a, b) => b.length - a.length);
}

/** A value as it may be shown: secrets in its texts are `****`. */
export function withoutSecrets<T extends JsonValue>(value: T, secrets: readonly string[]): T;
export function withoutSecrets(value: JsonValue, secrets: readonly string[]): JsonValue {
  if (secrets.length === 0) return value;
  if (typeof value === "string") return secrets.reduce((text, secret) => text.replaceAll(secret, () => "****"), value);
  if (typeof value === "number") return secrets.includes(String(value)) ? "****" : value;
  if (isList(value)) return value.map((each) => withoutSecrets(each, secrets));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutSecrets(each, secrets)]));
}
