import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { join } from "node:path";
import { readNamedFile, readOrCreatePrivateFile, readPrivateFile } from "./private-file.ts";
import { ServerKeyError } from "./shared-keys.ts";

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
  /** Tells keys apart, and nothing of them. */
  readonly fingerprint: string;
}

/** Authenticated encryption under one key (AES-256-GCM, random nonces). */
export interface Seal {
  seal(plain: Uint8Array): Uint8Array;
  /** Undefined when it was not sealed with this key, or was changed. */
  open(sealed: Uint8Array): Uint8Array | undefined;
}

export interface ServerKeySource {
  /** The key itself, 64 hex digits: goes before all files. */
  readonly text?: string | undefined;
  /** A file that the operator named. */
  readonly file?: string | undefined;
  /** Whether a key may be made where there is none. Default: yes. */
  readonly make?: boolean;
}

/**
 * From what was given, else from the 0600 file `server-key` in the data folder, made at the first start.
 *
 * @throws {ServerKeyError} when there is none and none may be made.
 */
export async function openServerKeys(dataFolder: string, source: ServerKeySource = {}): Promise<ServerKeys> {
  const { text, file, make = true } = source;
  if (text !== undefined) return parseServerKey(text, "CUMULET_SERVER_KEY");
  if (file !== undefined) return parseServerKey(await readNamedFile(file, "the server key"), `The file ${file}`);
  const path = join(dataFolder, "server-key");
  const found = make
    ? await readOrCreatePrivateFile(path, () => `${randomBytes(32).toString("hex")}\n`)
    : await readPrivateFile(path);
  if (found === undefined) throw new ServerKeyError("Other nodes use this store, and this one has no server key.");
  return parseServerKey(found, "The file server-key in the data folder");
}

function parseServerKey(text: string, name: string): ServerKeys {
  const hex = text.trim();
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new Error(`${name} is not a key of 64 hex digits`);
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
    fingerprint: Buffer.from(derive("fingerprint")).toString("hex"),
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
