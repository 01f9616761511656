import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { lambdaLimits } from "../limits.ts";
import { ZipError, type ZipEntry } from "./zip.ts";

/**
 * Write entries to a new folder, which appears whole or not at all. Whoever runs functions may read it; nobody but the
 * platform may write. Links are made last, after everything has been written, so that nothing is written through one.
 *
 * @throws {ZipError}
 */
export async function unpack(entries: readonly ZipEntry[], folder: string, unique: string): Promise<void> {
  const draft = join(dirname(folder), `.draft-${unique}`);
  await mkdir(draft, { recursive: true, mode: 0o755 });
  try {
    await writeEntries(layOut(entries), draft);
    await rename(draft, folder).catch((error: unknown) => {
      // Another process unpacked the same content first.
      if (!isTaken(error)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** One entry a path, later ones winning; checked for what cannot be on one disk. */
export function layOut(entries: readonly ZipEntry[]): ReadonlyMap<string, ZipEntry> {
  const byPath = new Map<string, ZipEntry>();
  for (const entry of entries) {
    if (entry.path === "") continue;
    if (entry.kind === "folder" && byPath.get(entry.path)?.kind === "folder") continue;
    byPath.set(entry.path, entry);
  }
  for (const path of byPath.keys()) {
    for (let above = posix.dirname(path); above !== "."; above = posix.dirname(above)) {
      const entry = byPath.get(above);
      if (entry && entry.kind !== "folder") throw new ZipError(`${path} is below ${above}, which is not a folder`);
    }
  }
  return byPath;
}

async function writeEntries(entries: ReadonlyMap<string, ZipEntry>, root: string): Promise<void> {
  const folders = new Set<string>();
  for (const [path, entry] of entries) {
    folders.add(entry.kind === "folder" ? path : posix.dirname(path));
  }
  for (const folder of [...folders].toSorted()) await mkdir(join(root, folder), { recursive: true, mode: 0o755 });

  const files = [...entries.values()].filter((entry) => entry.kind === "file");
  const next = files.values();
  const work = async () => {
    for (const entry of next) {
      const path = join(root, entry.path);
      await writeFile(path, await entry.read(), { flag: "wx", mode: 0o600 });
      // The archive's own bits, without write permission for others. Set apart from creation: the umask is the host's.
      await chmod(path, (entry.mode ?? 0o644) & 0o755);
    }
  };
  await Promise.all(Array.from({ length: lambdaLimits.unzipAtOnce }, work));

  for (const entry of entries.values()) {
    if (entry.kind !== "link") continue;
    await symlink(toSafeTarget(entry.path, Buffer.from(await entry.read()).toString("utf8")), join(root, entry.path));
  }
  for (const folder of [...folders, "."]) await chmod(join(root, folder), 0o755);
}

/** A link may point anywhere inside of the package. */
function toSafeTarget(path: string, target: string): string {
  const resolved = posix.normalize(posix.join(posix.dirname(path), target));
  const leaves = resolved === ".." || resolved.startsWith("../") || posix.isAbsolute(target);
  if (target === "" || target.includes("\0") || leaves) throw new ZipError(`The link ${path} leaves the package`);
  return target;
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST");
}
