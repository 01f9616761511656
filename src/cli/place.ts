import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { hasServerKey } from "../access/shared-keys.ts";
import type { Place } from "../kernel/backup/backup.ts";
import { contentsInStore, contentsOf } from "../kernel/backup/contents.ts";
import { steadyClock, systemClock } from "../kernel/clock.ts";
import { randomIds } from "../kernel/ids.ts";
import { nodeLimits } from "../kernel/limits.ts";
import { createLog } from "../kernel/log.ts";
import { hasEnded, thisProcess } from "../kernel/process-identity.ts";
import { openLmdbStore } from "../kernel/store/lmdb-store.ts";
import type { Store } from "../kernel/store/store.ts";
import { CommandError } from "./command.ts";
import { lockFolder } from "./folder-lock.ts";

const silent = createLog("silent", () => {}, Date.now);

/** A store with what lies beside it, opened by a command rather than by a server. */
export interface OpenPlace extends Place {
  /** For people: a folder, or a database without its password. */
  readonly name: string;
  /** Have it for this process alone until it is closed. @throws {CommandError} where a server runs on it */
  claim(): Promise<void>;
  close(): Promise<void>;
}

/** @param where a data folder, or `postgres://…` with the data folder of this machine beside it */
export async function openPlace(where: string, dataDir: string): Promise<OpenPlace> {
  const shared = isDatabase(where);
  const folder = shared ? dataDir : where;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const store = shared
    ? await openDatabase(where)
    : await openLmdbStore({ folder: join(folder, "store"), clock: systemClock });
  let unlock: (() => Promise<void>) | undefined;
  return {
    name: shared ? withoutPassword(where) : where,
    store,
    contents: shared ? contentsInStore(store) : contentsOf(join(folder, "blobs")),
    claim: async () => {
      if (shared) await assertNobodyServes(store, withoutPassword(where));
      else unlock = await lockFolder(folder);
    },
    close: async () => {
      await store.close();
      await unlock?.();
    },
  };
}

/**
 * A place that a server has served from. Another is most likely the folder of a node whose store is in PostgreSQL: what
 * would be found or changed there is nobody's.
 *
 * @throws {CommandError} where no server has
 */
export async function openServedPlace(store: string | undefined, dataDir: string): Promise<OpenPlace> {
  const where = placeOf(store, dataDir);
  if (!isDatabase(where)) {
    await access(join(where, "store")).catch(() => {
      throw unserved(where);
    });
  }
  const place = await openPlace(where, dataDir);
  const isServed = await hasServerKey(place.store).catch(async (error: unknown) => {
    await place.close();
    throw error;
  });
  if (isServed) return place;
  await place.close();
  throw unserved(place.name);
}

function unserved(name: string): CommandError {
  return new CommandError(
    `No server has kept anything in ${name}: nothing was done. Name the store with --store (or CUMULET_STORE), or the data folder with --data.`,
  );
}

/** @param store what `--store` or CUMULET_STORE says: `postgres://…`, or `embedded` for that of the data folder, as nothing does */
export function placeOf(store: string | undefined, dataDir: string): string {
  const named = store ?? process.env["CUMULET_STORE"];
  return named === undefined || named === "" || named === "embedded" ? dataDir : named;
}

export function isDatabase(where: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(where);
}

async function openDatabase(url: string): Promise<Store> {
  // Loaded only where it is used.
  const { openPostgresStore } = await import("../kernel/store/postgres-store.ts");
  return openPostgresStore({ url, log: silent });
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/([^/@:]*)(?::[^/@]*)?@/, "//$1@").replace(/\?.*$/, "");
}

const lookMs = 200;

/** Register as a node for a moment: whoever is still counted among the living after the others' leases have ended serves. */
async function assertNobodyServes(store: Store, name: string): Promise<void> {
  const { createNodes } = await import("../kernel/nodes/create-nodes.ts");
  const nodes = createNodes({ store, clock: steadyClock, ids: randomIds, log: silent, hasEnded, ...thisProcess() });
  await nodes.start();
  try {
    const until = steadyClock.now() + nodeLimits.lostMs + nodeLimits.beatMs;
    while (nodes.live().some(({ isSelf }) => !isSelf)) {
      if (steadyClock.now() > until) throw new CommandError(`Nodes serve ${name}. Stop them first.`);
      await delay(lookMs);
    }
  } finally {
    await nodes.stop();
  }
}
