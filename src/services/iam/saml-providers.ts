import type { Key, Reader } from "../../kernel/store/store.ts";

/** A SAML provider. Stored and told; roles cannot be assumed with its assertions here. */
export interface SamlProvider {
  readonly v: 1;
  readonly arn: string;
  readonly uuid: string;
  readonly metadata: string;
  readonly createdAt: number;
  readonly validUntil: number;
  readonly tags: Readonly<Record<string, string>>;
}

export function samlProviderPrefix(account: string): Key {
  return ["iam", account, "samlProvider"];
}

export function samlProviderKey(account: string, arn: string): Key {
  return [...samlProviderPrefix(account), arn];
}

export async function readSamlProvider(
  reader: Reader,
  account: string,
  arn: string,
): Promise<SamlProvider | undefined> {
  return await reader.get<SamlProvider>(samlProviderKey(account, arn));
}
