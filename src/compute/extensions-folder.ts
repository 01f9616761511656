import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { FunctionSpec } from "./compute.ts";

/** The names of a function's external extensions: what lies in `/opt/extensions`. */
export async function externalExtensions(spec: FunctionSpec): Promise<readonly string[]> {
  const { layersDir } = spec;
  if (layersDir === undefined) return [];
  const entries = await readdir(join(layersDir, "extensions"), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}
