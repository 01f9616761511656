import type { Log } from "../kernel/log.ts";
import type { Store } from "../kernel/store/store.ts";
import type { AccessKeySource } from "./credential-source.ts";
import { createRootSource, type RootCredentials } from "./root.ts";
import type { ServerKeys } from "./server-keys.ts";
import { readSharedRoot, rootKey } from "./shared-keys.ts";

/** The root's key as it is now: a rotation counts at once, on every process and node of the store. */
interface LiveRoot extends AccessKeySource {
  /** The account of this key, where it is the root's. */
  findAccount(accessKeyId: string): string | undefined;
  stop(): void;
}

/**
 * @param keep writes new credentials where this node has its own copy. Absent: an operator's file says what they are, and a
 *   rotation does not count here.
 */
export function followRoot(needs: {
  readonly store: Store;
  readonly keys: Pick<ServerKeys, "records">;
  readonly account: string;
  readonly credentials: RootCredentials;
  readonly log: Log;
  readonly keep?: (credentials: RootCredentials) => Promise<void>;
}): LiveRoot {
  const { store, keys, account, log, keep } = needs;
  let current = needs.credentials;
  let source = createRootSource(account, current);

  const read = async (write: (credentials: RootCredentials) => Promise<void>) => {
    const found = await readSharedRoot(store, keys);
    if (found === undefined || found.accessKeyId === current.accessKeyId) return;
    current = { accessKeyId: found.accessKeyId, secretAccessKey: found.secretAccessKey };
    source = createRootSource(account, current);
    log.warn("The root's access key was rotated: the one before is not taken any more", {
      accessKeyId: current.accessKeyId,
    });
    await write(current);
  };
  const unwatch = keep
    ? store.watch([rootKey[0] ?? ""], () => {
        read(keep).catch((error: unknown) => log.error("The root's new access key could not be read", { error }));
      })
    : () => undefined;

  return {
    findAccessKey: (accessKeyId) => source.findAccessKey(accessKeyId),
    findAccount: (accessKeyId) => (accessKeyId === current.accessKeyId ? account : undefined),
    stop: unwatch,
  };
}
