import type { Cognito } from "../core.ts";
import { readClient } from "../model.ts";
import { toCookie } from "./cookies.ts";
import { only, redirect, type Answer, type DomainRequest } from "./exchange.ts";
import { sessionCookie } from "./hosted-session.ts";

/**
 * `GET /logout`: this browser is signed out, and goes on to an address that the client has for that, or to sign in again.
 * Source: "Logout endpoint" in the developer guide.
 */
export async function answerLogout(cognito: Cognito, request: DomainRequest): Promise<Answer> {
  const { query, base } = request;
  const clientId = only(query, "client_id");
  const client =
    clientId === undefined ? undefined : await cognito.store.read((reader) => readClient(reader, clientId));
  const cookies = [toCookie(request, sessionCookie, "", 0)];
  const fail = (error: string): Answer =>
    redirect(
      `${base}/error?${new URLSearchParams({ error, ...(clientId !== undefined && { client_id: clientId }) })}`,
      cookies,
    );
  if (clientId === undefined) return fail("Required String parameter 'client_id' is not present");
  if (client?.poolId !== request.pool.id) return fail("Client does not exist");
  // RFC's name for it is taken too, as clients of OpenID Connect send that.
  const asked = only(query, "logout_uri") ?? only(query, "post_logout_redirect_uri");
  if (asked !== undefined) {
    const known = (client.settings.LogoutURLs ?? []).find((url) => url === asked);
    if (known === undefined) return fail("redirect_mismatch");
    const state = only(query, "state");
    return redirect(
      state === undefined ? known : `${known}${known.includes("?") ? "&" : "?"}${new URLSearchParams({ state })}`,
      cookies,
    );
  }
  // What is wrong with the rest of it, the sign-in says.
  if (query.has("redirect_uri")) return redirect(`${base}/login?${query.toString()}`, cookies);
  return fail("Required String parameter 'logout_uri' is not present");
}
