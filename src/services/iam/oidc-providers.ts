import type { Key, Reader } from "../../kernel/store/store.ts";

/** An OpenID Connect provider whose tokens roles may be assumed with. Stored. */
export interface OidcProvider {
  readonly v: 1;
  readonly arn: string;
  /** As its tokens say in `iss`. */
  readonly url: string;
  readonly clientIds: readonly string[];
  readonly thumbprints: readonly string[];
  readonly createdAt: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** `https://host/path` → `host/path`: how ARNs and condition keys name a provider. */
export function providerName(url: string): string {
  return url.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

export function oidcProviderArn(account: string, url: string): string {
  return `arn:aws:iam::${account}:oidc-provider/${providerName(url)}`;
}

export function oidcProviderPrefix(account: string): Key {
  return ["iam", account, "oidcProvider"];
}

export function oidcProviderKey(account: string, arn: string): Key {
  return [...oidcProviderPrefix(account), arn];
}

export async function readOidcProvider(
  reader: Reader,
  account: string,
  arn: string,
): Promise<OidcProvider | undefined> {
  return await reader.get<OidcProvider>(oidcProviderKey(account, arn));
}
