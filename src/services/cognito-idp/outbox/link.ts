import { invalidParameter } from "../errors.ts";
import type { Client, Pool } from "../model.ts";
import type { Delivery } from "./compose.ts";
import { domainBase } from "../domain-base.ts";

/**
 * The address at the pool's domain that confirms a sign-up, where the pool verifies email addresses by links.
 *
 * Source: developer guide, "Verification message template".
 *
 * @param endpoint the platform's address as the client reached it
 * @throws InvalidParameterException when there is no domain that it could lead to
 */
export function linkOf(
  pool: Pool,
  client: Client,
  username: string,
  { medium }: Delivery,
  code: string,
  endpoint: string,
): { readonly link?: string } {
  const isLink = pool.settings.VerificationMessageTemplate?.DefaultEmailOption === "CONFIRM_WITH_LINK";
  if (!isLink || medium !== "EMAIL") return {};
  const domain = pool.domain ?? pool.customDomain;
  if (domain === undefined) {
    throw invalidParameter("The user pool has no domain, which links that verify email addresses lead to.");
  }
  const query = new URLSearchParams({ client_id: client.id, user_name: username, confirmation_code: code });
  return { link: `${domainBase(endpoint, domain)}/confirmUser?${query}` };
}
