import type { Pool } from "../model.ts";

/**
 * Who a pool's tokens say has issued them (decision 0015): below the configured base address, AWS's own (`aws`), or the
 * address at which the client reached the platform.
 *
 * @param endpoint as `Call.endpoint`
 */
export function issuerOf(configured: string | undefined, pool: Pick<Pool, "id" | "region">, endpoint: string): string {
  if (configured === "aws") return `https://cognito-idp.${pool.region}.amazonaws.com/${pool.id}`;
  return `${(configured ?? endpoint).replace(/\/+$/, "")}/${pool.id}`;
}

/** The id of the pool that an issuer is, whatever its host: the last segment of its path. */
export function poolIdOf(issuer: unknown): string | undefined {
  if (typeof issuer !== "string" || issuer.length > 2048) return undefined;
  return /^https?:\/\/[^/?#]+(?:\/[^?#]*)?\/([a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}_[A-Za-z0-9]{1,40})$/.exec(issuer)?.[1];
}
