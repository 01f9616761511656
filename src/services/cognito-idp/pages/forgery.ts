import { timingSafeEqual } from "node:crypto";
import type { Ids } from "../../../kernel/ids.ts";
import { toCookie } from "../oauth/cookies.ts";
import { only, type DomainRequest } from "../oauth/exchange.ts";

/**
 * Against requests that other sites make a browser send: a form carries a value that only this site's cookie has, and browsers
 * that say where a request comes from must say that it comes from here.
 */
const cookieName = "XSRF-TOKEN";

/** The value for forms, and the cookie to set where the browser has none. */
export function formToken(request: DomainRequest, ids: Ids): { readonly token: string; readonly cookie?: string } {
  const known = request.cookies.get(cookieName);
  if (known !== undefined && /^[A-Za-z0-9_-]{43}$/.test(known)) return { token: known };
  const token = Buffer.from(ids.bytes(32)).toString("base64url");
  return { token, cookie: toCookie(request, cookieName, token, 3600) };
}

export function isForged(request: DomainRequest, form: URLSearchParams): boolean {
  const { origin, "sec-fetch-site": site } = request.headers;
  if (origin !== undefined && origin !== request.origin && !isBehindTls(origin, request.origin)) return true;
  if (site !== undefined && site !== "same-origin" && site !== "none") return true;
  const cookie = Buffer.from(request.cookies.get(cookieName) ?? "");
  const sent = Buffer.from(only(form, "_csrf") ?? "");
  return cookie.length === 0 || cookie.length !== sent.length || !timingSafeEqual(cookie, sent);
}

/** A proxy that ends TLS and is not trusted to say so: the host is the same, the scheme better than we know. */
function isBehindTls(origin: string, own: string): boolean {
  return own.startsWith("http://") && origin === `https://${own.slice("http://".length)}`;
}
