import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hasEnded, processIdentity } from "../kernel/process-identity.ts";
import { CommandError } from "./command.ts";

const lockFile = "server.lock";

/**
 * One server a data folder: two would each take what is the other's for what a dead one has left. The lock ends with the
 * process that holds it, however that ends.
 *
 * @returns lets go of it
 * @throws {CommandError} when a server runs on the folder
 */
export async function lockFolder(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, lockFile);
  const own = processIdentity(process.pid);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, own, { mode: 0o600 });
  try {
    if (!(await linked(draft, path))) {
      refuseWhereHeld(await readFile(path, "utf8").catch(() => ""), own, dataDir);
      await rename(draft, path);
    }
    // Of several that take a dead one's lock at the same time, the last has it.
    refuseWhereHeld(await readFile(path, "utf8"), own, dataDir);
  } finally {
    await rm(draft, { force: true });
  }
  return async () => {
    if ((await readFile(path, "utf8").catch(() => "")) === own) await rm(path, { force: true });
  };
}

function refuseWhereHeld(by: string, own: string, dataDir: string): void {
  if (by === "" || by === own || hasEnded(by)) return;
  throw new CommandError(
    `A server runs on ${dataDir} already (process ${by.split("-")[0]}). Give this one a folder of its own with --data, or use more of the processor with --workers.`,
  );
}

/** A link is made whole or not at all, and never over another. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
