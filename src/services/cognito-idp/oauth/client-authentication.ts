import type { Seal } from "../../../access/server-keys.ts";
import { isSecretOf } from "../client-secrets.ts";
import type { Client } from "../model.ts";
import { only } from "./exchange.ts";

/** Which client somebody says to be, and the secret that was shown for it. */
export interface ClientClaim {
  readonly clientId: string;
  readonly secret: string | undefined;
}

/**
 * By the `Authorization` header or by the form, not by both (RFC 6749, section 2.3). Undefined for what is neither, or says
 * two things.
 */
export function readClientClaim(authorization: string | undefined, form: URLSearchParams): ClientClaim | undefined {
  const named = only(form, "client_id");
  if (authorization === undefined) {
    return named === undefined ? undefined : { clientId: named, secret: only(form, "client_secret") };
  }
  const encoded = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1];
  if (encoded === undefined || form.has("client_secret")) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  const clientId = colon < 0 ? undefined : decode(text.slice(0, colon));
  const secret = colon < 0 ? undefined : decode(text.slice(colon + 1));
  if (clientId === undefined || secret === undefined) return undefined;
  return named === undefined || named === clientId
    ? { clientId, secret: secret === "" ? undefined : secret }
    : undefined;
}

// RFC 6749, section 2.3.1: both are form-encoded before they are joined.
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** Whether the client is who it says: one with secrets shows one of them, one without shows none. */
export function isAuthentic(seal: Seal, client: Client, { secret }: ClientClaim): boolean {
  if (client.secrets.length === 0) return secret === undefined;
  return secret !== undefined && isSecretOf(seal, client, secret);
}
