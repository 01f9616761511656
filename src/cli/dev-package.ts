import { readFile, readdir, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { zipSync, type Zippable } from "fflate";
import { CommandError } from "./command.ts";

/** A function's package that is made again and again: only what has changed is read again. */
export interface DevPackage {
  /** @param changed what has changed since; without it, all may have */
  zip(changed?: ReadonlySet<string>): Promise<Uint8Array>;
}

/** Small packages are not compressed: they do not travel far. Larger ones would not fit into a request. */
const storedBytesMax = 30 * 1_048_576;
// The earliest time that a zip entry can carry.
const zipEpoch = new Date(1980, 0, 1);

export function createDevPackage(path: string): DevPackage {
  let files: Map<string, { readonly bytes: Uint8Array; readonly mode: number }> | undefined;

  const readAll = async (): Promise<void> => {
    const found: NonNullable<typeof files> = new Map();
    const add = async (folder: string): Promise<void> => {
      for (const name of (await readdir(folder)).toSorted()) {
        const at = join(folder, name);
        // A link that leads nowhere, or what has just been removed.
        const status = await stat(at).catch(() => undefined);
        if (status?.isDirectory()) await add(at);
        else if (status?.isFile()) found.set(at, { bytes: await readFile(at), mode: status.mode });
      }
    };
    await add(path);
    files = found;
  };

  const readAgain = async (known: NonNullable<typeof files>, changed: ReadonlySet<string>): Promise<boolean> => {
    for (const at of changed) {
      if (!at.startsWith(path + sep)) continue;
      const status = await stat(at).catch(() => undefined);
      if (status === undefined && known.delete(at)) continue;
      // A folder came or went, or packages were installed: that may mean any number of files.
      if (status?.isFile() !== true || /(^|[\\/])(package(-lock)?\.json|yarn\.lock|pnpm-lock\.yaml)$/.test(at))
        return false;
      known.set(at, { bytes: await readFile(at), mode: status.mode });
    }
    return true;
  };

  return {
    async zip(changed) {
      const status = await stat(path).catch(() => undefined);
      if (status === undefined) throw new CommandError(`The template names ${path}, which does not exist`);
      if (status.isFile() && /\.(zip|jar)$/.test(path)) return readFile(path);
      if (status.isFile()) files = new Map([[path, { bytes: await readFile(path), mode: status.mode }]]);
      else if (files === undefined || changed === undefined || !(await readAgain(files, changed))) await readAll();
      const base = status.isFile() ? dirname(path) : path;
      const entries: Zippable = {};
      let total = 0;
      for (const [at, { bytes, mode }] of files ?? []) {
        total += bytes.length;
        entries[relative(base, at).split(sep).join("/")] = [bytes, { attrs: (mode & 0xffff) << 16, os: 3 }];
      }
      return zipSync(entries, { level: total > storedBytesMax ? 6 : 0, mtime: zipEpoch });
    },
  };
}
