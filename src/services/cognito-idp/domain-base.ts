/** Where a pool's domain is, for clients that cannot resolve its name: below the platform's own address. */
export function domainBase(endpoint: string, domain: string): string {
  return `${endpoint}/_cumulet/auth/${domain}`;
}
