import { createHmac } from "node:crypto";
import type { Seal } from "../../access/server-keys.ts";
import { notAuthorized } from "./errors.ts";
import type { Client, ClientSecret } from "./model.ts";
import { equalBytes } from "./passwords/srp.ts";

export function sealSecret(seal: Seal, id: string, value: string, now: number): ClientSecret {
  return { id, createdAt: now, sealed: new Uint8Array(seal.seal(Buffer.from(value))) };
}

/** A client's secrets, the oldest first: there are two while one replaces the other. */
export function openSecrets(seal: Seal, client: Client): readonly string[] {
  return client.secrets.map(({ id, sealed }) => {
    const opened = seal.open(sealed);
    if (!opened) throw new Error(`The client secret ${id} was sealed with another server key`);
    return Buffer.from(opened).toString("utf8");
  });
}

/** Whether it is one of the client's secrets. All are compared, in constant time. */
export function isSecretOf(seal: Seal, client: Client, given: string): boolean {
  const wanted = hashOf(given);
  return openSecrets(seal, client).filter((secret) => equalBytes(hashOf(secret), wanted)).length > 0;
}

function hashOf(text: string): Buffer {
  return createHmac("sha256", "secret").update(text).digest();
}

/**
 * Check `SECRET_HASH`: Base64 of HMAC-SHA256 of user name and client id under one of the client's secrets.
 *
 * @throws NotAuthorizedException
 */
export function checkSecretHash(seal: Seal, client: Client, username: string, secretHash: string | undefined): void {
  if (client.secrets.length === 0) {
    if (secretHash === undefined) return;
    throw notAuthorized(`Client ${client.id} is not configured with secret but SECRET_HASH was received`);
  }
  if (secretHash === undefined) {
    throw notAuthorized(`Client ${client.id} is configured with secret but SECRET_HASH was not received`);
  }
  const given = Buffer.from(secretHash, "base64");
  const good = openSecrets(seal, client).filter((secret) =>
    equalBytes(createHmac("sha256", secret).update(`${username}${client.id}`).digest(), given),
  );
  if (good.length === 0) throw notAuthorized(`Unable to verify secret hash for client ${client.id}`);
}
