import type { Deployment, Incarnation } from "../model.ts";
import { isList, isObject, type JsonValue } from "../template/parse.ts";

/** The values that `NoEcho` keeps from being shown: of parameters, and of what custom resources' providers have answered. */
export function secretsOf(
  deployments: Iterable<Pick<Deployment, "parameters"> | undefined>,
  resources: Iterable<Pick<Incarnation, "noEcho" | "attributes">> = [],
): readonly string[] {
  const secrets = new Set<string>();
  for (const { noEcho, attributes } of resources) if (noEcho) addTexts(attributes, secrets);
  for (const deployment of deployments) {
    for (const { noEcho, value } of deployment?.parameters ?? []) if (noEcho && value !== "") secrets.add(value);
  }
  // Longer ones first: one may be a part of another.
  return [...secrets].toSorted((a, b) => b.length - a.length);
}

function addTexts(value: JsonValue, texts: Set<string>): void {
  if (typeof value === "string" && value !== "") texts.add(value);
  else if (typeof value === "number") texts.add(String(value));
  else if (isList(value)) for (const each of value) addTexts(each, texts);
  else if (isObject(value)) for (const each of Object.values(value)) addTexts(each, texts);
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
