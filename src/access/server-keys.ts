import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { join } from "node:path";
import { readNamedFile, readOrCreatePrivateFile } from "./private-file.ts";

/** The platform's own keys, all derived from one secret that never leaves the host (and must be the same on every node). */
export interface ServerKeys {
  /** Session tokens. */
  readonly sessions: Seal;
  /** Secrets at rest in the store, as the secret keys of users. */
  readonly records: Seal;
  /** Passwords and download addresses of the container registry. */
  readonly registry: Seal;
  /** 32 bytes: from a session token to its secret access key. */
  readonly sessionSecrets: Uint8Array;
}

/** Authenticated encryption under one key (AES-256-GCM, random nonces). */
export interface Seal {
  seal(plain: Uint8Array): Uint8Array;
  /** Undefined when it was not sealed with this key, or was changed. */
  open(sealed: Uint8Array): Uint8Array | undefined;
}

/** From the file named, else from the 0600 file `server-key` in the data folder, made at the first start. */
export async function openServerKeys(dataFolder: string, file?: string): Promise<ServerKeys> {
  const make = () => `${randomBytes(32).toString("hex")}\n`;
  const text =
    file === undefined
      ? await readOrCreatePrivateFile(join(dataFolder, "server-key"), make)
      : await readNamedFile(file, "the server key");
  const hex = text.trim();
  if (!/^[0-9a-f]{64}$/.test(hex)) {
    throw new Error(`The file ${file ?? "server-key in the data folder"} is not a key of 64 hex digits`);
  }
  return createServerKeys(Buffer.from(hex, "hex"));
}

/** @param secret 32 unguessable bytes */
export function createServerKeys(secret: Uint8Array): ServerKeys {
  if (secret.length !== 32) throw new Error("A server key has 32 bytes");
  const derive = (label: string) => new Uint8Array(hkdfSync("sha256", secret, "", `cumulet/${label}/1`, 32));
  return {
    sessions: createSeal(derive("sessions")),
    records: createSeal(derive("records")),
    registry: createSeal(derive("registry")),
    sessionSecrets: derive("session-secrets"),
  };
}

const nonceBytes = 12;
const tagBytes = 16;

function createSeal(key: Uint8Array): Seal {
  return {
    seal: (plain) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open: (sealed) => {
      if (sealed.length < nonceBytes + tagBytes) return undefined;
      const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
      try {
        const content = sealed.subarray(nonceBytes, sealed.length - tagBytes);
        return Buffer.concat([decipher.update(content), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  };
}
