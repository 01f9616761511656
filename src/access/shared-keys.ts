import type { Store } from "../kernel/store/store.ts";
import type { RootCredentials } from "./root.ts";
import type { ServerKeys } from "./server-keys.ts";

const fingerprintKey = ["access", "server-key"];
/** Where the root's credentials are that all nodes have, or that were rotated. */
export const rootKey: readonly string[] = ["access", "root"];

/** What other nodes have sealed cannot be opened with the key of this one. The message says what to do. */
export class ServerKeyError extends Error {
  constructor(why: string) {
    super(
      `${why} Every node of a store has the same: copy the file server-key from the data folder of a running node to this one's, or give both CUMULET_SERVER_KEY or CUMULET_SERVER_KEY_FILE.`,
    );
    this.name = "ServerKeyError";
  }
}

/** Whether a node has served from this store before, with whatever key. */
export async function hasServerKey(store: Store): Promise<boolean> {
  return (await store.read((reader) => reader.get(fingerprintKey))) !== undefined;
}

/** Whether this is the key of the store; the first node's becomes it. */
export async function isServerKeyOf(store: Store, keys: Pick<ServerKeys, "fingerprint">): Promise<boolean> {
  const known = await store.read((reader) => reader.get<string>(fingerprintKey));
  if (known !== undefined) return known === keys.fingerprint;
  return store.transact(async (tx) => {
    const first = await tx.get<string>(fingerprintKey);
    if (first === undefined) tx.set(fingerprintKey, keys.fingerprint);
    return first === undefined || first === keys.fingerprint;
  });
}

/** The root's credentials that all nodes have: those of the first node, kept sealed in the store. */
export async function shareRootCredentials(
  store: Store,
  keys: Pick<ServerKeys, "records">,
  own: RootCredentials,
): Promise<RootCredentials> {
  const sealed = await store.transact(async (tx) => {
    const shared = await tx.get<Uint8Array>(rootKey);
    if (shared) return shared;
    const made = sealRoot(keys, own);
    tx.set(rootKey, made);
    return made;
  });
  const { accessKeyId, secretAccessKey } = openRoot(keys, sealed);
  return { accessKeyId, secretAccessKey };
}

/** What a rotation has written. */
interface SharedRoot extends RootCredentials {
  /** The access key that it took the place of. */
  readonly replaces?: string;
}

/** Undefined where there are none: one node alone, whose root was never rotated. */
export async function readSharedRoot(store: Store, keys: Pick<ServerKeys, "records">): Promise<SharedRoot | undefined> {
  const sealed = await store.read((reader) => reader.get<Uint8Array>(rootKey));
  return sealed && openRoot(keys, sealed);
}

/** From now on these are the root's: every process and node of the store takes them up. */
export async function rotateSharedRoot(
  store: Store,
  keys: Pick<ServerKeys, "records">,
  next: SharedRoot,
): Promise<void> {
  await store.transact(async (tx) => {
    tx.set(rootKey, sealRoot(keys, next));
    await Promise.resolve();
  });
}

function sealRoot(keys: Pick<ServerKeys, "records">, root: SharedRoot): Uint8Array {
  return new Uint8Array(keys.records.seal(Buffer.from(JSON.stringify(root))));
}

function openRoot(keys: Pick<ServerKeys, "records">, sealed: Uint8Array): SharedRoot {
  const opened = keys.records.open(sealed);
  if (!opened) throw new ServerKeyError("The root's credentials in the store were sealed with another server key.");
  return JSON.parse(Buffer.from(opened).toString()) as SharedRoot;
}
