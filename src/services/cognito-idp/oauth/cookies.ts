import type { DomainRequest } from "./exchange.ts";

/** A cookie that only this domain's pages get, and no script. @param seconds 0 to remove it */
export function toCookie(request: DomainRequest, name: string, value: string, seconds: number): string {
  const path = request.base === "" ? "/" : request.base;
  // Lax: a redirect from an application must bring the signed-in session.
  return `${name}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${request.secure ? "; Secure" : ""}`;
}
