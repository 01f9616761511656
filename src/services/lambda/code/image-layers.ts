import { chmod, link, lstat, mkdir, open, readdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { lambdaLimits } from "../limits.ts";
import { readTar, TarError, type TarEntry } from "./tar.ts";

const linksMax = 40;
const whiteout = ".wh.";
const opaque = ".wh..wh..opq";

export class ImageTooLargeError extends Error {}

/**
 * Write an image's layers, tar archives, one over the other into a new folder, which appears whole or not at all. Owners are ours,
 * devices are left out, and nobody but the platform may write; links are followed inside of the folder only, as in the image.
 *
 * @throws {TarError} for archives that are none, or that cannot be laid on one disk
 * @throws {ImageTooLargeError}
 */
export async function unpackLayers(
  layers: Iterable<AsyncIterable<Uint8Array>> | AsyncIterable<AsyncIterable<Uint8Array>>,
  folder: string,
  unique: string,
): Promise<void> {
  const draft = join(dirname(folder), `.draft-${unique}`);
  await mkdir(draft, { recursive: true, mode: 0o755 });
  try {
    const budget = { bytes: lambdaLimits.imageBytesMax, entries: lambdaLimits.imageEntriesMax };
    for await (const layer of layers) await applyLayer(layer, draft, budget);
    await makeMountPoints(draft);
    await chmod(draft, 0o755);
    await rename(draft, folder).catch((error: unknown) => {
      // Another process unpacked the same image first.
      if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

interface Budget {
  bytes: number;
  entries: number;
}

async function applyLayer(archive: AsyncIterable<Uint8Array>, root: string, budget: Budget): Promise<void> {
  /** What this layer has brought: its whiteouts take away only what was there before it. */
  const brought = new Set<string>();
  const folders = createFolders(root);
  for await (const entry of readTar(archive)) {
    budget.entries -= 1;
    budget.bytes -= entry.bytes;
    if (budget.bytes < 0 || budget.entries < 0) throw new ImageTooLargeError("The image is too large");
    const path = toPath(entry.path);
    if (path === "") continue;
    const name = posix.basename(path);
    const parent = await folders.make(posix.dirname(path));
    if (name === opaque) {
      await removeOlder(root, parent, brought);
      folders.forget();
    } else if (name.startsWith(whiteout)) {
      const gone = posix.join(parent, name.slice(whiteout.length));
      if (name.slice(whiteout.length) === ".." || brought.has(gone)) continue;
      await rm(join(root, gone), { recursive: true, force: true });
      folders.forget();
    } else {
      const at = posix.join(parent, name);
      brought.add(at);
      for (let above = parent; above !== "."; above = posix.dirname(above)) brought.add(above);
      await writeEntry(entry, root, at, folders);
    }
  }
}

async function writeEntry(entry: TarEntry, root: string, at: string, folders: Folders): Promise<void> {
  const path = join(root, at);
  const before = await lstat(path).catch(() => undefined);
  if (before && !(entry.kind === "folder" && before.isDirectory())) {
    await rm(path, { recursive: true, force: true });
    if (!before.isFile()) folders.forget();
  }
  switch (entry.kind) {
    case "folder":
      if (!before?.isDirectory()) await mkdir(path);
      await chmod(path, (entry.mode & 0o755) | 0o700);
      return;
    case "file": {
      const file = await open(path, "wx", 0o600);
      try {
        for await (const chunk of entry.content) await file.writeFile(chunk);
        await file.chmod((entry.mode & 0o755) | 0o400);
        await file.utimes(entry.modifiedAt, entry.modifiedAt);
      } finally {
        await file.close();
      }
      return;
    }
    case "link":
      if (entry.linkTarget === "" || entry.linkTarget.includes("\0")) throw new TarError(`The link ${at} is invalid`);
      // It may point anywhere: it is only ever followed where the image is the whole file system.
      await symlink(entry.linkTarget, path);
      return;
    case "hardLink": {
      const target = toPath(entry.linkTarget);
      const resolved = posix.join(await folders.find(posix.dirname(target)), posix.basename(target));
      const found = await lstat(join(root, resolved)).catch(() => undefined);
      if (!found || found.isDirectory()) throw new TarError(`The link ${at} leads to nothing`);
      await link(join(root, resolved), path);
      return;
    }
    case "other":
      // Devices and pipes: a sandbox has its own.
      return;
  }
}

/** Relative to the root, without `..`. */
function toPath(text: string): string {
  if (text.includes("\0")) throw new TarError("A path is invalid");
  const path = posix.normalize(`/${text}`).replace(/^\/+/, "").replace(/\/+$/, "");
  return path;
}

interface Folders {
  /** Where a folder of the image really is, with links resolved; made where it is not there. Relative to the root, `.` for itself. */
  make(path: string): Promise<string>;
  /** The same, for one that must be there. */
  find(path: string): Promise<string>;
  /** A link or a folder has gone or come. */
  forget(): void;
}

function createFolders(root: string): Folders {
  let known = new Map<string, string>([[".", "."]]);

  const resolve = async (path: string, make: boolean): Promise<string> => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const pending = path.split("/");
    let at = ".";
    let links = 0;
    while (pending.length > 0) {
      const part = pending.shift() ?? "";
      if (part === "" || part === ".") continue;
      if (part === "..") {
        at = posix.dirname(at);
        continue;
      }
      const next = posix.join(at, part);
      const stat = await lstat(join(root, next)).catch(() => undefined);
      if (stat?.isSymbolicLink()) {
        links += 1;
        if (links > linksMax) throw new TarError(`Too many links on the way to ${path}`);
        const target = await readlink(join(root, next));
        if (target.startsWith("/")) at = ".";
        pending.unshift(...target.split("/"));
        continue;
      }
      if (stat && !stat.isDirectory()) throw new TarError(`${path} is below ${next}, which is not a folder`);
      if (!stat) {
        if (!make) throw new TarError(`There is no folder ${path}`);
        await mkdir(join(root, next), { mode: 0o755 });
      }
      at = next;
    }
    known.set(path, at);
    return at;
  };
  return {
    make: (path) => resolve(path, true),
    find: (path) => resolve(path, false),
    forget: () => (known = new Map([[".", "."]])),
  };
}

/** An opaque folder shows nothing of what earlier layers have put there. */
async function removeOlder(root: string, folder: string, brought: ReadonlySet<string>): Promise<void> {
  for (const child of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, child.name);
    if (!brought.has(path)) await rm(join(root, path), { recursive: true, force: true });
    else if (child.isDirectory()) await removeOlder(root, path, brought);
  }
}

/** What a sandbox puts over the image must have a place there, for the image is read-only. */
async function makeMountPoints(root: string): Promise<void> {
  for (const folder of ["proc", "dev", "tmp", "etc"]) {
    const path = join(root, folder);
    if ((await lstat(path).catch(() => undefined))?.isDirectory()) continue;
    await rm(path, { force: true });
    await mkdir(path, { mode: 0o755 });
  }
  for (const file of ["hosts", "resolv.conf"]) {
    const path = join(root, "etc", file);
    if ((await lstat(path).catch(() => undefined))?.isFile()) continue;
    await rm(path, { recursive: true, force: true });
    await writeFile(path, "", { mode: 0o644 });
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
