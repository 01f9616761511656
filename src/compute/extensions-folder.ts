import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** The names of the external extensions in what appears as `/opt`. */
export async function extensionsIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(folder, "extensions"), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}
