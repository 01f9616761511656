import type { Ids } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import type { Store } from "../kernel/store/store.ts";
import { openRootCredentials, type RootCredentials, writeRootCredentials } from "./root.ts";
import { openServerKeys, type ServerKeys, type ServerKeySource } from "./server-keys.ts";
import { hasServerKey, isServerKeyOf, ServerKeyError, shareRootCredentials, readSharedRoot } from "./shared-keys.ts";

export interface KeyNeeds {
  readonly dataDir: string;
  readonly store: Store;
  /** Whether nodes with data folders of their own use the store. */
  readonly isShared: boolean;
  readonly serverKey: Omit<ServerKeySource, "make">;
  /** The file of the root's credentials that the operator named. */
  readonly credentialsFile: string | undefined;
  readonly ids: Ids;
  readonly log: Log;
}

export interface OpenedKeys {
  readonly keys: ServerKeys;
  readonly root: RootCredentials;
}

/**
 * The server key and the root's credentials of this node. On a shared store all nodes have the same: the first one makes
 * them, the others are given the key by the operator and get the credentials from the store.
 *
 * @throws {ServerKeyError} when this node has another key than the other nodes of its store, or none.
 */
export async function openKeys(needs: KeyNeeds): Promise<OpenedKeys> {
  const { dataDir, store, isShared, ids } = needs;
  const keys = await openServerKeys(dataDir, { ...needs.serverKey, make: !isShared || !(await hasServerKey(store)) });
  if (!(await isServerKeyOf(store, keys))) {
    if (isShared) throw new ServerKeyError("The server key of this node is not that of its store.");
    needs.log.warn("The server key is not the one this store was begun with: secret keys of users cannot be read");
  }
  const own = await openRootCredentials(dataDir, ids, needs.credentialsFile);
  if (needs.credentialsFile !== undefined) return { keys, root: own };
  if (!isShared) return { keys, root: await finishRotation(needs, keys, own) };
  const root = await shareRootCredentials(store, keys, own);
  if (root.accessKeyId !== own.accessKeyId || root.secretAccessKey !== own.secretAccessKey) {
    await writeRootCredentials(dataDir, root);
  }
  return { keys, root };
}

/** A rotation writes the store first, then the file: where it was interrupted between them, the file is brought up to it. */
async function finishRotation(
  { store, dataDir, log }: KeyNeeds,
  keys: ServerKeys,
  own: RootCredentials,
): Promise<RootCredentials> {
  const rotated = await readSharedRoot(store, keys).catch(() => undefined);
  // A file that the operator has replaced since says what the root's credentials are.
  if (rotated?.replaces !== own.accessKeyId) return own;
  const { accessKeyId, secretAccessKey } = rotated;
  log.warn("A rotation of the root's access key was interrupted: it is finished now", { accessKeyId });
  await writeRootCredentials(dataDir, { accessKeyId, secretAccessKey });
  return { accessKeyId, secretAccessKey };
}
