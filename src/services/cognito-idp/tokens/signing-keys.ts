import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { createLru } from "../../../access/lru.ts";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { inPool } from "../model.ts";
import type { CognitoNeeds } from "../needs.ts";

/** A key that a pool signs with, or has signed with. */
interface KeyRecord {
  readonly kid: string;
  /** PKCS #8, sealed. */
  readonly sealed: Uint8Array;
  readonly publicJwk: { readonly n: string; readonly e: string };
  /** When it begins to sign, epoch milliseconds. */
  readonly from: number;
  /** When nothing that it signed is good any more. Absent: it signs, or will. */
  readonly until?: number;
}

interface KeysRecord {
  readonly v: 1;
  readonly keys: readonly KeyRecord[];
}

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** A member of a JSON Web Key Set (RFC 7517). */
export interface PublicJwk {
  readonly alg: "RS256";
  readonly e: string;
  readonly kid: string;
  readonly kty: "RSA";
  readonly n: string;
  readonly use: "sig";
}

/** The RSA keys that pools sign tokens with: durable, sealed, replaced from time to time. */
export interface SigningKeys {
  /** The key that signs now; made when the pool has none. */
  current(poolId: string, now: number): Promise<SigningKey>;
  /** The public key of this name of the pool's, while anything that it signed may be good. */
  find(poolId: string, kid: string): Promise<KeyObject | undefined>;
  /** The pool's public keys, for verifiers to fetch. */
  jwks(poolId: string, now: number): Promise<readonly PublicJwk[]>;
  /** Begin with a new key, at `from`; the old ones are published until all that they signed has ended. */
  rotate(poolId: string, now: number, from: number): Promise<void>;
}

async function readKeys(reader: Reader, poolId: string): Promise<readonly KeyRecord[]> {
  return (await reader.get<KeysRecord>(inPool("keys", poolId, "all")))?.keys ?? [];
}

const generate = promisify(generateKeyPair);

export function createSigningKeys({ store, seal, ids }: Pick<CognitoNeeds, "store" | "seal" | "ids">): SigningKeys {
  const privateKeys = createLru<KeyObject>(limits.keysHeldMax);
  const publicKeys = createLru<KeyObject>(limits.keysHeldMax);
  const making = new Map<string, Promise<readonly KeyRecord[]>>();

  const write = (tx: Transaction, poolId: string, keys: readonly KeyRecord[]) =>
    tx.set(inPool("keys", poolId, "all"), { v: 1, keys } satisfies KeysRecord);

  const make = async (from: number): Promise<KeyRecord> => {
    const { privateKey, publicKey } = await generate("rsa", { modulusLength: 2048 });
    const { n = "", e = "" } = publicKey.export({ format: "jwk" });
    const sealed = new Uint8Array(seal.seal(privateKey.export({ type: "pkcs8", format: "der" })));
    return { kid: Buffer.from(ids.bytes(32)).toString("base64"), sealed, publicJwk: { n, e }, from };
  };

  /** Once per pool at a time: making a key costs a tenth of a second. */
  const first = (poolId: string, now: number): Promise<readonly KeyRecord[]> => {
    const under = making.get(poolId);
    if (under) return under;
    const made = (async () => {
      const key = await make(now);
      return store.transact(async (tx) => {
        const known = await readKeys(tx, poolId);
        if (known.length > 0) return known;
        write(tx, poolId, [key]);
        return [key];
      });
    })().finally(() => making.delete(poolId));
    making.set(poolId, made);
    return made;
  };

  const all = async (poolId: string, now: number): Promise<readonly KeyRecord[]> => {
    const known = await store.read((reader) => readKeys(reader, poolId));
    return known.length > 0 ? known : first(poolId, now);
  };

  return {
    current: async (poolId, now) => {
      const known = await all(poolId, now);
      const key = known.findLast((each) => each.from <= now) ?? known[0];
      if (!key) throw new Error(`The pool ${poolId} has no signing key`);
      let privateKey = privateKeys.get(key.kid);
      if (!privateKey) {
        const opened = seal.open(key.sealed);
        if (!opened) throw new Error(`A signing key of ${poolId} was sealed with another server key`);
        privateKey = createPrivateKey({ key: Buffer.from(opened), format: "der", type: "pkcs8" });
        privateKeys.set(key.kid, privateKey);
      }
      return { kid: key.kid, privateKey };
    },
    find: async (poolId, kid) => {
      const name = `${poolId} ${kid}`;
      const known = publicKeys.get(name);
      if (known) return known;
      const found = (await store.read((reader) => readKeys(reader, poolId))).find((key) => key.kid === kid);
      if (!found) return undefined;
      const key = createPublicKey({ format: "jwk", key: { kty: "RSA", ...found.publicJwk } });
      publicKeys.set(name, key);
      return key;
    },
    jwks: async (poolId, now) =>
      (await all(poolId, now))
        .filter((key) => key.until === undefined || key.until > now)
        .map(({ kid, publicJwk: { n, e } }) => ({ alg: "RS256", e, kid, kty: "RSA", n, use: "sig" })),
    rotate: async (poolId, now, from) => {
      const key = await make(from);
      await store.transact(async (tx) => {
        const kept = (await readKeys(tx, poolId)).filter((each) => each.until === undefined || each.until > now);
        const until = from + limits.tokenMsMax;
        write(tx, poolId, [...kept.map((each) => Object.assign({ until }, each)), key]);
      });
    },
  };
}
