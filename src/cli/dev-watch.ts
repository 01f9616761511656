import { watch, type FSWatcher } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Saves come in bursts: an editor writes, renames, sets times. */
const quietMs = 8;
const burstMsMax = 200;
/** Beyond it, folders are not watched any more: the system's own limit is near. */
const foldersMax = 4_096;

/**
 * Tells which files below some folders have changed, a burst at a time. What is installed, built or an editor's own is left out.
 *
 * @param paths files and folders; those that do not exist are left out
 * @returns ends it; what has changed until then is told
 */
export async function watchFiles(
  paths: readonly string[],
  changed: (paths: ReadonlySet<string>) => void,
): Promise<() => void> {
  const watchers = new Map<string, FSWatcher>();
  let pending = new Set<string>();
  let firstAt = 0;
  let timer: NodeJS.Timeout | undefined;

  const note = (path: string) => {
    if (pending.size === 0) firstAt = Date.now();
    pending.add(path);
    if (timer !== undefined && Date.now() - firstAt > burstMsMax) return;
    clearTimeout(timer);
    timer = setTimeout(tell, quietMs);
  };
  const tell = () => {
    clearTimeout(timer);
    timer = undefined;
    if (pending.size === 0) return;
    const burst = pending;
    pending = new Set();
    changed(burst);
  };

  const add = async (folder: string): Promise<void> => {
    if (watchers.has(folder) || watchers.size >= foldersMax) return;
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined || watchers.has(folder)) return;
    const watcher = watch(folder, (_type, name) => {
      if (name === null || isNoise(name)) return;
      const path = join(folder, name);
      note(path);
      void stat(path).then(
        (found) => (found.isDirectory() ? add(path) : undefined),
        () => remove(path),
      );
    });
    watcher.on("error", () => remove(folder));
    watchers.set(folder, watcher);
    for (const entry of entries) {
      if (entry.isDirectory() && !isNoise(entry.name)) await add(join(folder, entry.name));
    }
  };
  const remove = (folder: string) => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };

  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined) await add(found.isDirectory() ? path : dirname(path));
  }
  return () => {
    for (const watcher of watchers.values()) watcher.close();
    tell();
  };
}

const noise = new Set(["node_modules", "__pycache__", "4913"]);

/** Names of what is installed, cached or an editor's: `.git`, `.x.swp`, `x~`, `#x#`, `x.tmp` … */
export function isNoise(name: string): boolean {
  const last = basename(name);
  return noise.has(last) || /^\.(?!env)|~$|^#.*#$|\.(tmp|swp|swx|pyc|crswap)$|___jb_(tmp|old)___$/.test(last);
}
