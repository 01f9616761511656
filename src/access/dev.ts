import type { Principal } from "../aws/principal.ts";
import { isLoopbackAddress } from "./loopback.ts";
import { firstValue, type HeaderValues } from "./sigv4/canonical-request.ts";
import type { SignedRequest } from "./verifier.ts";

/** `--dev`: who is let in without a key of ours. */
export interface DevOptions {
  /** The account of credentials that do not name one: an access key id of 12 digits names its account. */
  readonly account: string;
}

/**
 * Takes any credentials for the root of an account, from this machine's own programs. Keys and sessions that the
 * platform knows never come here: they are verified, and stay what they are.
 *
 * A web page in a browser on this machine could reach the platform too, from its own origin or (DNS rebinding) under a
 * name of its own that resolves to loopback. So a request must come from a loopback address, be for a name that only
 * ever means this machine or AWS, and not come from another site's page; a browser's must show that it does not.
 */
export function createDevCredentials(options: DevOptions): {
  accept(request: Pick<SignedRequest, "sourceIp">, headers: HeaderValues, accessKeyId: string): Principal | undefined;
} {
  return {
    accept: (request, headers, accessKeyId) => {
      if (!isLoopbackAddress(request.sourceIp ?? "") || !isOwnName(headers) || isFromAnotherSite(headers)) {
        return undefined;
      }
      const account = /^\d{12}$/.test(accessKeyId) ? accessKeyId : options.account;
      return { type: "root", account, arn: `arn:aws:iam::${account}:root`, accessKeyId };
    },
  };
}

function isOwnName(headers: HeaderValues): boolean {
  const host = headers.get("host") ?? headers.get(":authority");
  // One that is told twice is nobody's.
  return typeof host === "string" && isTrustedHost(host);
}

function isFromAnotherSite(headers: HeaderValues): boolean {
  const origin = firstValue(headers, "origin");
  if (origin !== undefined) return !isLoopbackUrl(origin);
  const referer = firstValue(headers, "referer");
  if (referer !== undefined && !isLoopbackUrl(referer)) return true;
  const site = firstValue(headers, "sec-fetch-site");
  if (site !== undefined) return site !== "none" && site !== "same-origin";
  // Browsers tell nothing of a request's site when it goes over plain HTTP to a name that is not loopback's own, even if
  // it resolves to loopback; a page can keep `Referer` and, for GET, `Origin` back. It cannot change who the browser is.
  const isBrowser = [headers.get("user-agent") ?? []].flat().some((agent) => /^\s*Mozilla\//i.test(agent));
  return isBrowser && referer === undefined;
}

/** Pages of this machine only: anybody may have a page below `amazonaws.com`. */
function isLoopbackUrl(text: string): boolean {
  const host = URL.parse(text)?.hostname ?? "";
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || isLoopbackAddress(host);
}

const trustedHost =
  /^(?:(?:[\w.-]+\.)?(?:localhost|localhost\.localstack\.cloud|amazonaws\.com|api\.aws)|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])\.?(?::\d{1,5})?$/i;

/** Names nobody can point at this machine from outside: loopback's own, and AWS's. */
function isTrustedHost(host: string): boolean {
  return trustedHost.test(host);
}
