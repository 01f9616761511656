import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { Store } from "../../kernel/store/store.ts";
import type { Seal } from "../../access/server-keys.ts";

/** What identity pools sign their tokens with: one key of the platform, sealed in the store, the same on every node. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

interface StoredKey {
  readonly v: 1;
  /** PKCS #8, sealed. */
  readonly sealed: Uint8Array;
}

const key = ["cognito-identity", "signingKey"] as const;

/** The key; made when it is first needed. */
export function createSigningKeys(needs: { readonly store: Store; readonly seal: Seal }): () => Promise<SigningKey> {
  const { store, seal } = needs;
  let known: SigningKey | undefined;
  return async () => {
    known ??= open((await store.read((reader) => reader.get<StoredKey>(key))) ?? (await keep(store, seal)), seal);
    return known;
  };
}

async function keep(store: Store, seal: Seal): Promise<StoredKey> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const made: StoredKey = { v: 1, sealed: seal.seal(privateKey.export({ format: "der", type: "pkcs8" })) };
  return store.transact(async (tx) => {
    const before = await tx.get<StoredKey>(key);
    if (before !== undefined) return before;
    tx.set(key, made);
    return made;
  });
}

function open(stored: StoredKey, seal: Seal): SigningKey {
  const der = seal.open(stored.sealed);
  if (der === undefined) throw new Error("The signing key of identity pools is sealed with another server key");
  const privateKey = createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ format: "der", type: "spki" });
  return { kid: createHash("sha256").update(spki).digest("hex").slice(0, 16), privateKey, publicKey };
}
